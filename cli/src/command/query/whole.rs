//! Requests, invocations and traces as rows of a table: what a person looks at first; `--format json` has all facts.

use api::QueryData;
use serde_json::{Map, Value};

use crate::render::number::{cell, duration};
use crate::render::table::{Align, Table};

/// A column: its heading, the fact in it, and how that is shown.
type Column = (&'static str, &'static str, Shown);

/// How a fact is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Text,
    Number,
    /// Milliseconds, in the unit that fits.
    Duration,
    /// Megabytes.
    Memory,
    /// A mark where it is true.
    Mark,
}

const REQUESTS: [Column; 11] = [
    ("start", "start", Shown::Text),
    ("duration", "duration", Shown::Duration),
    ("status", "status", Shown::Text),
    ("namespaces", "namespaces", Shown::Text),
    ("logs", "logs", Shown::Number),
    ("errors", "errors", Shown::Number),
    ("cold", "coldStart", Shown::Mark),
    ("billed", "billedDuration", Shown::Duration),
    ("memory", "maxMemoryUsed", Shown::Memory),
    ("error", "error", Shown::Text),
    ("request", "requestId", Shown::Text),
];

const INVOCATIONS: [Column; 11] = [
    ("start", "start", Shown::Text),
    ("duration", "duration", Shown::Duration),
    ("status", "status", Shown::Text),
    ("namespace", "namespace", Shown::Text),
    ("cold", "coldStart", Shown::Mark),
    ("init", "initDuration", Shown::Duration),
    ("billed", "billedDuration", Shown::Duration),
    ("memory", "maxMemoryUsed", Shown::Memory),
    ("of", "memorySize", Shown::Memory),
    ("error", "error", Shown::Text),
    ("request", "requestId", Shown::Text),
];

const TRACES: [Column; 9] = [
    ("start", "start", Shown::Text),
    ("duration", "duration", Shown::Duration),
    ("root", "name", Shown::Text),
    ("services", "services", Shown::Text),
    ("spans", "spans", Shown::Number),
    ("logs", "logs", Shown::Number),
    ("errors", "errors", Shown::Number),
    ("status", "status", Shown::Text),
    ("trace", "traceId", Shown::Text),
];

/// The rows of whichever view was asked for, and how many there are; none if it was another.
pub(super) fn rows(data: &QueryData) -> Option<(&'static str, &[Map<String, Value>])> {
    let views = [("request", &data.requests), ("invocation", &data.invocations), ("trace", &data.traces)];
    views.into_iter().find(|(_, rows)| !rows.is_empty()).map(|(name, rows)| (name, rows.as_slice()))
}

/// The rows as a table; none if the answer has none.
pub(super) fn table(data: &QueryData) -> Option<Table> {
    let (name, rows) = rows(data)?;
    let columns: &[Column] = match name {
        "request" => &REQUESTS,
        "invocation" => &INVOCATIONS,
        _ => &TRACES,
    };
    let mut table = Table::new();
    for (heading, _, shown) in columns {
        let align = if matches!(shown, Shown::Text | Shown::Mark) { Align::Left } else { Align::Right };
        table = table.column(*heading, align);
    }
    for row in rows {
        let cells = columns.iter().map(|(_, fact, how)| how.cell(row.get(*fact).unwrap_or(&Value::Null)));
        table.row(cells.collect());
    }
    Some(table)
}

impl Shown {
    fn cell(self, value: &Value) -> String {
        let number = value.as_f64();
        match (self, value, number) {
            (Self::Text, Value::Array(items), _) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
            (Self::Text, Value::Null, _) => String::new(),
            (Self::Duration, _, Some(ms)) => duration(ms),
            (Self::Memory, _, Some(megabytes)) => format!("{megabytes} MB"),
            (Self::Mark, Value::Bool(true), _) => "yes".to_owned(),
            (Self::Mark, _, _) => String::new(),
            _ => cell(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::Paint;
    use serde_json::json;

    #[test]
    fn a_request_is_one_row_with_its_report() {
        let data: QueryData = serde_json::from_value(json!({"requests": [{
            "requestId": "r-1", "start": "2026-11-20T13:00:00.000Z", "duration": 1500.0, "status": "timeout",
            "namespaces": ["cart", "checkout"], "logs": 12, "errors": 1, "coldStart": true,
            "billedDuration": 1501, "maxMemoryUsed": 81, "error": null,
        }]}))
        .unwrap();
        let drawn = table(&data).unwrap().draw(200, Paint::none());
        let line = drawn.lines().nth(1).unwrap();
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(
            cells,
            [
                "2026-11-20T13:00:00.000Z",
                "1.50 s",
                "timeout",
                "cart, checkout",
                "12",
                "1",
                "yes",
                "1.50 s",
                "81 MB",
                "r-1"
            ]
        );
        assert_eq!(rows(&QueryData::default()), None);
    }
}
