//! The events that speak for wholes: root spans of traces, the platform's spans and reports of what was run.

use std::collections::HashMap;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{DataType, Int64Type};
use query::plan::HEAD_COLUMNS;
use query::{Plan, RunError};

use super::super::cell;
use super::super::execute::Execution;

/// By the whole's id, in the order of time.
#[derive(Debug, Default)]
pub(in crate::engine) struct Heads(HashMap<String, Vec<Head>>);

/// What one of them says.
/// The order is that of time, and a total one: events of one time give the same answer whatever the order in which files
/// are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Head {
    time_us: i64,
    is_span: bool,
    namespace: Option<String>,
    service: Option<String>,
    name: Option<String>,
    pub(super) status: Option<String>,
    /// Lambda's word for the end.
    told: Option<String>,
    pub(super) error: Option<String>,
    trace: Option<String>,
    request: Option<String>,
}

impl Heads {
    /// Of these wholes; more than `rows_max` are an error.
    pub(in crate::engine) async fn read(
        plan: &Plan<'_>,
        ids: &[String],
        rows_max: u64,
        execution: &mut Execution,
    ) -> Result<Self, RunError> {
        let mut heads = Self::default();
        // One more than may be, so that it shows: what is cut off in silence would be a wrong answer.
        let sql = plan.whole_heads(execution.dialect(), ids, rows_max.saturating_add(1));
        let Some(sql) = sql else { return Ok(heads) };
        for batch in execution.run(&sql, rows_max).await? {
            let times = cell::column(&batch, "t", &DataType::Int64)?;
            let texts = HEAD_COLUMNS.into_iter().filter(|name| *name != "t");
            let texts = texts.map(|name| cell::column(&batch, name, &DataType::Utf8));
            let texts: Vec<ArrayRef> = texts.collect::<Result<_, _>>()?;
            for row in 0..batch.num_rows() {
                let time_us = times.as_primitive::<Int64Type>().value(row);
                let (id, head) = Head::of(time_us, texts.iter().map(|column| text(column, row)));
                heads.0.entry(id.unwrap_or_default()).or_default().push(head);
            }
        }
        heads.0.values_mut().for_each(|of_one| of_one.sort());
        Ok(heads)
    }

    /// The first span, or whatever there is.
    pub(in crate::engine) fn first(&self, id: &str) -> Option<&Head> {
        let heads = self.0.get(id)?;
        heads.iter().find(|head| head.is_span).or_else(|| heads.first())
    }

    pub(super) fn is_span(&self, id: &str) -> bool {
        self.first(id).is_some_and(|head| head.request.as_deref() != Some(id))
    }

    /// How the last run ended: `ok`, `error` or `timeout`.
    pub(super) fn outcome(&self, id: &str) -> Option<String> {
        let told = self.last_first(id).find_map(|head| Some(outcome(head.told.as_deref()?)));
        told.or_else(|| self.last_first(id).find_map(|head| head.status.as_deref())).map(str::to_owned)
    }

    /// What went wrong with the last run.
    pub(super) fn error(&self, id: &str) -> Option<String> {
        self.last_first(id).find_map(|head| head.error.clone())
    }

    /// The last run's span, then what else speaks, the latest first.
    fn last_first(&self, id: &str) -> impl Iterator<Item = &Head> {
        let heads = self.0.get(id).map(Vec::as_slice).unwrap_or_default();
        let spans = heads.iter().rev().filter(|head| head.is_span);
        spans.chain(heads.iter().rev().filter(|head| !head.is_span))
    }
}

impl Head {
    /// The texts in the order of the columns, without the time: first the id of its whole, which is given back.
    fn of(time_us: i64, mut texts: impl Iterator<Item = Option<String>>) -> (Option<String>, Self) {
        let mut next = || texts.next().flatten();
        let id = next();
        let is_span = next().as_deref() == Some("span");
        let head = Self {
            time_us,
            is_span,
            namespace: next(),
            service: next(),
            name: next(),
            status: next(),
            told: next(),
            error: next(),
            trace: next(),
            request: next(),
        };
        (id, head)
    }

    /// A fact by its name.
    pub(super) fn text(&self, fact: &str) -> Option<String> {
        match fact {
            "namespace" => self.namespace.clone(),
            "service" => self.service.clone(),
            "name" => self.name.clone(),
            "traceId" => self.trace.clone(),
            "requestId" => self.request.clone(),
            _ => None,
        }
    }
}

/// Lambda's word in ours.
fn outcome(told: &str) -> &str {
    match told {
        "success" => "ok",
        "failure" => "error",
        told => told,
    }
}

fn text(column: &ArrayRef, row: usize) -> Option<String> {
    (!column.is_null(row)).then(|| column.as_string::<i32>().value(row).to_owned())
}
