//! One record of a stream in, events out, whatever its producer wrote: see [`Format`].

use model::{BatchId, Event, Timestamp};

use crate::batch::Account;
use crate::error::DecodeError;
use crate::limits::Limits;

/// What the stream knows of a record that the record does not know itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The stream's sequence number: names events whose producer gave them no identity.
    pub record: &'a str,
    /// When the stream took it: the time of events that carry none.
    pub arrived_at: Timestamp,
}

/// A record that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The producer's identity of the record, by which a reader drops a producer's retry; our batches only.
    pub batch: Option<BatchId>,
    /// The sandbox's delivery account; our batches only. It also stands among `events`.
    pub account: Option<Account>,
    /// What happened, in the record's order.
    pub events: Vec<Event>,
    /// What the record was.
    pub format: Format,
}

/// What can stand on the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The extension's own, `batch.proto`.
    Batch,
    /// A bare OTLP `ExportTraceServiceRequest`.
    OtlpTraces,
    /// A bare OTLP `ExportLogsServiceRequest`.
    OtlpLogs,
    /// A bare OTLP `ExportMetricsServiceRequest`.
    OtlpMetrics,
    /// A bare OTLP request of any kind without a single record in it.
    OtlpEmpty,
    /// A CloudWatch Logs subscription batch (`DATA_MESSAGE`), or CloudWatch's test of the way (`CONTROL_MESSAGE`).
    CloudWatchLogs,
    /// JSON objects: one, an array of them, or several after another (JSON lines).
    Json,
}

/// Reads one record: ours, bare OTLP protobuf, a CloudWatch Logs subscription batch, JSON or JSON lines; gzip, zstd
/// or plain. Which, the bytes show.
///
/// # Errors
/// With the reason, when it is none of these, is damaged, or passes a limit. Nothing is taken from such a record.
pub fn decode(bytes: &[u8], context: &Context<'_>, limits: &Limits) -> Result<Decoded, DecodeError> {
    let _ = (bytes, context, limits);
    Err(DecodeError::Empty)
}
