//! The events view, in two phases: which events come first (two narrow columns of all that match, and their places), then
//! everything of those. A table may have a thousand columns, and decoding them for rows that are not shown is most of
//! the time.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use model::Timestamp;
use query::sql::DataFusion;
use query::{Answer, Order, Plan, Query, RunError, Timeframe};
use serde_json::{Map, Value};

use super::execute::Execution;
use super::{cell, failed};
use crate::rows::{event_to_json, rebuild};
use crate::scan::{FILE, ROW};
use crate::store::Snapshot;

/// Some engines see milliseconds of times where tables have microseconds: an event is that near to what they say.
const PRECISION_US: i64 = 1_000;

/// Where an event stands in the answer's order, and on the disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time_us: i64,
    id: String,
    table: usize,
    file: usize,
    row: u64,
}

pub(super) async fn answer(
    query: &Query,
    plan: &Plan<'_>,
    snapshots: &[Snapshot],
    execution: &mut Execution,
) -> Result<Answer, RunError> {
    let places = first_places(query, plan, execution).await?;
    let mut by_file: BTreeMap<(usize, usize), Vec<(u64, usize)>> = BTreeMap::new();
    for (number, place) in places.iter().enumerate() {
        by_file.entry((place.table, place.file)).or_default().push((place.row, number));
    }
    let mut events: Vec<Option<Map<String, Value>>> = vec![None; places.len()];
    for ((table, file), mut rows) in by_file {
        let Some(snapshot) = snapshots.get(table) else { continue };
        rows.sort_unstable();
        let whole = whole(snapshot, file, &rows, execution).await?;
        for ((_, number), event) in rows.into_iter().zip(whole) {
            events[number] = Some(event);
        }
    }
    Ok(Answer { events: events.into_iter().flatten().collect(), ..Answer::default() })
}

/// The first events of all datasets together.
async fn first_places(
    query: &Query,
    plan: &Plan<'_>,
    execution: &mut Execution,
) -> Result<Vec<Place>, RunError> {
    let mut places = Vec::new();
    for table in 0..plan.datasets().count() {
        let sql = if execution.is_elsewhere() {
            located(query, plan, table, execution).await?
        } else {
            plan.first_events(&DataFusion, table, &[FILE, ROW])
        };
        let Some(sql) = sql else { continue };
        for batch in execution.run_here(&sql, query.limit).await? {
            places.extend(read_places(&batch, table)?);
        }
    }
    places.sort();
    if query.order_by.as_ref().is_none_or(|order_by| order_by.order == Order::Descending) {
        places.reverse();
    }
    places.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    Ok(places)
}

/// Who answers elsewhere says which events come first; where these stand is looked up here, by id and time. None if
/// there are none.
async fn located(
    query: &Query,
    plan: &Plan<'_>,
    table: usize,
    execution: &mut Execution,
) -> Result<Option<String>, RunError> {
    let Some(sql) = plan.first_events(execution.dialect(), table, &[]) else { return Ok(None) };
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    for batch in execution.run(&sql, query.limit).await? {
        let found = cell::column(&batch, "id", &DataType::Utf8)?;
        ids.extend(found.as_string::<i32>().iter().flatten().map(str::to_owned));
        let found = cell::column(&batch, "timestamp", &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        times.extend(found.as_primitive::<TimestampMicrosecondType>().iter().flatten());
    }
    let frame = times.iter().min().zip(times.iter().max());
    let frame = frame.map(|(first, last)| Timeframe {
        from: Timestamp::from_micros(first.saturating_sub(PRECISION_US)),
        to: Timestamp::from_micros(last.saturating_add(PRECISION_US)),
    });
    Ok(frame.and_then(|frame| plan.these_events(&DataFusion, table, &ids, frame, &[FILE, ROW])))
}

fn read_places(batch: &RecordBatch, table: usize) -> Result<Vec<Place>, RunError> {
    let ids = cell::column(batch, "id", &DataType::Utf8)?;
    let times = cell::column(batch, "timestamp", &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let [files, rows] = [FILE, ROW].map(|column| cell::column(batch, column, &DataType::Int64));
    let (files, rows) = (files?, rows?);
    let (files, rows) = (files.as_primitive::<Int64Type>(), rows.as_primitive::<Int64Type>());
    let (ids, times) = (ids.as_string::<i32>(), times.as_primitive::<TimestampMicrosecondType>());
    let place = |row| {
        Ok(Place {
            time_us: times.value(row),
            id: ids.value(row).to_owned(),
            table,
            file: usize::try_from(files.value(row)).map_err(failed)?,
            row: u64::try_from(rows.value(row)).map_err(failed)?,
        })
    };
    (0..batch.num_rows()).map(place).collect()
}

/// Everything of the events at these rows of a file, in their order.
async fn whole(
    snapshot: &Snapshot,
    file: usize,
    rows: &[(u64, usize)],
    execution: &mut Execution,
) -> Result<Vec<Map<String, Value>>, RunError> {
    let rows: Vec<u64> = rows.iter().map(|(row, _)| *row).collect();
    let mut events = Vec::with_capacity(rows.len());
    for batch in execution.pick(snapshot, file, &rows).await? {
        let rebuilt = rebuild(&snapshot.dataset, &batch, &snapshot.columns).map_err(failed)?;
        events.extend(rebuilt.iter().map(event_to_json));
    }
    Ok(events)
}
