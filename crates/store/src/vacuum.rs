//! Files that no reader can need any longer, off the disk: data files outside the table, old entries of its log, old
//! letters.
//!
//! A file goes only if it is in no snapshot that a reader may still hold and in no commit that a writer may still make:
//! the newest snapshot does not have it, it was not taken out of the table within the last day, and it was not written
//! within the last day. Killed anywhere, nothing is half done: the next vacuum finds what is left.

use std::collections::HashSet;
use std::time::Duration;

use deltalake_core::checkpoints::cleanup_expired_logs_for;
use futures::{StreamExt, TryStreamExt};
use model::Timestamp;
use object_store::{Error, ObjectMeta};

use crate::day::Day;
use crate::error::StoreError;
use crate::store::Store;
use crate::table::Table;

/// The shortest time that files may be kept for: a query or a writer that is under way needs them. A Lambda function
/// ends after 15 minutes; writers and compactors write anew what waited for an hour.
const KEPT_FOR_MIN: Duration = Duration::from_hours(2);

/// What may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vacuum {
    /// For so long what left the table, was never in it, or is an old entry of its log stays; at least two hours.
    pub kept_for: Duration,
    /// For so many days letters are kept.
    pub letters_days: u32,
    /// So many bytes of letters are kept.
    pub letters_bytes: u64,
}

impl Default for Vacuum {
    fn default() -> Self {
        Self { kept_for: Duration::from_hours(24), letters_days: 30, letters_bytes: 1 << 30 }
    }
}

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vacuumed {
    /// Data files, or files of letters.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries and checkpoints of the log.
    pub log_files: u64,
}

impl Store {
    /// Removes a dataset's files that nobody can need, and what of its log a checkpoint stands for.
    ///
    /// # Errors
    /// When the object store or the log fails; what was removed is removed.
    pub async fn vacuum(&self, dataset: &str, rules: &Vacuum) -> Result<Vacuumed, StoreError> {
        let table = self.table(dataset)?;
        let before = self.options().now().minus(rules.kept_for.max(KEPT_FOR_MIN));
        // Listed before the snapshot is taken: what a writer commits in between is in the snapshot.
        let listed = table.data_files().await?;
        let Some(view) = table.view(self.since()).await? else { return Ok(Vacuumed::default()) };
        let mut kept: HashSet<String> = view.files.iter().map(|file| file.path.clone()).collect();
        kept.extend(table.removed_since(before).await?);
        let gone: Vec<_> = listed
            .into_iter()
            .filter(|object| written_at(object) < before && !kept.contains(object.location.as_ref()))
            .collect();
        let mut vacuumed = Vacuumed {
            files: gone.len() as u64,
            bytes: gone.iter().map(|object| object.size).sum(),
            log_files: 0,
        };
        let paths = futures::stream::iter(gone.into_iter().map(|object| Ok(object.location))).boxed();
        let deleted = table.objects.delete_stream(paths);
        deleted.try_for_each(|_| async { Ok(()) }).await.or_else(unless_gone)?;
        vacuumed.log_files = table.clean_log(view.version, before).await?;
        Ok(vacuumed)
    }

    /// Removes letters that are too old or too much, the oldest first.
    ///
    /// # Errors
    /// When the object store fails; what was removed is removed.
    pub async fn vacuum_letters(&self, rules: &Vacuum) -> Result<Vacuumed, StoreError> {
        let files = self.letter_files().await?;
        let first_kept = Day::of(self.options().now()).minus(rules.letters_days);
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let mut vacuumed = Vacuumed::default();
        for file in files {
            let too_old = file.day.parse::<Day>().is_ok_and(|day| day < first_kept);
            if !too_old && bytes <= rules.letters_bytes {
                continue;
            }
            self.keep_letters(&file, None).await?;
            bytes -= file.bytes;
            vacuumed.files += 1;
            vacuumed.bytes += file.bytes;
        }
        Ok(vacuumed)
    }
}

impl Table {
    /// All Parquet files below the table's directory, whatever the log says of them.
    pub(crate) async fn data_files(&self) -> Result<Vec<ObjectMeta>, StoreError> {
        let listed: Result<Vec<ObjectMeta>, Error> = self
            .objects
            .list(None)
            .try_filter(|object| {
                let path = object.location.as_ref();
                let data = path.ends_with(".parquet") && !path.starts_with("_delta_log/");
                async move { data }
            })
            .try_collect()
            .await;
        match listed {
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            listed => listed
                .map_err(|source| StoreError::Storage { doing: format!("listing {}", self.dataset), source }),
        }
    }

    /// Files that left the table after `time`.
    async fn removed_since(&self, time: Timestamp) -> Result<Vec<String>, StoreError> {
        let failed = |source| self.failed("reading what left it", source);
        let mut opened = deltalake_core::DeltaTable::new(self.log.clone());
        opened.load().await.map_err(failed)?;
        let state = opened.snapshot().map_err(failed)?;
        let tombstones = state.all_tombstones(self.log.as_ref());
        let since = tombstones.try_filter_map(|tombstone| async move {
            let at = Timestamp::from_millis(tombstone.deletion_timestamp().unwrap_or(i64::MAX));
            Ok((at >= time).then(|| tombstone.path().into_owned()))
        });
        since.try_collect().await.map_err(failed)
    }

    /// Removes what of the log a later checkpoint stands for, as far as it is older than `before`.
    async fn clean_log(&self, version: u64, before: Timestamp) -> Result<u64, StoreError> {
        let cleaned = cleanup_expired_logs_for(version, self.log.as_ref(), before.as_millis(), None).await;
        cleaned.map(|count| count as u64).map_err(|source| self.failed("cleaning its log", source))
    }
}

fn written_at(object: &ObjectMeta) -> Timestamp {
    Timestamp::from_millis(object.last_modified.timestamp_millis())
}

/// Somebody else was faster.
fn unless_gone(error: Error) -> Result<(), StoreError> {
    match error {
        Error::NotFound { .. } => Ok(()),
        source => Err(StoreError::Storage { doing: "removing files".to_owned(), source }),
    }
}
