//! The calculations view: figures per group, and per group and bucket.

use std::collections::BTreeMap;
use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use query::sql::DataFusion;
use query::{Aggregate, Answer, Bucket, Figures, GroupFigures, GroupValue, Groups, Plan, Query, RunError};
use serde_json::Value;

use super::cell;
use super::execute::Execution;

/// Rows of a series (buckets by groups): an answer is held in memory and sent in one piece.
const SERIES_ROWS_MAX: u64 = 200_000;

/// A group's values, as a text that is the same for the same group.
type GroupId = String;

pub(super) async fn answer(
    query: &Query,
    plan: &Plan<'_>,
    execution: &mut Execution,
) -> Result<Answer, RunError> {
    let mut answer = Answer::default();
    let rows_max = query.limit.saturating_add(1);
    let batches = execution.run(&plan.aggregates(&DataFusion), rows_max).await?;
    let mut kept = read(plan, &batches, &["n", "t_first", "t_last"])?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let more = kept.len() > limit;
    kept.truncate(limit);
    if more {
        answer.notes.push(format!("there are more than {limit} groups; LIMIT shows more of them"));
    }
    answer.aggregates = kept.iter().map(|row| row.aggregate(plan)).collect();
    let wanted: Vec<Vec<GroupValue>> = kept.iter().filter(|_| more).map(|row| row.group.clone()).collect();
    if kept.is_empty() {
        return Ok(answer);
    }
    if let Some(sql) = plan.series(&DataFusion, &wanted, SERIES_ROWS_MAX + 1) {
        let batches = execution.run(&sql, SERIES_ROWS_MAX).await?;
        answer.series = series(query, plan, &batches, &kept)?;
    }
    Ok(answer)
}

/// One row of a result.
struct Row {
    group: Vec<GroupValue>,
    figures: Vec<Value>,
    /// The whole numbers that were asked for by name.
    numbers: Vec<i64>,
}

impl Row {
    fn id(&self) -> GroupId {
        format!("{:?}", self.group)
    }

    fn groups(&self, plan: &Plan) -> Groups {
        let named = plan.groups().iter().map(|group| group.label.clone());
        named.zip(self.group.iter().map(cell::group_json)).collect()
    }

    fn figures(&self, plan: &Plan, count: i64) -> Figures {
        let named = plan.figures().iter().map(|figure| figure.label.clone());
        named.zip(self.figures.iter().cloned()).chain([("_count".to_owned(), Value::from(count))]).collect()
    }

    fn aggregate(&self, plan: &Plan) -> Aggregate {
        let [count, first, last] = [0, 1, 2].map(|at| self.numbers.get(at).copied().unwrap_or(0));
        let mut values = self.figures(plan, count);
        // Without events there was no first one.
        let seen = |micros: i64| if count == 0 { Value::Null } else { Value::from(micros.div_euclid(1_000)) };
        values.insert("_firstSeen".to_owned(), seen(first));
        values.insert("_lastSeen".to_owned(), seen(last));
        Aggregate { groups: self.groups(plan), values }
    }
}

/// The rows of a result; `numbers` are the names of further columns that hold whole numbers or times.
fn read(plan: &Plan, batches: &[RecordBatch], numbers: &[&str]) -> Result<Vec<Row>, RunError> {
    let mut rows = Vec::new();
    for batch in batches {
        let groups: Vec<ArrayRef> = named(batch, "g", plan.groups().iter().map(|g| cell::layout(g.kind)))?;
        let figures: Vec<ArrayRef> = plan
            .figures()
            .iter()
            .enumerate()
            .map(|(index, _)| figure(batch, index))
            .collect::<Result<_, _>>()?;
        let numbers: Vec<ArrayRef> = numbers
            .iter()
            .map(|name| cell::column(batch, name, &DataType::Int64))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let kinds = plan.groups().iter().map(|group| group.kind);
            rows.push(Row {
                group: groups
                    .iter()
                    .zip(kinds)
                    .map(|(array, kind)| cell::group_value(array, kind, row))
                    .collect(),
                figures: figures.iter().map(|array| cell::figure_json(array, row)).collect(),
                numbers: numbers.iter().map(|array| cell::int(array, row)).collect(),
            });
        }
    }
    Ok(rows)
}

fn named(
    batch: &RecordBatch,
    prefix: &str,
    layouts: impl Iterator<Item = DataType>,
) -> Result<Vec<ArrayRef>, RunError> {
    let column = |(index, layout)| cell::column(batch, &format!("{prefix}{index}"), &layout);
    layouts.enumerate().map(column).collect()
}

/// A figure's column: counts stay whole numbers.
fn figure(batch: &RecordBatch, index: usize) -> Result<ArrayRef, RunError> {
    let name = format!("c{index}");
    let whole = batch.column_by_name(&name).is_some_and(|array| array.data_type().is_integer());
    cell::column(batch, &name, if whole { &DataType::Int64 } else { &DataType::Float64 })
}

/// Buckets in the order of time, the groups in each in the order of the aggregates.
fn series(
    query: &Query,
    plan: &Plan,
    batches: &[RecordBatch],
    kept: &[Row],
) -> Result<Vec<Bucket>, RunError> {
    let place: HashMap<GroupId, usize> =
        kept.iter().enumerate().map(|(place, row)| (row.id(), place)).collect();
    let width_ms = i64::try_from(query.granularity_ms.unwrap_or(1)).unwrap_or(i64::MAX);
    let mut buckets: BTreeMap<i64, Vec<(usize, GroupFigures)>> = BTreeMap::new();
    for row in read(plan, batches, &["n", "b"])? {
        // A group that came between the two statements cannot be: both read the same version.
        let Some(place) = place.get(&row.id()) else { continue };
        let [count, bucket] = [0, 1].map(|at| row.numbers.get(at).copied().unwrap_or(0));
        let figures = GroupFigures { groups: row.groups(plan), aggregates: row.figures(plan, count) };
        buckets.entry(bucket.saturating_mul(width_ms)).or_default().push((*place, figures));
    }
    let bucket = |(time, mut data): (i64, Vec<(usize, GroupFigures)>)| {
        data.sort_by_key(|(place, _)| *place);
        Bucket { time, data: data.into_iter().map(|(_, figures)| figures).collect() }
    };
    Ok(buckets.into_iter().map(bucket).collect())
}
