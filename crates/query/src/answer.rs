//! What comes back. Serialized, the parts have the shape of the reference's query engine.

use serde::Serialize;
use serde_json::{Map, Value};

/// The values of the group keys, by key as written; null where the events do not have the key. Empty without groups.
pub type Groups = Map<String, Value>;

/// Figures by label (alias, else `P99(@duration)`): numbers, or null where there was nothing to work out. Beside them
/// `_count`, and in aggregates `_firstSeen` and `_lastSeen` (milliseconds since the epoch).
pub type Figures = Map<String, Value>;

/// The answer to one query.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Answer {
    /// One per group, in the order asked for; exactly one without groups. Empty in the events view.
    pub aggregates: Vec<Aggregate>,
    /// Buckets in the order of time. Only buckets (and in them groups) with events are there; the rest plots as 0.
    pub series: Vec<Bucket>,
    /// Whole events as JSON objects, newest first. Empty in the calculations view.
    pub events: Vec<Map<String, Value>>,
    /// Requests, invocations or traces, each with the facts that [`crate::Whole::facts`] names, in the order asked
    /// for. Empty in the other views.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wholes: Vec<Map<String, Value>>,
    /// What was drawn against time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heatmap: Option<HeatmapFigures>,
    /// The keys that the datasets have.
    pub fields: Vec<Field>,
    /// What the answer cost.
    pub statistics: Statistics,
    /// What a reader should know: unknown keys, more groups than shown.
    pub notes: Vec<String>,
    /// The series of the earlier time that was compared with; its buckets have the times of those that they stand
    /// beside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<Bucket>,
    /// How it came about, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// How many events each bucket of time and number has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeatmapFigures {
    /// Whose number.
    pub key: String,
    /// `linear` or `log`.
    pub scale: &'static str,
    /// How wide a bucket of the number is; on a log scale, how many times its beginning its end is.
    pub width: f64,
    /// Where each bucket of the number begins (null: below all others, without a logarithm) and ends, the lowest first.
    pub rows: Vec<(Option<f64>, f64)>,
    /// Buckets in the order of time; those without events are not there.
    pub columns: Vec<HeatmapColumn>,
}

/// One step of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeatmapColumn {
    /// Its beginning, milliseconds since the epoch; a multiple of the granularity.
    pub time: i64,
    /// How many events are in each of the rows.
    pub counts: Vec<f64>,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Explanation {
    /// The query with everything that was not said, as text.
    pub query: String,
    /// What the engine was asked, in order.
    pub statements: Vec<Statement>,
}

/// One question to the engine.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Statement {
    /// In the engine's SQL.
    pub sql: String,
    /// The engine's plan, one operator a line, with what each did.
    pub plan: Vec<String>,
    /// Rows that came back.
    pub rows: u64,
    /// How long it took, milliseconds.
    pub elapsed_ms: u64,
}

/// One group's figures over the whole timeframe.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Aggregate {
    /// Which group.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Groups,
    /// Its figures.
    pub values: Figures,
    /// Its figures in the earlier time that was compared with, if it had events then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Figures>,
    /// Whether this is not one group but all that are not shown, taken together.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub others: bool,
}

/// One step of a time series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bucket {
    /// Its beginning, milliseconds since the epoch; a multiple of the granularity.
    pub time: i64,
    /// The groups that have events in it, in the order of the aggregates.
    pub data: Vec<GroupFigures>,
}

/// One group's figures in one bucket.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct GroupFigures {
    /// Which group.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Groups,
    /// Its figures in this bucket.
    pub aggregates: Figures,
    /// Whether this is all groups that are not shown, taken together.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub others: bool,
}

/// A key of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Field {
    /// The key as a query names it.
    pub name: String,
    /// `string`, `number`, `boolean` or `json`.
    pub r#type: &'static str,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Statistics {
    /// From the start of the query to its answer, milliseconds.
    #[serde(rename = "elapsed")]
    pub elapsed_ms: u64,
    /// Rows that came out of the files, after what statistics and filters in the scan left out.
    pub rows_read: u64,
    /// Bytes read from the object store.
    pub bytes_read: u64,
    /// Data files opened.
    pub files_read: u64,
    /// Bytes of the data files that may have events of the query's time: an upper bound of what it reads, from the log
    /// alone.
    #[serde(skip)]
    pub bytes_of_time: u64,
    /// Data files of the datasets that were not opened, because their day or their statistics rule them out.
    pub files_skipped: u64,
}
