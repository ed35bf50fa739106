//! What an exporter is told: the export response of its signal, or the status that refuses it.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::json;

use super::Encoding;
use crate::structure::Signal;

/// Why a request was refused, in gRPC's words (`google.rpc.Code`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// It cannot be read; never send it again.
    InvalidArgument,
    /// There is no such service.
    Unimplemented,
    /// Too much at once: send it again, later.
    ResourceExhausted,
    /// Not now: send it again, later.
    Unavailable,
}

impl Code {
    /// gRPC's number.
    pub fn number(self) -> i32 {
        match self {
            Self::InvalidArgument => 3,
            Self::ResourceExhausted => 8,
            Self::Unimplemented => 12,
            Self::Unavailable => 14,
        }
    }
}

/// `google.rpc.Status` without details.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The answer to a request that was taken, all of it or but for `rejected` records.
pub fn accepted(signal: Signal, encoding: Encoding, rejected: u64) -> Vec<u8> {
    let rejected = i64::try_from(rejected).unwrap_or(i64::MAX);
    let error_message = "spans without a trace id or a span id".to_owned();
    match (encoding, signal) {
        // An empty message: everything was taken.
        (Encoding::Protobuf, _) if rejected == 0 => Vec::new(),
        (Encoding::Protobuf, Signal::Traces) => {
            let partial = ExportTracePartialSuccess { rejected_spans: rejected, error_message };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
        (Encoding::Protobuf, Signal::Logs) => {
            let partial = ExportLogsPartialSuccess { rejected_log_records: rejected, error_message };
            ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
        (Encoding::Protobuf, Signal::Metrics) => {
            let partial = ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message };
            ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
        (Encoding::Json, _) if rejected == 0 => b"{}".to_vec(),
        (Encoding::Json, signal) => {
            let key = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
            };
            // Protobuf's JSON writes 64-bit numbers as text.
            let partial = json!({ key: rejected.to_string(), "errorMessage": error_message });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    }
}

/// The answer to a request that was not taken.
pub fn refused(encoding: Encoding, code: Code, message: &str) -> Vec<u8> {
    let code = code.number();
    match encoding {
        Encoding::Protobuf => Status { code, message: message.to_owned() }.encode_to_vec(),
        Encoding::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
    }
}
