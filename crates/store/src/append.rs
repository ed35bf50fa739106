//! A shard's records into datasets, each event exactly once.
//!
//! Per dataset: look what stands already, write the rest as data files, look again, commit. A commit that was
//! overtaken is not forced: the table is looked at again, and what somebody else has written meanwhile is dropped.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use deltalake_core::kernel::Add;
use model::{BatchId, Event, Timestamp};
use query::Column;

use crate::day::Day;
use crate::error::StoreError;
use crate::file;
use crate::files::Files;
use crate::rows;
use crate::schema::Schema;
use crate::sequence::SequenceNumber;
use crate::slice::ShardSlice;
use crate::store::Options;
use crate::table::{Cause, Change, Outcome, Shard, Standing, Table};

/// Files that wait longer for their commit are written again: a process that slept in between must not commit what
/// vacuum may have taken for orphans. Far below vacuum's day.
const PREPARED_FOR: Duration = Duration::from_hours(1);
/// So often a commit is tried. Sixty-four writers that all commit at once need as many turns in the worst case.
pub(crate) const ATTEMPTS_MAX: usize = 100;
/// The longest wait between two attempts; the wait grows up to it, so that many writers do not stay in step.
const WAIT_MAX_MS: u64 = 200;

/// A record's part for one dataset.
pub(crate) struct Portion {
    /// The record's number in the slice.
    pub(crate) record: usize,
    pub(crate) sequence: SequenceNumber,
    pub(crate) batch: Option<BatchId>,
    pub(crate) events: Vec<Event>,
}

/// What became of one dataset's portions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) events: u64,
    pub(crate) commits: u64,
    pub(crate) bytes: u64,
    /// The records of which nothing was written.
    pub(crate) dropped: Vec<usize>,
}

/// The portions of a slice by dataset, in the shard's order.
pub(crate) fn by_dataset(slice: ShardSlice) -> BTreeMap<String, Vec<Portion>> {
    let mut portions: BTreeMap<String, Vec<Portion>> = BTreeMap::new();
    let mut records = slice.records;
    records.sort_by_key(|record| record.sequence);
    for (number, record) in records.into_iter().enumerate() {
        for event in record.events {
            let of_dataset = match portions.get_mut(&event.dataset) {
                Some(of_dataset) => of_dataset,
                None => portions.entry(event.dataset.clone()).or_default(),
            };
            match of_dataset.last_mut().filter(|portion| portion.record == number) {
                Some(portion) => portion.events.push(event),
                None => of_dataset.push(Portion {
                    record: number,
                    sequence: record.sequence,
                    batch: record.batch.clone(),
                    events: vec![event],
                }),
            }
        }
    }
    portions
}

/// Data files that are written and not yet visible.
struct Prepared {
    /// Which portions they hold.
    portions: Vec<usize>,
    adds: Vec<Add>,
    columns: Vec<Column>,
    /// When.
    at: Timestamp,
}

impl Prepared {
    /// How many events the files should have.
    fn rows(&self, portions: &[Portion]) -> u64 {
        self.portions.iter().map(|number| portions[*number].events.len() as u64).sum()
    }

    fn stands_in(&self, files: &Files) -> bool {
        self.adds.first().is_some_and(|add| files.has(&add.path))
    }
}

/// Writes one dataset's portions.
pub(crate) async fn append(
    table: &Table,
    shard: &Shard,
    portions: &[Portion],
    options: &Options,
) -> Result<Written, StoreError> {
    let now = options.now();
    let since = now.minus(options.retry_horizon);
    let batches: Vec<Option<&BatchId>> = portions.iter().map(|portion| portion.batch.as_ref()).collect();
    let Some(watermark) = portions.iter().map(|portion| portion.sequence).max() else {
        return Ok(Written::default());
    };

    let (view, standing) = table.standing(since, shard, &batches).await?;
    let schema = view.map(|view| view.schema).unwrap_or_default();
    let mut prepared = prepare(table, portions, fresh(portions, &standing), &schema, options).await?;
    for attempt in 0..ATTEMPTS_MAX {
        if prepared.portions.is_empty() {
            return Ok(written(portions, &prepared, 0));
        }
        let turn = table.turn().await;
        let (view, standing) = table.standing(since, shard, &batches).await?;
        if view.as_ref().is_some_and(|view| prepared.stands_in(&view.files)) {
            // The attempt before did succeed: the object store repeated our put and met itself.
            return Ok(written(portions, &prepared, 1));
        }
        let now_fresh = fresh(portions, &standing);
        let too_old = options.now().since(prepared.at) > PREPARED_FOR;
        if now_fresh != prepared.portions || too_old {
            drop(turn);
            // The files of before stay as orphans for vacuum: nothing is ever deleted on a guess.
            let schema = view.map(|view| view.schema).unwrap_or_default();
            prepared = prepare(table, portions, now_fresh, &schema, options).await?;
            continue;
        }
        let cause = Cause::Append {
            shard,
            watermark,
            batches: prepared.portions.iter().filter_map(|portion| batches[*portion]).collect(),
            records: prepared.portions.len(),
            rows: prepared.rows(portions),
        };
        let change = Change {
            adds: prepared.adds.clone(),
            removes: Vec::new(),
            columns: prepared.columns.clone(),
            cause,
            now: options.now(),
        };
        if let Outcome::Committed(version) = table.commit(view.as_ref(), change).await? {
            drop(turn);
            keep_checkpointed(table, version).await;
            return Ok(written(portions, &prepared, 1));
        }
        drop(turn);
        tokio::time::sleep(wait(attempt)).await;
    }
    Err(StoreError::Contended { dataset: table.dataset.clone(), attempts: ATTEMPTS_MAX })
}

/// The portions that do not stand in the table already, by number.
fn fresh(portions: &[Portion], standing: &Standing) -> Vec<usize> {
    let mut here: HashSet<&BatchId> = HashSet::new();
    portions
        .iter()
        .enumerate()
        .filter(|(number, portion)| {
            let past = standing.watermark.is_some_and(|watermark| portion.sequence <= watermark);
            let seen = standing.batches.get(*number).copied().unwrap_or(false);
            !past && !seen && portion.batch.as_ref().is_none_or(|batch| here.insert(batch))
        })
        .map(|(number, _)| number)
        .collect()
}

/// Writes the portions' events as data files: one for each UTC day, rows by namespace and time.
async fn prepare(
    table: &Table,
    portions: &[Portion],
    numbers: Vec<usize>,
    schema: &Schema,
    options: &Options,
) -> Result<Prepared, StoreError> {
    let now = options.now();
    let mut by_day: BTreeMap<Day, Vec<&Event>> = BTreeMap::new();
    for event in numbers.iter().flat_map(|number| &portions[*number].events) {
        by_day.entry(Day::of(event.timestamp)).or_default().push(event);
    }
    let mut known = schema.clone();
    let mut prepared = Prepared { portions: numbers, adds: Vec::new(), columns: Vec::new(), at: now };
    for (day, mut events) in by_day {
        let day = day.to_string();
        events.sort_by(|a, b| (&a.namespace, a.timestamp).cmp(&(&b.namespace, b.timestamp)));
        let encoded = rows::encode(&events, &known, options.columns_max, now)
            .map_err(|source| StoreError::Rows { what: table.dataset.clone(), source })?;
        known.extend(encoded.columns.iter().cloned());
        let mut writer = file::Writer::new(encoded.batch.schema(), encoded.batch.num_rows(), 0)?;
        writer.write(&encoded.batch)?;
        prepared.adds.push(table.put(&writer.finish()?, &day, now).await?);
        prepared.columns.extend(encoded.columns);
    }
    Ok(prepared)
}

fn written(portions: &[Portion], prepared: &Prepared, commits: u64) -> Written {
    let kept: HashSet<usize> = prepared.portions.iter().copied().collect();
    Written {
        events: prepared.rows(portions),
        commits,
        bytes: prepared.adds.iter().filter_map(|add| u64::try_from(add.size).ok()).sum(),
        dropped: (0..portions.len())
            .filter(|number| !kept.contains(number))
            .map(|number| portions[number].record)
            .collect(),
    }
}

/// The commit stands whatever becomes of the checkpoint, so its failure is told and not returned.
pub(crate) async fn keep_checkpointed(table: &Table, version: u64) {
    if !Table::checkpoint_is_due(version) {
        return;
    }
    if let Err(error) = table.checkpoint().await {
        tracing::warn!(dataset = table.dataset, version, %error, "a table's checkpoint could not be written");
    }
}

/// How long to wait before the next attempt.
pub(crate) fn wait(attempt: usize) -> Duration {
    let longest = u64::try_from(attempt).unwrap_or(u64::MAX).saturating_mul(10).clamp(5, WAIT_MAX_MS);
    // Any spread will do; this one needs no generator.
    let spread = uuid::Uuid::new_v4().as_u128() % u128::from(longest);
    Duration::from_millis(u64::try_from(spread).unwrap_or(longest))
}
