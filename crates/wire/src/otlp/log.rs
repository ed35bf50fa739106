//! `model::LogRecord` ↔ OTLP `LogRecord`. The keys are the body; what we know beside them are attributes.

use model::{Level, LogRecord, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::LogRecord as OtlpLog;

use crate::error::DecodeError;
use crate::otlp::value::{attribute, from_any, take, take_text, to_attributes};
use crate::otlp::{Dialect, from_nanos, span_bytes, span_id, to_nanos, trace_bytes, trace_id};

pub(crate) const REQUEST_ID: &str = "faas.invocation_id";
const DURATION_MS: &str = "limelight.duration_ms";
const ERROR: &str = "limelight.error";
const PLATFORM: &str = "limelight.platform";

/// A log record as OTLP says it.
pub(crate) fn to_otlp(log: &LogRecord) -> OtlpLog {
    let attributes = [
        log.request_id.clone().map(|id| attribute(REQUEST_ID, Any::StringValue(id))),
        log.duration_ms.map(|duration| attribute(DURATION_MS, Any::DoubleValue(duration))),
        log.error.clone().map(|error| attribute(ERROR, Any::StringValue(error))),
        log.platform.then(|| attribute(PLATFORM, Any::BoolValue(true))),
    ];
    OtlpLog {
        time_unix_nano: to_nanos(log.time),
        severity_number: log.level.map_or(0, Level::severity_number),
        body: Some(body(log)),
        attributes: attributes.into_iter().flatten().collect(),
        trace_id: trace_bytes(log.trace_id),
        span_id: span_bytes(log.span_id),
        ..OtlpLog::default()
    }
}

fn body(log: &LogRecord) -> AnyValue {
    AnyValue { value: Some(Any::KvlistValue(KeyValueList { values: to_attributes(&log.body) })) }
}

/// The opposite of [`to_otlp`].
pub(crate) fn from_ours(log: OtlpLog, number: usize) -> Result<LogRecord, DecodeError> {
    let mut attributes = log.attributes;
    let duration_ms = match take(&mut attributes, DURATION_MS) {
        Some(Some(Any::DoubleValue(duration))) => Some(duration),
        _ => None,
    };
    let Value::Object(body) = from_any(log.body, Dialect::Ours)? else {
        return Err(DecodeError::Invalid {
            what: "the body",
            place: format!("of log {number}"),
            why: "it must be a list of keys and values".to_owned(),
        });
    };
    Ok(LogRecord {
        time: from_nanos(log.time_unix_nano),
        level: Level::from_severity_number(log.severity_number),
        request_id: take_text(&mut attributes, REQUEST_ID),
        trace_id: trace_id(&log.trace_id),
        span_id: span_id(&log.span_id),
        duration_ms,
        error: take_text(&mut attributes, ERROR),
        platform: take(&mut attributes, PLATFORM).is_some(),
        body,
    })
}
