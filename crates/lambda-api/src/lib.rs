#![doc = include_str!("../README.md")]

pub mod runtime;
pub mod extensions;
pub mod telemetry;

/// Where an extension or a runtime reaches the three APIs: `host:port`, set by the platform.
pub const RUNTIME_API_VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

/// How AWS answers a refused request of any of the three APIs (403, 400, 413, 500).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// For people.
    pub error_message: String,
    /// For programs, as `Extension.InvalidEventType`.
    pub error_type: String,
}

/// How AWS answers an accepted request that has no answer of its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StatusResponse {
    /// `OK`.
    pub status: String,
}

impl StatusResponse {
    /// The only value AWS sends.
    pub fn ok() -> Self {
        Self { status: "OK".to_owned() }
    }
}
