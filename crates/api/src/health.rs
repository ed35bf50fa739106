//! `GET /health`: whether the companion can do its work.

use serde::{Deserialize, Serialize};

/// 200 when all is well; else 503 with the same body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok` or `failing`.
    pub status: String,
    /// The companion's version.
    pub version: String,
    /// `reachable`, or what is wrong.
    pub store: String,
    /// How long the look at the store took, milliseconds.
    pub store_elapsed_ms: u64,
}
