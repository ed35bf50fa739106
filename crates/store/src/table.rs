//! One dataset's Delta table as this process knows it: its version, columns and files, and who has written what.
//!
//! A table is opened with `deltalake-core`, which reads checkpoints; then its log is followed entry by entry: one
//! read of the next entry tells that nothing has changed, and an entry that has come is applied, its watermarks and
//! batch identities among the rest.

mod commit;
mod recent;
mod told;
mod watermark;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deltalake_core::kernel::{Action, Add, CommitInfo, Metadata, Protocol, Transaction, Version};
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore, get_actions};
use deltalake_core::{DeltaTable, DeltaTableError};
use futures::{StreamExt, TryStreamExt};
use model::{BatchId, Timestamp};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::StoreError;
use crate::file;
use crate::files::{DataFile, Files};
use crate::location::Root;
use crate::schema::Schema;
use crate::sequence::{LIMBS, SequenceNumber};

pub(crate) use commit::{Cause, Change, Outcome};
use recent::Recent;
pub(crate) use told::{Told, read as told};
pub(crate) use watermark::Shard;

/// How many log entries are read at once when a table is opened.
const LOG_READS_AT_ONCE: usize = 16;
/// So many entries one after another must be too old before the search for recent batches ends: a writer whose clock
/// is behind does not hide what others committed before it.
const TOO_OLD_IN_A_ROW: usize = 16;
/// A table that was opened longer ago is opened anew: its log's beginning may have been cleaned up since, and a
/// process that slept (a laptop, a frozen sandbox) must not go on behind an entry that is gone. Far below the day for
/// which the log is kept.
const OPENED_FOR: Duration = Duration::from_hours(1);

/// A table, shared by all who read and write it in this process.
pub(crate) struct Table {
    pub(crate) dataset: String,
    pub(crate) log: LogStoreRef,
    /// The object store below the table's directory.
    pub(crate) objects: Arc<dyn ObjectStore>,
    followed: Mutex<Option<Followed>>,
    /// Held while a commit is tried, so that writers of one process do not race each other.
    turn: Mutex<()>,
}

/// A table at one version.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) version: Version,
    pub(crate) schema: Arc<Schema>,
    pub(crate) metadata: Metadata,
    pub(crate) files: Arc<Files>,
}

/// What is known of the table.
struct Followed {
    view: View,
    /// The table as it was opened: for the watermarks of shards that did not write since.
    opened: DeltaTable,
    /// The `since` of that look: moves as the time does.
    opened_since: Timestamp,
    /// Of the shards that were asked for or that wrote since; none: the shard never wrote.
    watermarks: HashMap<Shard, Option<SequenceNumber>>,
    /// Complete only once `recent_is_whole`: who only reads never pays for it.
    recent: Recent,
    recent_is_whole: bool,
}

/// What stands already, of some records that are to be written.
pub(crate) struct Standing {
    pub(crate) watermark: Option<SequenceNumber>,
    /// For each batch that was asked about, whether it was committed lately.
    pub(crate) batches: Vec<bool>,
}

impl Table {
    pub(crate) fn new(dataset: &str, root: &Root) -> Result<Self, StoreError> {
        let url = root
            .url
            .join(&format!("datasets/{dataset}/"))
            .map_err(|error| StoreError::Location { text: root.url.to_string(), why: error.to_string() })?;
        let below = root.below(["datasets", dataset]);
        let objects: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(root.objects.clone(), below));
        let log = default_logstore(objects.clone(), root.objects.clone(), &url, &StorageConfig::default());
        let dataset = dataset.to_owned();
        Ok(Self { dataset, log, objects, followed: Mutex::default(), turn: Mutex::default() })
    }

    /// The table as it is now; none if nobody has made it yet. Batches that were committed before `since` are
    /// forgotten.
    pub(crate) async fn view(&self, since: Timestamp) -> Result<Option<View>, StoreError> {
        Ok(self.follow(since).await?.as_ref().map(|followed| followed.view.clone()))
    }

    /// The table as it is now, and what stands in it already of a shard's records.
    pub(crate) async fn standing(
        &self,
        since: Timestamp,
        shard: &Shard,
        batches: &[Option<&BatchId>],
    ) -> Result<(Option<View>, Standing), StoreError> {
        let mut followed = self.follow(since).await?;
        let Some(followed) = followed.as_mut() else {
            return Ok((None, Standing { watermark: None, batches: vec![false; batches.len()] }));
        };
        let watermark = match followed.watermarks.get(shard) {
            Some(watermark) => *watermark,
            None => {
                let watermark = self.opened_watermark(&followed.opened, shard).await?;
                followed.watermarks.insert(shard.clone(), watermark);
                watermark
            }
        };
        if !followed.recent_is_whole {
            self.read_back(&followed.opened, since, &mut followed.recent).await?;
            followed.recent_is_whole = true;
        }
        let held = |batch: &Option<&BatchId>| batch.is_some_and(|batch| followed.recent.holds(batch));
        let batches = batches.iter().map(held).collect();
        Ok((Some(followed.view.clone()), Standing { watermark, batches }))
    }

    /// Waits until no other writer of this process is committing.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Writes a data file that nobody sees yet, and gives the action that will make it visible.
    pub(crate) async fn put(
        &self,
        file: &file::Written,
        date: &str,
        now: Timestamp,
    ) -> Result<Add, StoreError> {
        let path = file::path(date);
        let written = self.objects.put(&Path::from(path.as_str()), file.bytes.clone().into()).await;
        written.map_err(|source| StoreError::Storage { doing: format!("writing {path}"), source })?;
        Ok(file.add(path, date, now))
    }

    /// A data file's bytes; none if it is gone.
    pub(crate) async fn read(&self, file: &DataFile) -> Result<Option<Bytes>, StoreError> {
        let failed = |source| StoreError::Storage { doing: format!("reading {}", file.path), source };
        match self.objects.get(&Path::from(file.path.as_str())).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    pub(crate) fn failed(&self, doing: &'static str, source: DeltaTableError) -> StoreError {
        StoreError::Table { dataset: self.dataset.clone(), doing, source: Box::new(source) }
    }

    /// Opens the table, or reads what was committed since.
    async fn follow(&self, since: Timestamp) -> Result<MutexGuard<'_, Option<Followed>>, StoreError> {
        let failed = |source| self.failed("reading its log", source);
        let mut guard = self.followed.lock().await;
        if guard.as_ref().is_some_and(|followed| since.since(followed.opened_since) > OPENED_FOR) {
            *guard = None;
        }
        let Some(followed) = guard.as_mut() else {
            *guard = self.open(since).await?;
            return Ok(guard);
        };
        loop {
            let next = followed.view.version + 1;
            let Some(actions) = self.entry(next).await.map_err(failed)? else { break };
            if let Err(error) = followed.apply(next, actions) {
                // Half an entry may have been applied: begin again next time.
                *guard = None;
                return Err(failed(error));
            }
        }
        followed.recent.forget(since);
        Ok(guard)
    }

    async fn open(&self, since: Timestamp) -> Result<Option<Followed>, StoreError> {
        let failed = |source| self.failed("opening it", source);
        let log = Path::from("_delta_log");
        let first = self.objects.list(Some(&log)).try_next().await;
        match first {
            Ok(None) | Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Ok(Some(_)) => {}
            Err(source) => {
                return Err(StoreError::Storage { doing: format!("listing {}", self.dataset), source });
            }
        }
        let mut opened = DeltaTable::new(self.log.clone());
        match opened.load().await {
            // Files without a first entry: a writer is about to make the table, or died before.
            Err(DeltaTableError::NotATable(_)) => return Ok(None),
            other => other.map_err(failed)?,
        }
        let state = opened.snapshot().map_err(failed)?;
        understood(state.protocol()).map_err(failed)?;
        let names = state.schema();
        let view = View {
            version: state.version(),
            schema: Arc::new(Schema::of_names(names.fields().map(|field| field.name().as_str()))),
            metadata: state.metadata().clone(),
            files: Arc::new(state.log_data().iter().map(|file| DataFile::of_view(&file)).collect()),
        };
        let (watermarks, recent) = (HashMap::new(), Recent::default());
        Ok(Some(Followed { view, opened, opened_since: since, watermarks, recent, recent_is_whole: false }))
    }

    /// Reads the log backwards from where the table was opened until its entries are older than `since`.
    async fn read_back(
        &self,
        opened: &DeltaTable,
        since: Timestamp,
        recent: &mut Recent,
    ) -> Result<(), StoreError> {
        let failed = |source| self.failed("reading its log", source);
        let newest = opened.version().unwrap_or(0);
        let entries = futures::stream::iter((0..=newest).rev())
            .map(|version| self.entry(version))
            .buffered(LOG_READS_AT_ONCE);
        futures::pin_mut!(entries);
        let mut infos: Vec<CommitInfo> = Vec::new();
        let mut too_old = 0;
        // An entry that is gone was cleaned up, and everything before it.
        while let Some(Some(actions)) = entries.next().await.transpose().map_err(failed)? {
            let Some(info) = actions.into_iter().find_map(commit_info) else { continue };
            too_old = if recent::committed_at(&info) < since { too_old + 1 } else { 0 };
            infos.push(info);
            if too_old == TOO_OLD_IN_A_ROW {
                break;
            }
        }
        // In the log's order, after what was read when the table was opened is before what was followed since.
        let mut whole = Recent::default();
        infos.iter().rev().for_each(|info| whole.learn(info));
        recent.precede(whole);
        recent.forget(since);
        Ok(())
    }

    /// The actions of a log entry; none if there is no such entry.
    pub(crate) async fn entry(&self, version: Version) -> Result<Option<Vec<Action>>, DeltaTableError> {
        let Some(bytes) = self.log.read_commit_entry(version).await? else { return Ok(None) };
        get_actions(version, &bytes).map(Some)
    }

    /// The watermark that a shard had when the table was opened.
    async fn opened_watermark(
        &self,
        opened: &DeltaTable,
        shard: &Shard,
    ) -> Result<Option<SequenceNumber>, StoreError> {
        let failed = |source| self.failed("reading a watermark", source);
        let state = opened.snapshot().map_err(failed)?;
        let limb = |number| state.transaction_version(self.log.as_ref(), shard.app_id(number));
        let limbs = futures::future::try_join_all((0..LIMBS).map(limb)).await.map_err(failed)?;
        let mut numbers = [0; LIMBS];
        for (number, limb) in numbers.iter_mut().zip(&limbs) {
            // The limbs of a watermark are always written together.
            let Some(limb) = limb else { return Ok(None) };
            *number = *limb;
        }
        Ok(SequenceNumber::from_limbs(numbers))
    }
}

impl Followed {
    fn apply(&mut self, version: Version, actions: Vec<Action>) -> Result<(), DeltaTableError> {
        let mut infos: Vec<CommitInfo> = Vec::new();
        let mut transactions: Vec<Transaction> = Vec::new();
        for action in actions {
            match action {
                Action::Add(add) => Arc::make_mut(&mut self.view.files).add(DataFile::of_add(&add)),
                Action::Remove(remove) => Arc::make_mut(&mut self.view.files).remove(&remove.path),
                Action::Metadata(metadata) => {
                    let schema = metadata.parse_schema()?;
                    let names = schema.fields().map(|field| field.name().as_str());
                    self.view.schema = Arc::new(Schema::of_names(names));
                    self.view.metadata = metadata;
                }
                Action::Protocol(protocol) => understood(&protocol)?,
                Action::Txn(transaction) => transactions.push(transaction),
                Action::CommitInfo(info) => infos.push(info),
                Action::Cdc(_) | Action::DomainMetadata(_) => {}
            }
        }
        let watermarks = watermark::watermarks(&transactions);
        self.watermarks.extend(watermarks.into_iter().map(|(shard, sequence)| (shard, Some(sequence))));
        infos.iter().for_each(|info| self.recent.learn(info));
        self.view.version = version;
        Ok(())
    }
}

fn commit_info(action: Action) -> Option<CommitInfo> {
    match action {
        Action::CommitInfo(info) => Some(info),
        _ => None,
    }
}

/// Following the log by itself is right only as long as nobody has given the table features that we do not know.
fn understood(protocol: &Protocol) -> Result<(), DeltaTableError> {
    if protocol.min_reader_version() <= 1 && protocol.min_writer_version() <= 2 {
        return Ok(());
    }
    Err(DeltaTableError::generic(
        "another program gave the table features beyond reader version 1 and writer version 2",
    ))
}
