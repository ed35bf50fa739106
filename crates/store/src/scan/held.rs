//! Small files read as one: merged as compaction will merge them, and held in memory as the Parquet file that comes out.
//!
//! A data file costs a query about a millisecond whatever it holds (its footer of hundreds of columns, the plan over them),
//! and a footer takes more memory than the file. Merging costs what reading the footers of all costs, once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::compact::{Input, merge};
use crate::files::DataFile;
use crate::rows::Promotion;

/// Bytes of all held files of a process, with what is decoded of their footers: at 40 KB a file two hours of
/// five-second commits to one dataset. The rest of a process of 1 GB is for queries.
const HELD_BYTES_MAX: usize = 96 << 20;
/// Of these at most so many for what one scan wants, so that one that wants more does not push out what it has just
/// put in. Counted as the files' own bytes; the newest run comes first.
const SCAN_BYTES_MAX: u64 = 48 << 20;
/// Files that are fetched at once.
const FETCHES_AT_ONCE: usize = 16;

/// Files of a run, merged.
#[derive(Debug)]
pub(super) struct Held {
    /// The files that it stands for, in the object store.
    pub(super) members: Vec<Path>,
    /// The UTC day of all its events.
    pub(super) date: String,
    pub(super) bytes: Bytes,
    pub(super) footer: Arc<ParquetMetaData>,
}

impl Held {
    /// Bytes in memory.
    fn size(&self) -> usize {
        self.bytes.len() + self.footer.memory_size()
    }

    pub(super) fn rows(&self) -> usize {
        usize::try_from(self.footer.file_metadata().num_rows()).unwrap_or(0)
    }
}

/// A run is known by the paths of its files.
type Name = Vec<Path>;

/// The held files of a process.
#[derive(Debug, Default)]
pub(crate) struct HeldFiles {
    known: Mutex<Known>,
    /// One scan at a time merges: the next one finds what it has merged.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// None: they cannot be merged (one is damaged, or another program's), and are read as they are.
    runs: HashMap<Name, (Option<Arc<Held>>, u64)>,
    bytes: usize,
    /// Grows with each look, so that the run that nobody looked at for longest is known.
    looks: u64,
}

/// Where files of a run are.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) objects: &'a Arc<dyn ObjectStore>,
    /// The table's directory.
    pub(super) below: &'a Path,
}

impl Place<'_> {
    pub(super) fn path(&self, file: &DataFile) -> Path {
        Path::from(format!("{}/{}", self.below, file.path))
    }
}

impl HeldFiles {
    /// For each run (as its files; at least one) the held file, as far as there is one now or can be; and how many
    /// bytes were fetched for that. A run that is not `wanted` is only looked up.
    ///
    /// # Errors
    /// When the object store fails.
    pub(super) async fn of(
        &self,
        place: Place<'_>,
        runs: &[(Vec<Arc<DataFile>>, bool)],
    ) -> Result<(Vec<Option<Arc<Held>>>, u64), Error> {
        let all_known = |(run, wanted): &(Vec<Arc<DataFile>>, bool)| !wanted || self.is_known(place, run);
        let mut fetched = 0;
        if !runs.iter().all(all_known) {
            let _turn = self.turn.lock().await;
            fetched = self.merge_missing(place, runs).await?;
        }
        Ok((runs.iter().map(|(run, _)| self.look_up(place, run)).collect(), fetched))
    }

    async fn merge_missing(
        &self,
        place: Place<'_>,
        runs: &[(Vec<Arc<DataFile>>, bool)],
    ) -> Result<u64, Error> {
        let mut left = SCAN_BYTES_MAX;
        let mut missing = Vec::new();
        for (run, _) in runs.iter().rev().filter(|(_, wanted)| *wanted) {
            let Some(rest) = left.checked_sub(run.iter().map(|file| file.bytes).sum()) else { break };
            left = rest;
            if !self.is_known(place, run) {
                missing.push(run.clone());
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let merged = futures::stream::iter(missing).map(|run| self.hold(place, run)).buffer_unordered(cores);
        merged.try_fold(0, |sum, bytes| async move { Ok(sum + bytes) }).await
    }

    /// Merges a run; how many bytes were fetched.
    async fn hold(&self, place: Place<'_>, run: Vec<Arc<DataFile>>) -> Result<u64, Error> {
        let inputs = fetch(place, &run).await?;
        let fetched = inputs.iter().flatten().map(|input| input.bytes.len() as u64).sum();
        let held = match inputs {
            Some(inputs) => {
                let date = run.first().map(|file| file.date.clone()).unwrap_or_default();
                merged(name(place, &run), date, inputs).await
            }
            None => None,
        };
        self.keep(name(place, &run), held);
        Ok(fetched)
    }

    fn is_known(&self, place: Place<'_>, run: &[Arc<DataFile>]) -> bool {
        self.known().runs.contains_key(&name(place, run))
    }

    fn look_up(&self, place: Place<'_>, run: &[Arc<DataFile>]) -> Option<Arc<Held>> {
        let mut known = self.known();
        known.looks += 1;
        let now = known.looks;
        let (held, looked_at) = known.runs.get_mut(&name(place, run))?;
        *looked_at = now;
        held.clone()
    }

    fn keep(&self, name: Name, held: Option<Arc<Held>>) {
        let mut known = self.known();
        known.bytes += held.as_ref().map_or(0, |held| held.size());
        known.looks += 1;
        let now = known.looks;
        known.runs.insert(name, (held, now));
        known.forget();
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Whole whatever a thread that panicked was doing: at worst a sum that is too high.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Lets go of what nobody looked at for longest, until there is room.
    fn forget(&mut self) {
        /// Names of runs that cannot be merged are small, but not nothing.
        const RUNS_MAX: usize = 4_096;
        while self.bytes > HELD_BYTES_MAX || self.runs.len() > RUNS_MAX {
            let oldest = self.runs.iter().min_by_key(|(_, (_, looked_at))| *looked_at);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { return };
            if let Some((held, _)) = self.runs.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(held.map_or(0, |held| held.size()));
            }
        }
    }
}

fn name(place: Place<'_>, run: &[Arc<DataFile>]) -> Name {
    run.iter().map(|file| place.path(file)).collect()
}

/// The files' bytes; none if one is damaged or gone: whoever reads it for itself is told.
async fn fetch(place: Place<'_>, run: &[Arc<DataFile>]) -> Result<Option<Vec<Input>>, Error> {
    let fetched = futures::stream::iter(run.to_vec()).map(|file| async move {
        let bytes = match place.objects.get(&place.path(&file)).await {
            Ok(found) => Some(found.bytes().await?),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let bytes = bytes.filter(|bytes| file.is_whole(bytes));
        Ok(bytes.map(|bytes| Input { path: file.path.clone(), bytes }))
    });
    fetched.buffered(FETCHES_AT_ONCE).try_collect::<Vec<_>>().await.map(|inputs| inputs.into_iter().collect())
}

/// Merges on a thread that may block; none if the files cannot be merged.
async fn merged(members: Name, date: String, inputs: Vec<Input>) -> Option<Arc<Held>> {
    let work = move || {
        // No key gets a column by this: queries are planned by the table's.
        let merged = merge(inputs, Promotion::default()).inspect_err(told).ok()?;
        let footer = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
        let footer = footer.parse_and_finish(&merged.file.bytes).ok()?;
        Some(Arc::new(Held { members, date, bytes: merged.file.bytes, footer: Arc::new(footer) }))
    };
    tokio::task::spawn_blocking(work).await.ok().flatten()
}

fn told(error: &crate::compact::MergeError) {
    tracing::warn!(error = error as &dyn std::error::Error, "small files are read one by one");
}
