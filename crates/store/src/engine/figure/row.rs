//! Rows of a result as groups, their figures and what the events themselves say.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use query::{Aggregate, Figures, GroupFigures, GroupValue, Groups, Plan, RunError};
use serde_json::Value;

use crate::engine::cell;

/// A group's values, as a text that is the same for the same group.
pub(super) type GroupId = String;

/// One row of a result.
pub(super) struct Row {
    pub(super) group: Vec<GroupValue>,
    figures: Vec<Value>,
    /// The whole numbers that were asked for by name.
    pub(super) numbers: Vec<i64>,
}

impl Row {
    pub(super) fn id(&self) -> GroupId {
        format!("{:?}", self.group)
    }

    pub(super) fn groups(&self, plan: &Plan) -> Groups {
        let named = plan.groups().iter().map(|group| group.label.clone());
        named.zip(self.group.iter().map(cell::group_json)).collect()
    }

    pub(super) fn figures(&self, plan: &Plan, count: i64) -> Figures {
        let named = plan.figures().into_iter().map(|figure| figure.label);
        named.zip(self.figures.iter().cloned()).chain([("_count".to_owned(), Value::from(count))]).collect()
    }

    /// How many events it is of.
    pub(super) fn count(&self) -> i64 {
        self.numbers.first().copied().unwrap_or(0)
    }

    /// The number of its bucket, where the result has buckets.
    pub(super) fn bucket(&self) -> i64 {
        self.numbers.get(1).copied().unwrap_or(0)
    }

    pub(super) fn in_bucket(&self, plan: &Plan) -> GroupFigures {
        let count = self.count();
        let others = self.group.is_empty() && !plan.groups().is_empty();
        GroupFigures { groups: self.groups(plan), aggregates: self.figures(plan, count), others }
    }

    pub(super) fn aggregate(&self, plan: &Plan) -> Aggregate {
        let [count, first, last] = [0, 1, 2].map(|at| self.numbers.get(at).copied().unwrap_or(0));
        let mut values = self.figures(plan, count);
        // Without events there was no first one.
        let seen = |micros: i64| if count == 0 { Value::Null } else { Value::from(micros.div_euclid(1_000)) };
        values.insert("_firstSeen".to_owned(), seen(first));
        values.insert("_lastSeen".to_owned(), seen(last));
        Aggregate { groups: self.groups(plan), values, ..Aggregate::default() }
    }
}

/// The rows of a result, with or without its groups' columns; `numbers` are the names of further columns that hold whole
/// numbers or times.
pub(super) fn read(plan: &Plan, batches: &[RecordBatch], numbers: &[&str]) -> Result<Vec<Row>, RunError> {
    let mut rows = Vec::new();
    for batch in batches {
        // Groups taken together have no values of their own.
        let grouped = batch.column_by_name("g0").is_some();
        let layouts = plan.groups().iter().filter(|_| grouped).map(|group| cell::layout(group.kind));
        let groups: Vec<ArrayRef> = named(batch, "g", layouts)?;
        let figures: Vec<ArrayRef> =
            plan.figures().iter().map(|figure| column(batch, &figure.column)).collect::<Result<_, _>>()?;
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
fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef, RunError> {
    let whole = batch.column_by_name(name).is_some_and(|array| array.data_type().is_integer());
    cell::column(batch, name, if whole { &DataType::Int64 } else { &DataType::Float64 })
}
