//! Small files into large ones: sorted, without rows that stand twice, with columns for keys that deserve them.
//!
//! One step reads some files of one day, writes one, and replaces them in one commit. Whoever dies in between leaves a
//! file that nobody sees, for vacuum, and the next step chooses the same files again. Writers are never waited for:
//! they only add files. Two that compact at once, or one and retention: who commits second finds its files gone and
//! gives up its work. Readers keep the files of their snapshot until vacuum takes them, a day later.

mod cursor;
mod merge;
mod select;
mod shape;

use std::collections::HashSet;
use std::sync::Arc;

use deltalake_core::kernel::Add;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::append::{ATTEMPTS_MAX, keep_checkpointed, wait};
use crate::day::Day;
use crate::error::StoreError;
use crate::files::DataFile;
use crate::store::Store;
use crate::table::{Cause, Change, Outcome, Table, View};
use merge::Merged;
pub(crate) use merge::{Input, MergeError, merge};

/// Files that are fetched at once.
const FETCHES_AT_ONCE: usize = 8;
/// Of the dataset's cap for dynamic columns one in so many more may come by promotion: a key in one event of a hundred
/// is worth more than one that came first.
const PROMOTED_SHARE: usize = 4;

/// How files are compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compaction {
    /// How large files should become, bytes. A step holds about three times this in memory: what it reads, what it
    /// writes, and the rows in between.
    pub file_bytes: u64,
}

impl Compaction {
    /// For a process that may use so much memory, bytes.
    pub fn within(memory_bytes: u64) -> Self {
        Self { file_bytes: (memory_bytes / 8).clamp(4 << 20, Self::default().file_bytes) }
    }

    /// Whether a file of so many bytes should join others.
    pub(crate) fn is_small(&self, bytes: u64) -> bool {
        bytes.saturating_mul(2) < self.file_bytes
    }
}

impl Default for Compaction {
    fn default() -> Self {
        // Large enough that a day of gigabytes has few, small enough that one fits a function with a gigabyte.
        Self { file_bytes: 128 << 20 }
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Files that are gone from the table.
    pub files: u64,
    /// Their bytes.
    pub bytes_before: u64,
    /// Bytes of the one that replaces them.
    pub bytes_after: u64,
    /// Its rows.
    pub rows: u64,
    /// Rows that stood twice.
    pub duplicates: u64,
}

/// Compacts one dataset step by step; whoever drives it may stop after any step, and begin anew at any time.
#[derive(Debug)]
pub struct Compactor {
    store: Store,
    dataset: String,
    rules: Compaction,
    /// Files that cannot be merged: damaged, or another program's. They are left as they are.
    left_alone: HashSet<String>,
}

impl Store {
    /// A compactor of a dataset.
    pub fn compactor(&self, dataset: &str, rules: Compaction) -> Compactor {
        Compactor { store: self.clone(), dataset: dataset.to_owned(), rules, left_alone: HashSet::new() }
    }
}

impl Compactor {
    /// Files that were found to be damaged or not ours, below the table's directory.
    pub fn left_alone(&self) -> impl Iterator<Item = &str> {
        self.left_alone.iter().map(String::as_str)
    }

    /// Does one step; none if there is nothing to do.
    ///
    /// # Errors
    /// When the object store or the log fails. A file that cannot be read is no error: it is left alone.
    pub async fn step(&mut self) -> Result<Option<Compacted>, StoreError> {
        let table = self.store.table(&self.dataset)?;
        let today = Day::of(self.store.options().now());
        loop {
            let Some(view) = table.view(self.store.since()).await? else { return Ok(None) };
            let files = view.files.iter().filter(|file| !self.left_alone.contains(&file.path));
            let Some(run) = select::next(files, today, &self.rules) else { return Ok(None) };
            let Some(inputs) = self.read(&table, &run).await? else { continue };
            let known = view.schema.clone();
            let cap = self.store.options().columns_max;
            let room = (cap + cap / PROMOTED_SHARE).saturating_sub(known.dynamic().len());
            let work = move || merge::promotion(&inputs, &known, room).and_then(|moves| merge(inputs, moves));
            let merged = tokio::task::spawn_blocking(work).await;
            match merged.map_err(|died| self.failed(died))? {
                Ok(merged) => {
                    if let Some(compacted) = self.replace(&table, &run, merged).await? {
                        return Ok(Some(compacted));
                    }
                }
                Err(error) => self.leave_alone(error)?,
            }
        }
    }

    /// The files' bytes; none if one of them is damaged or gone, and is left alone now.
    async fn read(
        &mut self,
        table: &Arc<Table>,
        run: &[Arc<DataFile>],
    ) -> Result<Option<Vec<Input>>, StoreError> {
        let read = futures::stream::iter(run.to_vec()).map(|file| async move {
            let bytes = table.read(&file).await?;
            Ok::<_, StoreError>((file, bytes))
        });
        let read: Vec<_> = read.buffered(FETCHES_AT_ONCE).try_collect().await?;
        let mut inputs = Vec::with_capacity(read.len());
        let before = self.left_alone.len();
        for (file, bytes) in read {
            match bytes.filter(|bytes| file.is_whole(bytes)) {
                Some(bytes) => inputs.push(Input { path: file.path.clone(), bytes }),
                None => {
                    // What a merge would take from it would look sound ever after.
                    tracing::error!(
                        dataset = self.dataset,
                        file = file.path,
                        "a data file is damaged or gone"
                    );
                    self.left_alone.insert(file.path.clone());
                }
            }
        }
        Ok((self.left_alone.len() == before).then_some(inputs))
    }

    /// Replaces the files by the merged one; none if somebody else has taken one of them away.
    async fn replace(
        &self,
        table: &Table,
        run: &[Arc<DataFile>],
        merged: Merged,
    ) -> Result<Option<Compacted>, StoreError> {
        let now = self.store.options().now();
        let date = run.first().map(|file| file.date.clone()).unwrap_or_default();
        let compacted = Compacted {
            files: run.len() as u64,
            bytes_before: run.iter().map(|file| file.bytes).sum(),
            bytes_after: merged.file.bytes.len() as u64,
            rows: merged.file.rows as u64,
            duplicates: merged.duplicates as u64,
        };
        let add = table.put(&merged.file, &date, now).await?;
        for attempt in 0..ATTEMPTS_MAX {
            let turn = table.turn().await;
            let view = table.view(self.store.since()).await?;
            match view.as_ref().map(|view| standing(view, run, &add)) {
                Some(Standing::Done) => return Ok(Some(compacted)),
                Some(Standing::Possible) => {}
                Some(Standing::TooLate) | None => {
                    // Nobody has ever seen the file, and nobody will.
                    let _ = table.objects.delete(&Path::from(add.path.as_str())).await;
                    return Ok(None);
                }
            }
            let change = Change {
                adds: vec![add.clone()],
                removes: run.to_vec(),
                columns: merged.columns.clone(),
                cause: Cause::Compact { duplicates: compacted.duplicates },
                now,
            };
            if let Outcome::Committed(version) = table.commit(view.as_ref(), change).await? {
                drop(turn);
                keep_checkpointed(table, version).await;
                return Ok(Some(compacted));
            }
            drop(turn);
            tokio::time::sleep(wait(attempt)).await;
        }
        Err(StoreError::Contended { dataset: self.dataset.clone(), attempts: ATTEMPTS_MAX })
    }

    fn leave_alone(&mut self, error: MergeError) -> Result<(), StoreError> {
        let Some(path) = error.path().map(ToOwned::to_owned) else { return Err(self.failed(error)) };
        tracing::warn!(
            dataset = self.dataset,
            error = &error as &dyn std::error::Error,
            "a data file is left alone"
        );
        self.left_alone.insert(path);
        Ok(())
    }

    fn failed(&self, why: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError::Compaction { dataset: self.dataset.clone(), source: Box::new(why) }
    }
}

/// Whether a replacement can still be committed.
enum Standing {
    /// The attempt before did succeed: the object store repeated our put and met itself.
    Done,
    Possible,
    /// One of the files is gone.
    TooLate,
}

fn standing(view: &View, run: &[Arc<DataFile>], add: &Add) -> Standing {
    if view.files.has(&add.path) {
        return Standing::Done;
    }
    let here: HashSet<&str> = view.files.iter().map(|file| file.path.as_str()).collect();
    if run.iter().all(|file| here.contains(file.path.as_str())) {
        Standing::Possible
    } else {
        Standing::TooLate
    }
}
