//! What came to datasets since somebody looked, commit by commit: every event once, in whatever order and however late
//! its batches came, because it is the log's entries that are counted and not times.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use deltalake_core::kernel::Action;
use query::{Answer, Order, OrderBy, Query, RunError, Timeframe};

use super::{Engine, failed};
use crate::files::{DataFile, Files};
use crate::store::{Snapshot, Store};
use crate::table::View;

/// Log entries of one look: at a commit every five seconds an hour's.
const ENTRIES_MAX: u64 = 720;
/// Events of one look, in whole commits: a look that is behind catches up in several.
const EVENTS_MAX: u64 = 10_000;

/// How far somebody has read: the version of each dataset. Written as `lambda-logs:12,otel:7`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(BTreeMap<String, u64>);

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cursor; it is as lambda-logs:12,otel:7")]
pub struct CursorError(String);

/// Why a tail cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// What came since is not kept as commits any more.
    #[error("the log of {dataset} does not go back to version {version} any more")]
    Gone {
        /// Of which dataset.
        dataset: String,
        /// The version that was read last.
        version: u64,
    },
    /// Anything that stops a query.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The new files of a dataset.
struct Came {
    snapshot: Snapshot,
    version: u64,
    events: u64,
}

impl Store {
    /// Where a tail begins that wants what comes from now on, of the datasets that a query names. One that is not there
    /// yet is followed from its first event.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tail_start(&self, query: &Query) -> Result<Cursor, RunError> {
        let mut cursor = Cursor::default();
        for name in self.tailed(query).await? {
            if let Some(view) = self.seen(&name).await? {
                cursor.0.insert(name, view.version);
            }
        }
        Ok(cursor)
    }

    /// The events of a query that came after the cursor, oldest first, and how far that is. Only conditions count:
    /// times and limits of the query do not. The same two cursors always give the same events in the same order.
    ///
    /// # Errors
    /// When the log does not reach back to the cursor, and whatever stops a query.
    pub async fn tail(
        &self,
        query: &Query,
        after: &Cursor,
        until: Option<&Cursor>,
    ) -> Result<(Answer, Cursor), TailError> {
        let mut reached = after.clone();
        let mut came = Vec::new();
        for name in self.tailed(query).await? {
            let last = until.map(|until| until.0.get(&name).copied());
            if last == Some(None) {
                continue;
            }
            if let Some(new) = self.came(&name, after.0.get(&name).copied(), last.flatten()).await? {
                reached.0.insert(name, new.version);
                came.push(new);
            }
        }
        let events: u64 = came.iter().map(|new| new.events).sum();
        let snapshots: Vec<Snapshot> =
            came.into_iter().filter(|new| new.events > 0).map(|new| new.snapshot).collect();
        if snapshots.is_empty() {
            return Ok((Answer::default(), reached));
        }
        let engine: &Engine = self.engine();
        Ok((engine.answer(&of_all_time(query, &snapshots, events), &snapshots).await?, reached))
    }

    async fn tailed(&self, query: &Query) -> Result<Vec<String>, RunError> {
        let all = query.datasets.iter().any(|name| name == Query::ALL_DATASETS);
        if all {
            self.datasets()
                .await
                .map(|all| all.into_iter().map(|dataset| dataset.name).collect())
                .map_err(failed)
        } else {
            Ok(query.datasets.clone())
        }
    }

    async fn seen(&self, dataset: &str) -> Result<Option<View>, RunError> {
        self.table(dataset).map_err(failed)?.view(self.since()).await.map_err(failed)
    }

    /// What came to a dataset after a version (none: ever), up to another one if it is given; none if it is not there.
    async fn came(
        &self,
        dataset: &str,
        after: Option<u64>,
        until: Option<u64>,
    ) -> Result<Option<Came>, TailError> {
        let Some(view) = self.seen(dataset).await? else { return Ok(None) };
        let table = self.table(dataset).map_err(failed)?;
        let first = after.map_or(0, |after| after + 1);
        let last = until.unwrap_or(view.version).min(view.version).min(first.saturating_add(ENTRIES_MAX));
        let (mut files, mut events, mut version) = (Vec::new(), 0, after.unwrap_or(0));
        for entry in first..=last {
            let actions = table.entry(entry).await.map_err(failed)?;
            let Some(actions) = actions else {
                return Err(TailError::Gone { dataset: dataset.to_owned(), version: after.unwrap_or(0) });
            };
            let new = new_files(&actions);
            let count: u64 = new.iter().map(|file| file.statistics.num_records.unwrap_or(0)).sum();
            // Whole commits, at least one; where the end is given, all up to it.
            if until.is_none() && events > 0 && events + count > EVENTS_MAX {
                break;
            }
            events += count;
            version = entry;
            files.extend(new);
        }
        let files: Arc<Files> = Arc::new(files.into_iter().collect());
        Ok(Some(Came { snapshot: self.part(dataset, &view, &files), version, events }))
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

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (dataset, version)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{dataset}:{version}")?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let wrong = || CursorError(text.chars().take(100).collect());
        let parts = text.split(',').filter(|part| !part.is_empty());
        let part = |part: &str| {
            let (dataset, version) = part.rsplit_once(':')?;
            Some((dataset.to_owned(), version.parse().ok()?))
        };
        parts.map(|text| part(text).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }
}
