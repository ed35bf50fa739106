//! `model::LogRecord` ↔ OTLP `LogRecord`. The keys are the body; what we know beside them are attributes.

use model::{Level, LogRecord, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord as OtlpLog;

use crate::error::DecodeError;
use crate::otlp::value::{from_any, take, take_text, write_double, write_object, write_text, write_true};
use crate::otlp::{Dialect, from_nanos, span_id, to_nanos, trace_id};
use crate::writer::Writer;

pub(crate) const REQUEST_ID: &str = "faas.invocation_id";
const DURATION_MS: &str = "limelight.duration_ms";
const ERROR: &str = "limelight.error";
const PLATFORM: &str = "limelight.platform";

/// Field numbers of `LogRecord` (opentelemetry-proto, `logs/v1/logs.proto`).
mod field {
    pub(super) const TIME: u64 = 1;
    pub(super) const SEVERITY: u64 = 2;
    pub(super) const BODY: u64 = 5;
    pub(super) const ATTRIBUTES: u64 = 6;
    pub(super) const TRACE_ID: u64 = 9;
    pub(super) const SPAN_ID: u64 = 10;
}

/// Writes the fields of an OTLP `LogRecord`. Logs are nearly all that is shipped, so they have a way without
/// intermediate messages; the test below holds it to what prost writes.
pub(crate) fn write(writer: &mut Writer, log: &LogRecord) {
    if let Some(id) = log.span_id {
        writer.bytes(field::SPAN_ID, id.as_bytes());
    }
    if let Some(id) = log.trace_id {
        writer.bytes(field::TRACE_ID, id.as_bytes());
    }
    if log.platform {
        write_true(writer, field::ATTRIBUTES, PLATFORM);
    }
    if let Some(error) = &log.error {
        write_text(writer, field::ATTRIBUTES, ERROR, error);
    }
    if let Some(duration) = log.duration_ms {
        write_double(writer, field::ATTRIBUTES, DURATION_MS, duration);
    }
    if let Some(id) = &log.request_id {
        write_text(writer, field::ATTRIBUTES, REQUEST_ID, id);
    }
    writer.message(field::BODY, |writer| write_object(writer, &log.body));
    if let Some(level) = log.level {
        writer.varint(field::SEVERITY, u64::from(level.severity_number().unsigned_abs()));
    }
    if to_nanos(log.time) != 0 {
        writer.fixed64(field::TIME, to_nanos(log.time));
    }
}

/// The opposite of [`write`].
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::value::{attribute, to_attributes};
    use crate::otlp::{span_bytes, trace_bytes};
    use model::{Map, SpanId, Timestamp, TraceId};
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValueList};
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use prost::Message as _;

    /// The same by way of the generated types.
    fn to_otlp(log: &LogRecord) -> OtlpLog {
        let attributes = [
            log.request_id.clone().map(|id| attribute(REQUEST_ID, Any::StringValue(id))),
            log.duration_ms.map(|duration| attribute(DURATION_MS, Any::DoubleValue(duration))),
            log.error.clone().map(|error| attribute(ERROR, Any::StringValue(error))),
            log.platform.then(|| attribute(PLATFORM, Any::BoolValue(true))),
        ];
        let body = KeyValueList { values: to_attributes(&log.body) };
        OtlpLog {
            time_unix_nano: to_nanos(log.time),
            severity_number: log.level.map_or(0, Level::severity_number),
            body: Some(AnyValue { value: Some(Any::KvlistValue(body)) }),
            attributes: attributes.into_iter().flatten().collect(),
            trace_id: trace_bytes(log.trace_id),
            span_id: span_bytes(log.span_id),
            ..OtlpLog::default()
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_map(Value::Float),
            "\\PC{0,40}".prop_map(Value::String),
        ];
        // Deeper than a segment.
        leaf.prop_recursive(20, 60, 2, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Value::Array),
                btree_map("[a-z]{0,3}", inner, 0..3).prop_map(Value::Object),
            ]
        })
    }

    fn body() -> impl Strategy<Value = Map> {
        btree_map("[a-z]{0,3}", value(), 0..4)
    }

    prop_compose! {
        fn log()(
            time in prop_oneof![Just(0), any::<i64>()],
            level in option::of(prop::sample::select(vec![Level::Trace, Level::Info, Level::Fatal])),
            request_id in option::of("[a-f]{0,3}"),
            trace in option::of(any::<[u8; 16]>()),
            span in option::of(any::<[u8; 8]>()),
            duration_ms in option::of(any::<f64>()),
            error in option::of("[a-f]{0,3}"),
            platform in any::<bool>(),
            body in body(),
        ) -> LogRecord {
            let (trace_id, span_id) = (trace.and_then(TraceId::from_bytes), span.and_then(SpanId::from_bytes));
            let time = Timestamp::from_nanos(time);
            LogRecord { time, level, request_id, trace_id, span_id, duration_ms, error, platform, body }
        }
    }

    proptest! {
        #[test]
        fn a_log_is_written_as_the_generated_types_write_it(log in log()) {
            let mut writer = Writer::with_capacity(0);
            write(&mut writer, &log);
            prop_assert_eq!(writer.into_bytes(), to_otlp(&log).encode_to_vec());
        }
    }

    #[test]
    fn a_very_deep_value_is_written_as_the_generated_types_write_it() {
        let deep = (0..200).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let log = LogRecord {
            time: Timestamp::EPOCH,
            level: None,
            request_id: None,
            trace_id: None,
            span_id: None,
            duration_ms: None,
            error: None,
            platform: false,
            body: Map::from([("deep".to_owned(), deep)]),
        };
        let mut writer = Writer::with_capacity(0);
        write(&mut writer, &log);
        assert_eq!(writer.into_bytes(), to_otlp(&log).encode_to_vec());
    }
}
