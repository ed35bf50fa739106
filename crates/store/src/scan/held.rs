//! Small files read as one: merged as compaction will merge them, and held in memory as the Parquet file that comes out.
//!
//! A data file costs a query about a millisecond whatever it holds (its footer of hundreds of columns, the plan over them),
//! and a footer takes more memory than the file. Merging costs what some questions cost, so nobody waits for it: the first
//! question reads the files one by one and notes them, and they are merged when it is answered.

use std::collections::{HashMap, VecDeque};
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
/// Runs that are noted at once have no more bytes together, as the files' own: merging more would push out what was just
/// put in.
const NOTED_BYTES_MAX: u64 = 48 << 20;
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
    /// Who has it merges, nobody beside it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// None: they cannot be merged (one is damaged, or another program's), and are read as they are.
    runs: HashMap<Name, (Option<Arc<Held>>, u64)>,
    bytes: usize,
    /// What questions would have liked to find.
    wanted: VecDeque<(Name, Place, Run)>,
    /// Grows with each look, so that the run that nobody looked at for longest is known.
    looks: u64,
}

/// Small files that can be read as one; at least one, all of one day.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) files: Vec<Arc<DataFile>>,
    /// Whether it is worth a merge; else it is only looked up.
    pub(super) wanted: bool,
}

impl Run {
    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Where files of a run are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// The table's directory.
    pub(super) below: Path,
}

impl Place {
    fn path(&self, file: &DataFile) -> Path {
        Path::from(format!("{}/{}", self.below, file.path))
    }

    fn name(&self, run: &Run) -> Name {
        run.files.iter().map(|file| self.path(file)).collect()
    }
}

impl HeldFiles {
    /// For each run the held file, if there is one. Those that are wanted and not there are noted, to be merged once
    /// the question is answered.
    pub(super) fn of(&self, place: &Place, runs: &[Run]) -> Vec<Option<Arc<Held>>> {
        let mut known = self.known();
        // The newest are asked for most, and come first.
        for run in runs.iter().rev().filter(|run| run.wanted) {
            known.want(place, run);
        }
        runs.iter().map(|run| known.look_up(&place.name(run))).collect()
    }

    /// Merges what was noted, beside whatever else goes on: on one thread, one run after the other. To be called when a
    /// question is answered, inside a runtime; who ends it loses nothing but the merge.
    pub(crate) fn begin(self: &Arc<Self>) {
        if self.known().wanted.is_empty() {
            return;
        }
        let held = self.clone();
        drop(tokio::spawn(async move {
            // Whoever has the turn sees what was noted meanwhile.
            if let Ok(turn) = held.turn.try_lock() {
                held.merge_noted().await;
                drop(turn);
            }
        }));
    }

    /// Ends when all that was noted is merged.
    #[cfg(test)]
    pub(crate) async fn settled(&self) {
        let turn = self.turn.lock().await;
        self.merge_noted().await;
        drop(turn);
    }

    async fn merge_noted(&self) {
        loop {
            // It stays noted until it is there, so that nobody notes it again.
            let Some((name, place, run)) = self.known().wanted.front().cloned() else { return };
            let held = hold(&name, &place, &run).await;
            let mut known = self.known();
            known.wanted.pop_front();
            match held {
                Ok(held) => known.keep(name, held),
                // The next question notes it again.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "small files stay apart");
                }
            }
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Whole whatever a thread that panicked was doing: at worst a sum that is too high.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Notes a run, unless it is known or too much is noted already.
    fn want(&mut self, place: &Place, run: &Run) {
        let name = place.name(run);
        let noted: u64 = self.wanted.iter().map(|(_, _, run)| run.bytes()).sum();
        let is_known = self.runs.contains_key(&name) || self.wanted.iter().any(|(noted, ..)| *noted == name);
        if !is_known && noted + run.bytes() <= NOTED_BYTES_MAX {
            self.wanted.push_back((name, place.clone(), run.clone()));
        }
    }

    fn look_up(&mut self, name: &Name) -> Option<Arc<Held>> {
        self.looks += 1;
        let now = self.looks;
        let (held, looked_at) = self.runs.get_mut(name)?;
        *looked_at = now;
        held.clone()
    }

    fn keep(&mut self, name: Name, held: Option<Arc<Held>>) {
        self.bytes += held.as_ref().map_or(0, |held| held.size());
        self.looks += 1;
        self.runs.insert(name, (held, self.looks));
        self.forget();
    }

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

/// A run as one; none if its files cannot be merged.
async fn hold(name: &Name, place: &Place, run: &Run) -> Result<Option<Arc<Held>>, Error> {
    let date = run.files.first().map(|file| file.date.clone()).unwrap_or_default();
    Ok(match fetch(place, run).await? {
        Some(inputs) => merged(name.clone(), date, inputs).await,
        None => None,
    })
}

/// The files' bytes; none if one is damaged or gone: whoever reads it for itself is told.
async fn fetch(place: &Place, run: &Run) -> Result<Option<Vec<Input>>, Error> {
    let fetched = futures::stream::iter(run.files.clone()).map(|file| async move {
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
