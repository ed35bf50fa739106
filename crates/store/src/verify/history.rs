//! A table's log from its first entry on, replayed naively: does it tell of the files that the table has?

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use deltalake_core::kernel::{Action, CommitInfo};
use futures::TryStreamExt;
use model::{BatchId, Timestamp};
use object_store::path::Path;

use super::Fault;
use crate::error::StoreError;
use crate::files::DataFile;
use crate::table::{Table, Told, View, told};

/// What the log tells.
pub(super) struct Story {
    pub(super) first_entry: u64,
    /// Whether events were taken out, by retention or by another program, as far as the log goes back.
    pub(super) events_went: bool,
}

/// What is known after some entries.
#[derive(Default)]
struct Replay {
    /// Rows of each file that was ever there; none: its commit does not say.
    rows: HashMap<String, Option<u64>>,
    files: BTreeSet<String>,
    batches: HashMap<BatchId, (u64, Timestamp)>,
    events_went: bool,
}

pub(super) async fn replay(
    table: &Table,
    view: &View,
    retry_horizon: Duration,
    faults: &mut Vec<Fault>,
) -> Result<Story, StoreError> {
    let first_entry = first_entry(table).await?.unwrap_or(view.version);
    let mut replay = Replay::default();
    for version in first_entry..=view.version {
        let entry = table.entry(version).await.map_err(|source| table.failed("reading its log", source))?;
        match entry {
            Some(actions) => replay.apply(table, version, actions, retry_horizon, faults),
            None => faults.push(Fault::LogGap { dataset: table.dataset.clone(), version }),
        }
    }
    if first_entry == 0 {
        let now: BTreeSet<String> = view.files.iter().map(|file| file.path.clone()).collect();
        faults.extend(
            replay
                .files
                .symmetric_difference(&now)
                .map(|path| Fault::Story { dataset: table.dataset.clone(), path: path.clone() }),
        );
    }
    Ok(Story { first_entry, events_went: replay.events_went || first_entry > 0 })
}

/// The oldest entry that cleaning has left.
async fn first_entry(table: &Table) -> Result<Option<u64>, StoreError> {
    let log = Path::from("_delta_log");
    let failed =
        |source| StoreError::Storage { doing: format!("listing the log of {}", table.dataset), source };
    let objects: Vec<_> = table.objects.list(Some(&log)).try_collect().await.map_err(failed)?;
    let number = |name: &str| name.strip_suffix(".json")?.parse().ok();
    Ok(objects.iter().filter_map(|object| number(object.location.filename()?)).min())
}

impl Replay {
    fn apply(
        &mut self,
        table: &Table,
        version: u64,
        actions: Vec<Action>,
        retry_horizon: Duration,
        faults: &mut Vec<Fault>,
    ) {
        let (mut added, mut removed, mut data_went) = (Some(0), Some(0), false);
        let mut info = CommitInfo::default();
        for action in actions {
            match action {
                Action::Add(add) => {
                    let file = DataFile::of_add(&add);
                    let rows = file.statistics.num_records;
                    added = added.zip(rows).map(|(sum, rows)| sum + rows);
                    self.files.insert(file.path.clone());
                    self.rows.insert(file.path, rows);
                }
                Action::Remove(remove) => {
                    data_went |= remove.data_change;
                    let rows = self.rows.get(&remove.path).copied().flatten();
                    removed = removed.zip(rows).map(|(sum, rows)| sum + rows);
                    self.files.remove(&remove.path);
                }
                Action::CommitInfo(found) => info = found,
                _ => {}
            }
        }
        self.events_went |= data_went;
        let told = told(&info);
        if let Some(why) = contradiction(&told, added, removed) {
            faults.push(Fault::Commit { dataset: table.dataset.clone(), version, why });
        }
        self.batches(table, version, told, &info, retry_horizon, faults);
    }

    fn batches(
        &mut self,
        table: &Table,
        version: u64,
        told: Told,
        info: &CommitInfo,
        retry_horizon: Duration,
        faults: &mut Vec<Fault>,
    ) {
        let at = Timestamp::from_millis(info.timestamp.unwrap_or(0));
        for batch in told.batches {
            let before = self.batches.insert(batch.clone(), (version, at));
            if let Some((first, first_at)) = before
                && at.since(first_at) < retry_horizon
            {
                let (dataset, batch) = (table.dataset.clone(), batch.to_string());
                faults.push(Fault::Twice { dataset, batch, first, second: version });
            }
        }
    }
}

/// What a commit tells of its rows against what its files have; unknown counts prove nothing.
fn contradiction(told: &Told, added: Option<u64>, removed: Option<u64>) -> Option<String> {
    if let (Some(rows), Some(added)) = (told.rows, added)
        && rows != added
    {
        return Some(format!("{rows} events were appended, the files have {added} rows"));
    }
    let (duplicates, added, removed) = (told.duplicates?, added?, removed?);
    (added + duplicates != removed)
        .then(|| format!("{removed} rows were compacted into {added}, and {duplicates} of them stood twice"))
}
