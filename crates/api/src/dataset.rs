//! `GET /v1/datasets`: what there is to ask.

use serde::{Deserialize, Serialize};

/// Datasets, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Datasets {
    /// One per table.
    pub datasets: Vec<Dataset>,
    /// The cursor of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// As a query names it.
    pub name: String,
    /// How many events.
    pub events: u64,
    /// Bytes of its data files.
    pub bytes: u64,
    /// How many data files.
    pub files: u64,
    /// The earliest event, RFC 3339; null if not known.
    pub from: Option<String>,
    /// The latest event, RFC 3339; null if not known.
    pub to: Option<String>,
    /// The table's version: grows with every commit.
    pub version: i64,
}
