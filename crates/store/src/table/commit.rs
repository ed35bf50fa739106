//! One commit: data, schema, watermark and batch identities together, or nothing.

use std::collections::HashMap;
use std::sync::Arc;

use deltalake_core::kernel::transaction::{CommitData, TransactionError};
use deltalake_core::kernel::{Action, Add, CommitInfo, MetadataExt, Remove, Version, new_metadata};
use deltalake_core::logstore::CommitOrBytes;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use model::{BatchId, Timestamp};
use query::Column;

use super::told;
use super::watermark::Shard;
use super::{Table, View};
use crate::error::StoreError;
use crate::files::DataFile;
use crate::schema::{DATE, Schema};
use crate::sequence::SequenceNumber;

/// A checkpoint after so many commits: a cold start then reads at most so many log entries. At one commit in five
/// seconds that is one checkpoint in four minutes.
const CHECKPOINT_INTERVAL: u64 = 50;

/// What one commit changes.
pub(crate) struct Change<'a> {
    pub(crate) adds: Vec<Add>,
    pub(crate) removes: Vec<Arc<DataFile>>,
    /// The dynamic columns of the files that come.
    pub(crate) columns: Vec<Column>,
    pub(crate) cause: Cause<'a>,
    pub(crate) now: Timestamp,
}

/// Why, and what the log keeps of it beside the files.
pub(crate) enum Cause<'a> {
    /// Records of a shard.
    Append {
        shard: &'a Shard,
        watermark: SequenceNumber,
        batches: Vec<&'a BatchId>,
        records: usize,
        /// How many events these records have.
        rows: u64,
    },
    /// The same rows in fewer files, but for those that stood twice.
    Compact { duplicates: u64 },
    /// Events that nobody wants to keep any longer.
    Retain,
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
    let operation = operation(&change.cause);
    let info = CommitInfo {
        timestamp: Some(change.now.as_millis()),
        engine_info: Some(concat!("limelight:", env!("CARGO_PKG_VERSION")).to_owned()),
        is_blind_append: Some(change.removes.is_empty()),
        info: HashMap::from([told::of(&change)]),
        ..operation.get_commit_info()
    };
    // What compaction writes was there before: readers that follow changes need not look at it.
    let data_change = !matches!(change.cause, Cause::Compact { .. });
    let mut actions = vec![Action::CommitInfo(info)];
    actions.extend(schema_actions(after, change.columns)?);
    actions.extend(change.removes.iter().map(|file| Action::Remove(remove(file, data_change, change.now))));
    actions.extend(change.adds.into_iter().map(|add| Action::Add(Add { data_change, ..add })));
    let transactions = match change.cause {
        Cause::Append { shard, watermark, .. } => shard.transactions(watermark, change.now),
        Cause::Compact { .. } | Cause::Retain => Vec::new(),
    };
    Ok(CommitData::new(actions, operation, HashMap::new(), transactions))
}

fn operation(cause: &Cause<'_>) -> DeltaOperation {
    match cause {
        Cause::Append { .. } => DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![DATE.to_owned()]),
            predicate: None,
        },
        Cause::Compact { .. } => DeltaOperation::Optimize { predicate: None, target_size: 0 },
        Cause::Retain => DeltaOperation::Delete { predicate: None },
    }
}

fn remove(file: &DataFile, data_change: bool, now: Timestamp) -> Remove {
    Remove {
        path: file.path.clone(),
        data_change,
        deletion_timestamp: Some(now.as_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(HashMap::from([(DATE.to_owned(), Some(file.date.clone()))])),
        size: i64::try_from(file.bytes).ok(),
        ..Remove::default()
    }
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
