//! What came to datasets since somebody looked, commit by commit: every event once, in whatever order and however late
//! its batches came, because it is the log's entries that are counted and not times.
//!
//! A look is bounded in entries and in events, which its datasets share, and ends between two commits. Where it ends is a
//! function of the log alone, so that the same look can be had again.

mod cursor;

use std::sync::Arc;

use deltalake_core::kernel::Action;
use query::{Answer, Order, OrderBy, Query, RunError, Timeframe};

pub use cursor::{Cursor, CursorError};

use super::execute::FileGone;
use super::{Engine, QUERY_TIME_MAX, failed};
use crate::error::StoreError;
use crate::files::{DataFile, Files};
use crate::store::{Snapshot, Store};
use crate::table::View;

/// Log entries of one look at a dataset: at a commit every five seconds an hour's.
const ENTRIES_MAX: u64 = 720;
/// Events of one look at all datasets, in whole commits (the last may go beyond it): one that is behind catches up in
/// several. As many as a query may show.
const EVENTS_MAX: u64 = Query::LIMIT_MAX;

/// Why a tail cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// What came since is not kept as commits any more, or the dataset is another one than the one that was read.
    #[error("what came to {dataset} after version {version} is not there any more")]
    Gone {
        /// Which dataset.
        dataset: String,
        /// The version that was read last.
        version: u64,
    },
    /// A look is asked for again that never was: none that begins there ends here.
    #[error("no look at {dataset} ends at version {version}")]
    NoLook {
        /// Which dataset.
        dataset: String,
        /// Where it is said to end.
        version: u64,
    },
    /// Anything that stops a query.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// From where to where one dataset is looked at.
struct Stretch<'a> {
    dataset: &'a str,
    /// The version that was read last; none: nothing of it.
    after: Option<u64>,
    /// The version at which the look ended when it was had before.
    until: Option<u64>,
}

/// How many events may be taken.
#[derive(Clone, Copy)]
struct Room {
    /// By the whole look.
    left: u64,
    /// Of these by the next dataset. A commit that is larger is taken all the same, if it is the dataset's first.
    share: u64,
}

/// What came to a dataset.
struct Came {
    snapshot: Snapshot,
    /// The last version that is in it; none if there is none yet.
    version: Option<u64>,
    events: u64,
}

impl Store {
    /// Where a tail begins that wants what comes from now on, of the datasets that a query names. One that is not there
    /// yet is followed from its first event.
    ///
    /// # Errors
    /// When the store cannot be read, or a dataset is named that can never be.
    pub async fn tail_start(&self, query: &Query) -> Result<Cursor, RunError> {
        let mut cursor = Cursor::default();
        for name in self.names(query).await? {
            if let Some(view) = self.seen(&name).await? {
                cursor.0.insert(name, view.version);
            }
        }
        Ok(cursor)
    }

    /// The events of a query that came after the cursor, oldest first, and how far that is. Only conditions count:
    /// times and limits of the query do not. With where a look ended as `until`, it is that look again: the same
    /// events in the same order.
    ///
    /// # Errors
    /// When what came after the cursor is not there any more, when no look ends at `until`, and whatever stops a
    /// query.
    pub async fn tail(
        &self,
        query: &Query,
        after: &Cursor,
        until: Option<&Cursor>,
    ) -> Result<(Answer, Cursor), TailError> {
        // A large future: it is moved on its way to the threads of queries.
        let look = Box::pin(self.look(query, after, until));
        let looked = tokio::time::timeout(QUERY_TIME_MAX, look).await;
        looked.map_err(|_| RunError::TookTooLong { limit: QUERY_TIME_MAX })?
    }

    async fn look(
        &self,
        query: &Query,
        after: &Cursor,
        until: Option<&Cursor>,
    ) -> Result<(Answer, Cursor), TailError> {
        let mut names = self.names(query).await?;
        // What was not there when the look was had is not part of it.
        names.retain(|name| until.is_none_or(|until| until.0.contains_key(name)));
        let (mut reached, mut snapshots, mut events) = (after.clone(), Vec::new(), 0_u64);
        for (at, dataset) in names.iter().enumerate() {
            let of = |cursor: &Cursor| cursor.0.get(dataset).copied();
            let stretch = Stretch { dataset, after: of(after), until: until.and_then(of) };
            let left = EVENTS_MAX.saturating_sub(events);
            let room = Room { left, share: left / (names.len() - at) as u64 };
            let Some(came) = self.came(&stretch, room).await? else { continue };
            reached.0.extend(came.version.map(|version| (dataset.clone(), version)));
            events += came.events;
            snapshots.extend((came.events > 0).then_some(came.snapshot));
        }
        if snapshots.is_empty() {
            return Ok((Answer::default(), reached));
        }
        let engine: &Engine = self.engine();
        let answer = engine.answer(&of_all_time(query, &snapshots, events), &snapshots).await;
        Ok((answer.map_err(|error| unless_gone(error, &snapshots, after))?, reached))
    }

    async fn seen(&self, dataset: &str) -> Result<Option<View>, RunError> {
        match self.table(dataset) {
            Ok(table) => table.view(self.since()).await.map_err(failed),
            Err(StoreError::DatasetName(_)) => Err(self.unknown(dataset.to_owned()).await?),
            Err(error) => Err(failed(error)),
        }
    }

    /// What came to a dataset, as far as there is room; none if it is not there yet.
    async fn came(&self, stretch: &Stretch<'_>, room: Room) -> Result<Option<Came>, TailError> {
        let Stretch { dataset, after, until } = *stretch;
        let gone = || TailError::Gone { dataset: dataset.to_owned(), version: after.unwrap_or(0) };
        let Some(view) = self.seen(dataset).await? else {
            return if after.is_some() { Err(gone()) } else { Ok(None) };
        };
        // A table that has not come that far is not the one that was read: it was removed and made anew.
        if after.max(until) > Some(view.version) {
            return Err(gone());
        }
        let first = after.map_or(Some(0), |after| after.checked_add(1)).ok_or_else(gone)?;
        let last = until.unwrap_or(view.version).min(first.saturating_add(ENTRIES_MAX - 1));
        let table = self.table(dataset).map_err(failed)?;
        let (mut files, mut events, mut version) = (Vec::new(), 0, after);
        for entry in first..=last {
            let new = new_files(&table.entry(entry).await.map_err(failed)?.ok_or_else(gone)?);
            let count = self.rows(dataset, &view, &new).await.map_err(|error| match is_gone(&error) {
                true => gone(),
                false => error.into(),
            })?;
            let is_first = events == 0 && room.left > 0;
            if events + count > room.share && !is_first {
                break;
            }
            events += count;
            version = Some(entry);
            files.extend(new);
        }
        if let Some(until) = until.filter(|until| version != Some(*until)) {
            return Err(TailError::NoLook { dataset: dataset.to_owned(), version: until });
        }
        let files: Arc<Files> = Arc::new(files.into_iter().collect());
        Ok(Some(Came { snapshot: self.part(dataset, &view, &files), version, events }))
    }

    /// How many events files have: the log says it, or else (another program wrote them) the files do.
    async fn rows(&self, dataset: &str, view: &View, files: &[DataFile]) -> Result<u64, RunError> {
        let told: Option<u64> = files.iter().map(|file| file.statistics.num_records).sum();
        match told {
            Some(told) => Ok(told),
            None => {
                let files = Arc::new(files.iter().cloned().collect());
                self.engine().rows(&self.part(dataset, view, &files)).await
            }
        }
    }
}

/// The files of an entry that hold new events; compaction only writes old ones anew.
fn new_files(actions: &[Action]) -> Vec<DataFile> {
    let new = actions.iter().filter_map(|action| match action {
        Action::Add(add) if add.data_change => Some(DataFile::of_add(add)),
        _ => None,
    });
    new.collect()
}

fn is_gone(error: &RunError) -> bool {
    matches!(error, RunError::Failed(why) if why.is::<FileGone>())
}

/// A file that is not there was vacuumed away after compaction had put its events into another one.
fn unless_gone(error: RunError, snapshots: &[Snapshot], after: &Cursor) -> TailError {
    let path = match &error {
        RunError::Failed(why) => why.downcast_ref::<FileGone>().map(|gone| gone.path.as_str()),
        _ => None,
    };
    let of = |path| snapshots.iter().find(|snapshot| snapshot.scan.has(path)).or(snapshots.first());
    match path.and_then(of) {
        None => error.into(),
        Some(snapshot) => TailError::Gone {
            dataset: snapshot.dataset.clone(),
            version: after.0.get(&snapshot.dataset).copied().unwrap_or(0),
        },
    }
}

/// The conditions of a query, over all events of some snapshots whatever their time.
fn of_all_time(query: &Query, snapshots: &[Snapshot], events: u64) -> Query {
    let names = snapshots.iter().map(|snapshot| snapshot.dataset.clone());
    // A day after year 9999 cannot be written; no event has one.
    let all =
        Timeframe { from: model::Timestamp::EPOCH, to: model::Timestamp::from_millis(253_402_300_799_000) };
    Query {
        datasets: names.collect(),
        derived: query.derived.clone(),
        filter: query.filter.clone(),
        needle: query.needle.clone(),
        order_by: Some(OrderBy { value: "$limelight.timestamp".to_owned(), order: Order::Ascending }),
        limit: events,
        ..Query::events("", all)
    }
}
