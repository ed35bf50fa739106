//! Who took part in wholes: their namespaces and services, their trace, and what went wrong anywhere in them.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::DataType;
use query::{Plan, RunError};

use super::super::cell;
use super::super::execute::Execution;

/// By the whole's id.
#[derive(Debug, Default)]
pub(super) struct Members(HashMap<String, Member>);

#[derive(Debug, Default)]
struct Member {
    namespaces: BTreeSet<String>,
    services: BTreeSet<String>,
    traces: BTreeSet<String>,
    errors: BTreeSet<String>,
}

impl Members {
    /// Of these wholes; more than `rows_max` rows of namespaces and services are an error.
    pub(super) async fn read(
        plan: &Plan<'_>,
        ids: &[String],
        rows_max: u64,
        execution: &mut Execution,
    ) -> Result<Self, RunError> {
        let mut members = Self::default();
        let Some(sql) = plan.whole_members(execution.dialect(), ids) else { return Ok(members) };
        for batch in execution.run(&sql, rows_max).await? {
            let column = |name| cell::column(&batch, name, &DataType::Utf8);
            let ids = column("i")?;
            let columns = [column("namespace")?, column("service")?, column("trace")?, column("error")?];
            for row in 0..batch.num_rows() {
                let member = members.0.entry(ids.as_string::<i32>().value(row).to_owned()).or_default();
                let sets =
                    [&mut member.namespaces, &mut member.services, &mut member.traces, &mut member.errors];
                for (set, column) in sets.into_iter().zip(&columns) {
                    let text = if column.is_null(row) { "" } else { column.as_string::<i32>().value(row) };
                    set.extend((!text.is_empty()).then(|| text.to_owned()));
                }
            }
        }
        Ok(members)
    }

    pub(super) fn namespaces(&self, id: &str) -> Vec<String> {
        self.0.get(id).into_iter().flat_map(|member| member.namespaces.iter().cloned()).collect()
    }

    pub(super) fn services(&self, id: &str) -> Vec<String> {
        self.0.get(id).into_iter().flat_map(|member| member.services.iter().cloned()).collect()
    }

    /// The first by its digits, if a request has several.
    pub(super) fn trace(&self, id: &str) -> Option<String> {
        self.0.get(id)?.traces.first().cloned()
    }

    /// The first by its letters, if several things went wrong.
    pub(super) fn error(&self, id: &str) -> Option<String> {
        self.0.get(id)?.errors.first().cloned()
    }
}
