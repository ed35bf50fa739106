//! `POST /v1/query`: the answer, in the shape of the reference's query engine (`{message, data: {…}}`). The request is
//! read by [`query::from_json`], which takes all of its forms; there is no second reading of it here.

use query::{Answer, Whole};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::heatmap::Heatmap;

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryResponse {
    /// For people.
    pub message: String,
    /// The answer itself.
    pub data: QueryData,
}

/// `GET /v1/query-runs`: answers that were kept, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryRuns {
    /// One per answer.
    pub query_runs: Vec<KeptRun>,
    /// The cursor of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An answer that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRun {
    /// The run's id.
    pub id: String,
    /// Where the answer is, below the API's address.
    pub url: String,
    /// Since when it is kept, RFC 3339.
    pub kept_at: String,
    /// How long it is.
    pub bytes: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryData {
    /// Figures; empty in the events view.
    pub calculations: Calculations,
    /// What was run.
    pub query_run: QueryRun,
    /// Whole events, each `{"$limelight": {envelope}, "message": …, …}`; empty in the calculations view.
    pub events: Vec<Map<String, Value>>,
    /// The requests view: one object for each, with the facts that the language names. As in the two that follow, in
    /// the order asked for, and empty in every other view.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Map<String, Value>>,
    /// The invocations view.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invocations: Vec<Map<String, Value>>,
    /// The traces view.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<Map<String, Value>>,
    /// What was drawn against time, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heatmap: Option<Heatmap>,
    /// The keys that the datasets have.
    pub fields: Vec<Field>,
    /// What the answer cost.
    pub statistics: Statistics,
    /// What a reader should know: unknown keys, more groups than shown.
    pub notes: Vec<String>,
    /// How the answer came about, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Explanation {
    /// The query with everything that was not said, as text.
    pub query: String,
    /// What the engine was asked, in order.
    pub statements: Vec<Statement>,
}

/// One question to the engine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Statement {
    /// In the engine's SQL.
    pub sql: String,
    /// The engine's plan, one operator a line, with what each did.
    pub plan: Vec<String>,
    /// Rows that came back.
    pub rows: u64,
    /// How long it took, milliseconds.
    #[serde(rename = "elapsed")]
    pub elapsed_ms: u64,
}

/// Figures over the whole time, and step by step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Calculations {
    /// One per group, in the order asked for.
    pub aggregates: Vec<Aggregate>,
    /// Buckets in the order of time; a bucket without events is not there and plots as 0.
    pub series: Vec<Bucket>,
    /// The series of the earlier time that was compared with; its buckets have the times of those that they stand
    /// beside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<Bucket>,
}

/// One group's figures over the whole time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Aggregate {
    /// Which group: its keys' values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Map<String, Value>,
    /// Figures by label; with `_count`, `_firstSeen`, `_lastSeen`.
    pub values: Map<String, Value>,
    /// Its figures in the earlier time that was compared with, if it had events then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Map<String, Value>>,
    /// Whether this is not one group but all that are not shown, taken together.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub others: bool,
}

/// One step of the time series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// Its beginning, milliseconds since the epoch.
    pub time: i64,
    /// The groups that have events in it.
    pub data: Vec<GroupFigures>,
}

/// One group's figures in one step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupFigures {
    /// Which group.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Map<String, Value>,
    /// Figures by label; with `_count`.
    pub aggregates: Map<String, Value>,
    /// Whether this is all groups that are not shown, taken together.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub others: bool,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryRun {
    /// Its name, by which it is stopped (`DELETE /v1/query-runs/{id}`) and found again if it is kept.
    pub id: String,
    /// `COMPLETED` of an answer: a query that fails answers with a problem. Of one that has none yet `STARTED`, after
    /// `DELETE` `CANCELLED`, `CANCELLING` (in another process) or `DELETED`.
    pub status: String,
    /// Where the answer is kept, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The query as text, with everything that was not said.
    pub query: String,
    /// The time that was looked at.
    pub timeframe: Timeframe,
    /// The width of a bucket, milliseconds; null without a series.
    pub granularity: Option<u64>,
    /// The datasets that were read.
    pub datasets: Vec<String>,
}

/// From (inside) and to (outside), milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeframe {
    /// The first millisecond that counts.
    pub from: i64,
    /// The first one that does not.
    pub to: i64,
}

/// A key of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// As a query names it.
    pub name: String,
    /// `string`, `number`, `boolean` or `json`.
    pub r#type: String,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Statistics {
    /// From the request to its answer, milliseconds.
    #[serde(rename = "elapsed")]
    pub elapsed_ms: u64,
    /// Rows that came out of the files.
    pub rows_read: u64,
    /// Bytes read from the object store.
    pub bytes_read: u64,
    /// Data files opened.
    pub files_read: u64,
    /// Data files that statistics ruled out.
    pub files_skipped: u64,
}

impl QueryResponse {
    /// The answer to `query`, as it goes over HTTP.
    pub fn new(query: &query::Query, answer: Answer) -> Self {
        let run = QueryRun {
            id: String::new(),
            status: "COMPLETED".to_owned(),
            url: None,
            query: query.to_string(),
            timeframe: Timeframe {
                from: query.timeframe.from.as_millis(),
                to: query.timeframe.to.as_millis(),
            },
            granularity: query.granularity_ms,
            datasets: query.datasets.clone(),
        };
        Self { message: "Query completed".to_owned(), data: QueryData::new(run, query.view.whole(), answer) }
    }
}

impl QueryData {
    fn new(query_run: QueryRun, whole: Option<Whole>, answer: Answer) -> Self {
        let Answer { aggregates, series, events, mut wholes, heatmap, .. } = answer;
        let Answer { fields, statistics, notes, previous, explanation, .. } = answer;
        let mut of = |wanted| if whole == Some(wanted) { std::mem::take(&mut wholes) } else { Vec::new() };
        Self {
            calculations: Calculations {
                aggregates: aggregates.into_iter().map(Aggregate::from).collect(),
                series: series.into_iter().map(Bucket::from).collect(),
                previous: previous.into_iter().map(Bucket::from).collect(),
            },
            query_run,
            requests: of(Whole::Request),
            invocations: of(Whole::Invocation),
            traces: of(Whole::Trace),
            heatmap: heatmap.map(Heatmap::from),
            events,
            fields: fields.into_iter().map(Field::from).collect(),
            statistics: statistics.into(),
            notes,
            explanation: explanation.map(Explanation::from),
        }
    }
}

impl From<query::Aggregate> for Aggregate {
    fn from(aggregate: query::Aggregate) -> Self {
        let query::Aggregate { groups, values, previous, others } = aggregate;
        Self { groups, values, previous, others }
    }
}

impl From<query::Explanation> for Explanation {
    fn from(explanation: query::Explanation) -> Self {
        let statement = |one: query::Statement| Statement {
            sql: one.sql,
            plan: one.plan,
            rows: one.rows,
            elapsed_ms: one.elapsed_ms,
        };
        let statements = explanation.statements.into_iter().map(statement).collect();
        Self { query: explanation.query, statements }
    }
}

impl From<query::Bucket> for Bucket {
    fn from(bucket: query::Bucket) -> Self {
        Self { time: bucket.time, data: bucket.data.into_iter().map(GroupFigures::from).collect() }
    }
}

impl From<query::GroupFigures> for GroupFigures {
    fn from(figures: query::GroupFigures) -> Self {
        Self { groups: figures.groups, aggregates: figures.aggregates, others: figures.others }
    }
}

impl From<query::Field> for Field {
    fn from(field: query::Field) -> Self {
        Self { name: field.name, r#type: field.r#type.to_owned() }
    }
}

impl From<query::Statistics> for Statistics {
    fn from(statistics: query::Statistics) -> Self {
        Self {
            elapsed_ms: statistics.elapsed_ms,
            rows_read: statistics.rows_read,
            bytes_read: statistics.bytes_read,
            files_read: statistics.files_read,
            files_skipped: statistics.files_skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use query::{Query, Timeframe as Frame};
    use serde_json::json;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_answer_has_the_references_shape_and_survives_it() {
        let frame =
            Frame { from: model::Timestamp::from_millis(60_000), to: model::Timestamp::from_millis(120_000) };
        let query = Query { granularity_ms: Some(60_000), ..Query::events("lambda-logs", frame) };
        let answer = Answer {
            aggregates: vec![query::Aggregate {
                values: map(&json!({"COUNT": 2, "_count": 2})),
                ..Default::default()
            }],
            series: vec![query::Bucket {
                time: 60_000,
                data: vec![query::GroupFigures {
                    groups: map(&json!({"$limelight.namespace": "checkout"})),
                    aggregates: map(&json!({"COUNT": 2, "_count": 2})),
                    others: false,
                }],
            }],
            notes: vec!["no event has the key nope".into()],
            ..Answer::default()
        };
        let response = QueryResponse::new(&query, answer);
        let text = serde_json::to_string(&response).unwrap();
        assert_eq!(serde_json::from_str::<QueryResponse>(&text).unwrap(), response);
        insta::assert_snapshot!(text, @r#"{"message":"Query completed","data":{"calculations":{"aggregates":[{"values":{"COUNT":2,"_count":2}}],"series":[{"time":60000,"data":[{"groups":{"$limelight.namespace":"checkout"},"aggregates":{"COUNT":2,"_count":2}}]}]},"queryRun":{"id":"","status":"COMPLETED","query":"FROM lambda-logs LIMIT 100 BETWEEN 1970-01-01T00:01:00.000Z AND 1970-01-01T00:02:00.000Z EVERY 1m","timeframe":{"from":60000,"to":120000},"granularity":60000,"datasets":["lambda-logs"]},"events":[],"fields":[],"statistics":{"elapsed":0,"rows_read":0,"bytes_read":0,"files_read":0,"files_skipped":0},"notes":["no event has the key nope"]}}"#);
    }
}
