//! `POST /v1/sql`: one SELECT over datasets, beside the query language.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::query_run::Statistics;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// One SELECT; datasets are tables by their names in double quotes.
    pub sql: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SqlResponse {
    /// The columns, in order.
    pub columns: Vec<SqlColumn>,
    /// One list per row, with one value per column.
    pub rows: Vec<Vec<Value>>,
    /// What the answer cost.
    pub statistics: Statistics,
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its type, in the engine's words.
    pub r#type: String,
}
