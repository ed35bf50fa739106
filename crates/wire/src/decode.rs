//! One record of a stream in, events out, whatever its producer wrote: see [`Format`].

use model::{BatchId, Event, Timestamp, Value};

use crate::batch::{self, Account};
use crate::error::DecodeError;
use crate::limits::Limits;
use crate::printed::ReadLine;
use crate::structure::{self, Signal};
use crate::{cloudwatch, event, foreign, inflate, json, posted};

/// What the stream knows of a record that the record does not know itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The stream's sequence number: names events whose producer gave them no identity.
    pub record: &'a str,
    /// When the stream took it: the time of events that carry none.
    pub arrived_at: Timestamp,
    /// How lines are understood that our extension shipped as they were printed.
    pub read_line: ReadLine,
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
    /// Bytes after all decompression: what it costs to hold, where its size on the stream says nothing.
    pub inflated_bytes: usize,
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
    if bytes.len() > limits.record_bytes_max {
        return Err(DecodeError::TooLarge { bytes: bytes.len(), max: limits.record_bytes_max });
    }
    let plain = inflate::inflate(bytes, limits)?;
    if plain.iter().all(u8::is_ascii_whitespace) {
        return Err(DecodeError::Empty);
    }
    if structure::begins_like_a_batch(&plain) {
        return decode_batch(&plain, context, limits);
    }
    // Before JSON: a request begins with 0x0a, which is a newline too.
    if structure::looks_like_request(&plain) {
        return decode_request(&plain, context, limits);
    }
    let text = plain.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&plain);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => decode_json(text, context, limits),
        _ => Err(unknown(&plain)),
    }
}

fn decode_batch(plain: &[u8], context: &Context<'_>, limits: &Limits) -> Result<Decoded, DecodeError> {
    let batch = batch::decode_plain(plain, limits)?;
    let (id, account) = (batch.id.clone(), batch.account.clone());
    let events = event::of_batch(batch, context, limits)?;
    let (batch, account) = (Some(id), Some(account));
    Ok(Decoded { batch, account, events, format: Format::Batch, inflated_bytes: plain.len() })
}

fn decode_request(plain: &[u8], context: &Context<'_>, limits: &Limits) -> Result<Decoded, DecodeError> {
    let signal = structure::signal_of_request(plain)?;
    let format = match signal {
        Some(Signal::Traces) => Format::OtlpTraces,
        Some(Signal::Logs) => Format::OtlpLogs,
        Some(Signal::Metrics) => Format::OtlpMetrics,
        None => Format::OtlpEmpty,
    };
    let events = match signal {
        Some(signal) => foreign::events(plain, signal, context, limits)?,
        None => Vec::new(),
    };
    Ok(Decoded { batch: None, account: None, events, format, inflated_bytes: plain.len() })
}

fn decode_json(text: &[u8], context: &Context<'_>, limits: &Limits) -> Result<Decoded, DecodeError> {
    let mut events = Vec::new();
    let mut format = Format::Json;
    for value in json::values(text, limits)? {
        match value {
            // Firehose puts several subscription batches one after another.
            Value::Object(object) if cloudwatch::is_batch(&object) => {
                format = Format::CloudWatchLogs;
                cloudwatch::events(object, context, &mut events)?;
            }
            Value::Array(items) => {
                for item in items {
                    let number = events.len();
                    events.push(posted::event(item, context, number));
                }
            }
            object => {
                let number = events.len();
                events.push(posted::event(object, context, number));
            }
        }
        if events.len() > limits.events_max {
            return Err(DecodeError::TooManyEvents { max: limits.events_max });
        }
    }
    Ok(Decoded { batch: None, account: None, events, format, inflated_bytes: text.len() })
}

fn unknown(plain: &[u8]) -> DecodeError {
    let beginning: Vec<String> = plain.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    DecodeError::Unknown { bytes: plain.len(), beginning: beginning.join(" ") }
}
