//! The events view, in two phases: which events come first (two narrow columns of all that match), then everything of
//! those. A table may have a thousand columns, and decoding them for rows that are not shown is most of the time.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use query::sql::DataFusion;
use query::{Answer, Order, Plan, Query, RunError};
use serde_json::{Map, Value};

use super::execute::Execution;
use super::{cell, failed};
use crate::rows::{event_to_json, rebuild};
use crate::store::Snapshot;

/// Where an event stands in the answer's order, and in which dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time_us: i64,
    id: String,
    table: usize,
}

pub(super) async fn answer(
    query: &Query,
    plan: &Plan<'_>,
    snapshots: &[Snapshot],
    execution: &mut Execution,
) -> Result<Answer, RunError> {
    let places = first_places(query, plan, execution).await?;
    let mut by_table: BTreeMap<usize, Vec<&Place>> = BTreeMap::new();
    for place in &places {
        by_table.entry(place.table).or_default().push(place);
    }
    let mut found: HashMap<(usize, String), Vec<Map<String, Value>>> = HashMap::new();
    for (table, places) in by_table {
        let Some(snapshot) = snapshots.get(table) else { continue };
        for (id, event) in whole(plan, snapshot, table, &places, execution).await? {
            found.entry((table, id)).or_default().push(event);
        }
    }
    let event = |place: Place| found.get_mut(&(place.table, place.id)).and_then(Vec::pop);
    Ok(Answer { events: places.into_iter().filter_map(event).collect(), ..Answer::default() })
}

/// The first events of all datasets together.
async fn first_places(
    query: &Query,
    plan: &Plan<'_>,
    execution: &mut Execution,
) -> Result<Vec<Place>, RunError> {
    let mut places = Vec::new();
    for table in 0..plan.datasets().count() {
        let Some(sql) = plan.first_events(&DataFusion, table) else { continue };
        for batch in execution.run(&sql, query.limit).await? {
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

fn read_places(batch: &RecordBatch, table: usize) -> Result<Vec<Place>, RunError> {
    let ids = cell::column(batch, "id", &DataType::Utf8)?;
    let times = cell::column(batch, "timestamp", &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let (ids, times) = (ids.as_string::<i32>(), times.as_primitive::<TimestampMicrosecondType>());
    let place = |row| Place { time_us: times.value(row), id: ids.value(row).to_owned(), table };
    Ok((0..batch.num_rows()).map(place).collect())
}

/// Everything of a dataset's events at these places.
async fn whole(
    plan: &Plan<'_>,
    snapshot: &Snapshot,
    table: usize,
    places: &[&Place],
    execution: &mut Execution,
) -> Result<Vec<(String, Map<String, Value>)>, RunError> {
    let ids: Vec<String> = places.iter().map(|place| place.id.clone()).collect();
    let times = places.iter().map(|place| place.time_us);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(Vec::new()) };
    let Some(sql) = plan.whole_events(&DataFusion, table, &ids, (first, last)) else { return Ok(Vec::new()) };
    // An id names one event. A table may hold one twice until compaction; many times over is something else.
    let rows_max = (places.len() as u64).saturating_mul(10);
    let mut events = Vec::new();
    for batch in execution.run(&sql, rows_max).await? {
        let rebuilt = rebuild(&snapshot.dataset, &batch, &snapshot.columns).map_err(failed)?;
        events.extend(rebuilt.iter().map(|event| (event.id.as_str().to_owned(), event_to_json(event))));
    }
    Ok(events)
}
