//! One commit: data, schema, watermark and batch identities together, or nothing.

use std::collections::HashMap;

use deltalake_core::kernel::transaction::{CommitData, TransactionError};
use deltalake_core::kernel::{Action, Add, CommitInfo, MetadataExt, Version, new_metadata};
use deltalake_core::logstore::CommitOrBytes;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use model::{BatchId, Timestamp};
use query::Column;

use super::recent;
use super::watermark::Shard;
use super::{Table, View};
use crate::error::StoreError;
use crate::schema::{DATE, Schema};
use crate::sequence::SequenceNumber;

/// A checkpoint after so many commits: a cold start then reads at most so many log entries. At one commit in five
/// seconds that is one checkpoint in four minutes.
const CHECKPOINT_INTERVAL: u64 = 50;

/// What one commit makes visible.
pub(crate) struct Change<'a> {
    pub(crate) adds: Vec<Add>,
    /// The dynamic columns of those files.
    pub(crate) columns: Vec<Column>,
    pub(crate) shard: &'a Shard,
    pub(crate) watermark: SequenceNumber,
    pub(crate) batches: Vec<&'a BatchId>,
    pub(crate) records: usize,
    pub(crate) now: Timestamp,
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is this version.
    Committed(Version),
    /// Somebody else's commit took the place: look again, and try again if there is still something to do.
    Overtaken,
}

impl Table {
    /// Tries to put a change right after the version that was looked at. Nothing is visible unless it succeeds.
    pub(crate) async fn commit(
        &self,
        after: Option<&View>,
        change: Change<'_>,
    ) -> Result<Outcome, StoreError> {
        let failed = |source| self.failed("preparing a commit", source);
        let version = after.map_or(0, |view| view.version + 1);
        let entry = entry(after, change).map_err(failed)?;
        let bytes = entry.get_bytes().map_err(|error| failed(error.into()))?;
        let written =
            self.log.write_commit_entry(version, CommitOrBytes::LogBytes(bytes), uuid::Uuid::new_v4()).await;
        match written {
            Ok(()) => Ok(Outcome::Committed(version)),
            Err(TransactionError::VersionAlreadyExists(_)) => Ok(Outcome::Overtaken),
            Err(error) => Err(self.failed("committing", error.into())),
        }
    }

    /// Whether a checkpoint is due after this version.
    pub(crate) fn checkpoint_is_due(version: Version) -> bool {
        version > 0 && version.is_multiple_of(CHECKPOINT_INTERVAL)
    }

    /// Writes a checkpoint of the table as it is now.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        let failed = |source| self.failed("writing a checkpoint", source);
        let mut table = deltalake_core::DeltaTable::new(self.log.clone());
        table.load().await.map_err(failed)?;
        deltalake_core::checkpoints::create_checkpoint(&table, None).await.map_err(failed)
    }
}

/// The log entry: `commitInfo`, protocol and metadata where they are new, the watermark, and the files.
fn entry(after: Option<&View>, change: Change<'_>) -> Result<CommitData, deltalake_core::DeltaTableError> {
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(vec![DATE.to_owned()]),
        predicate: None,
    };
    let info = CommitInfo {
        timestamp: Some(change.now.as_millis()),
        engine_info: Some(concat!("limelight:", env!("CARGO_PKG_VERSION")).to_owned()),
        is_blind_append: Some(true),
        info: HashMap::from([recent::told(change.batches.iter().copied(), change.records)]),
        ..operation.get_commit_info()
    };
    let mut actions = vec![Action::CommitInfo(info)];
    actions.extend(schema_actions(after, change.columns)?);
    actions.extend(change.adds.into_iter().map(Action::Add));
    let transactions = change.shard.transactions(change.watermark, change.now);
    Ok(CommitData::new(actions, operation, HashMap::new(), transactions))
}

fn schema_actions(
    after: Option<&View>,
    columns: Vec<Column>,
) -> Result<Vec<Action>, deltalake_core::DeltaTableError> {
    let Some(view) = after else {
        let mut schema = Schema::default();
        schema.extend(columns);
        let interval = ("delta.checkpointInterval", CHECKPOINT_INTERVAL.to_string());
        let metadata = new_metadata(&schema.delta()?, [DATE], [interval])?;
        // Reader 1 and writer 2: what every Delta reader of the last years understands.
        let protocol =
            serde_json::from_value(serde_json::json!({"minReaderVersion": 1, "minWriterVersion": 2}))?;
        return Ok(vec![Action::Protocol(protocol), Action::Metadata(metadata)]);
    };
    let mut schema = Schema::clone(&view.schema);
    if !schema.extend(columns) {
        return Ok(Vec::new());
    }
    Ok(vec![Action::Metadata(view.metadata.clone().with_schema(&schema.delta()?)?)])
}
