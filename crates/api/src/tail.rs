//! `GET /v1/tail`: a page of the events that came.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What came since a cursor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TailPage {
    /// Whole events, oldest first.
    pub events: Vec<Map<String, Value>>,
    /// Where the next page begins.
    pub cursor: String,
}
