//! `GET /v1/keys` and `GET /v1/values`: what can be asked for, for whoever completes what a person types.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The keys of datasets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Keys {
    /// One per dataset and type.
    pub keys: Vec<KeySet>,
    /// The cursor of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The keys of one type in a dataset; a key whose values have several types is in several sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeySet {
    /// The dataset.
    pub dataset: String,
    /// `string`, `number`, `boolean` or `json`.
    pub r#type: String,
    /// As a query names them, sorted.
    pub keys: Vec<String>,
}

/// The values of one key, the most frequent first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Values {
    /// The key.
    pub key: String,
    /// Its values.
    pub values: Vec<ValueCount>,
    /// Whether there are more than these.
    pub more: bool,
}

/// A value and how often it is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ValueCount {
    /// The value.
    pub value: Value,
    /// How many events of the time have it.
    pub count: u64,
}
