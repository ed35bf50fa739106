//! The views of wholes: requests, invocations, traces. Which ones and their figures come first, in the order asked for;
//! then, of those that are shown alone, who took part in them and which events speak for them.

pub(super) mod head;
mod member;

use arrow::array::AsArray as _;
use arrow::datatypes::{DataType, Float64Type};
use model::Timestamp;
use query::{Answer, Fact, FactKind, Plan, Query, RunError, Whole};
use serde_json::{Map, Value};

use super::cell;
use super::execute::Execution;
use head::Heads;
use member::Members;

/// Rows of what took part in the shown wholes, and of what speaks for them: some per whole, and an answer is held in
/// memory. Far more is something else.
const ROWS_MAX: u64 = 200_000;

/// One row of the answer.
type Row = Map<String, Value>;

pub(super) async fn answer(
    query: &Query,
    plan: &Plan<'_>,
    whole: Whole,
    execution: &mut Execution,
) -> Result<Answer, RunError> {
    let mut answer = Answer::default();
    let mut found = figures(query, plan, execution).await?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    if found.len() > limit {
        found.truncate(limit);
        let name = query.view.name();
        answer.notes.push(format!("there are more than {limit} {name}; LIMIT shows more of them"));
    }
    if found.is_empty() {
        return Ok(answer);
    }
    let ids: Vec<String> = found.iter().map(|found| found.id.clone()).collect();
    let members = Members::read(plan, &ids, ROWS_MAX, execution).await?;
    let heads = Heads::read(plan, &ids, ROWS_MAX, execution).await?;
    let row = |found: &Found| found.row(whole, &Texts { members: &members, heads: &heads });
    answer.wholes = found.iter().map(row).collect();
    Ok(answer)
}

/// A whole and its figures.
struct Found {
    id: String,
    figures: Vec<(&'static str, FactKind, Option<f64>)>,
}

/// What is not a figure.
struct Texts<'a> {
    members: &'a Members,
    heads: &'a Heads,
}

async fn figures(query: &Query, plan: &Plan<'_>, execution: &mut Execution) -> Result<Vec<Found>, RunError> {
    let Some(sql) = plan.wholes(execution.dialect()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for batch in execution.run(&sql, query.limit.saturating_add(1)).await? {
        let ids = cell::column(&batch, "i", &DataType::Utf8)?;
        let mut columns = Vec::new();
        for (index, (name, kind)) in plan.whole_figures().enumerate() {
            let column = cell::column(&batch, &format!("f{index}"), &DataType::Float64)?;
            columns.push((name, kind, column));
        }
        for row in 0..batch.num_rows() {
            let figure = |(name, kind, column): &(&'static str, FactKind, arrow::array::ArrayRef)| {
                let figure = column.is_valid(row).then(|| column.as_primitive::<Float64Type>().value(row));
                (*name, *kind, figure)
            };
            let id = ids.as_string::<i32>().value(row).to_owned();
            found.push(Found { id, figures: columns.iter().map(figure).collect() });
        }
    }
    Ok(found)
}

impl Found {
    fn row(&self, whole: Whole, texts: &Texts) -> Row {
        let mut row = Row::new();
        for fact in whole.facts() {
            let figure = self.figures.iter().find(|(name, _, _)| *name == fact.name);
            let value = match figure {
                Some((_, kind, figure)) => figure_json(*kind, *figure),
                None => texts.value(whole, fact, &self.id),
            };
            insert(&mut row, fact.name, value);
        }
        row
    }
}

impl Texts<'_> {
    fn value(&self, whole: Whole, fact: &Fact, id: &str) -> Value {
        let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
        match (whole, fact.name) {
            (_, "namespaces") => self.members.namespaces(id).into(),
            (_, "services") => self.members.services(id).into(),
            (Whole::Request, "requestId") | (Whole::Trace, "traceId") => id.into(),
            // Without a span it is known by its request, which has a fact of its own.
            (Whole::Invocation, "spanId") => text(self.heads.is_span(id).then(|| id.to_owned())),
            (Whole::Request, "traceId") => text(self.members.trace(id)),
            (Whole::Trace, "status") => text(self.heads.first(id).and_then(|head| head.status.clone())),
            (Whole::Trace, "error") => text(self.heads.first(id).and_then(|head| head.error.clone())),
            (_, "status") => text(self.heads.outcome(id)),
            (Whole::Request, "error") => text(self.heads.error(id).or_else(|| self.members.error(id))),
            (_, "error") => text(self.heads.error(id)),
            (_, name) => text(self.heads.first(id).and_then(|head| head.text(name))),
        }
    }
}

/// A dotted name is a key inside an object.
fn insert(row: &mut Row, name: &str, value: Value) {
    match name.split_once('.') {
        None => _ = row.insert(name.to_owned(), value),
        Some((outer, inner)) => {
            let object = row.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(object) = object {
                object.insert(inner.to_owned(), value);
            }
        }
    }
}

fn figure_json(kind: FactKind, figure: Option<f64>) -> Value {
    let Some(figure) = figure else { return Value::Null };
    match kind {
        FactKind::Flag => Value::from(figure > 0.0),
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of a timestamp, which were whole")]
        FactKind::Time => Value::from(Timestamp::from_micros((figure * 1_000.0).round() as i64).to_string()),
        FactKind::Number | FactKind::Text | FactKind::Texts => cell::number_json(figure),
    }
}
