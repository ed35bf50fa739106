//! Errors in the words of Kinesis, so that any SDK raises the exception that it would raise in AWS.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::stream::journal::JournalError;

/// An error answer: `{"__type": …, "message": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    kind: &'static str,
    message: String,
}

impl Fault {
    /// A request that breaks a rule of its shape.
    pub fn validation(message: impl Into<String>) -> Self {
        Self { kind: "ValidationException", message: message.into() }
    }

    /// A request that breaks another rule.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { kind: "InvalidArgumentException", message: message.into() }
    }

    /// A stream or shard that is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { kind: "ResourceNotFoundException", message: message.into() }
    }

    /// A body that is not the JSON it should be.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self { kind: "SerializationException", message: message.into() }
    }

    /// Too much; the producer tries again later.
    pub fn throttled(message: impl Into<String>) -> Self {
        Self { kind: "ProvisionedThroughputExceededException", message: message.into() }
    }

    /// Ours to answer for; the producer tries again.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { kind: "InternalFailure", message: message.into() }
    }

    /// An operation that is not offered.
    pub fn unknown_operation(action: &str) -> Self {
        let message = format!(
            "The local stream does not know {action:?}. It has PutRecord, PutRecords, DescribeStream, \
             DescribeStreamSummary, ListStreams, ListShards, GetShardIterator and GetRecords."
        );
        Self { kind: "UnknownOperationException", message }
    }

    /// The HTTP status that AWS gives with it.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            "InternalFailure" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer's body.
    pub fn body(&self) -> Value {
        json!({"__type": self.kind, "message": self.message})
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Full { .. } => Self::throttled(error.to_string()),
            JournalError::Disk { .. } | JournalError::Closed => Self::internal(error.to_string()),
        }
    }
}
