//! `model::LogRecord` ↔ OTLP `LogRecord`. A line is the body as text; else the keys are the body. What we know beside
//! them are attributes, or stand on the scope (`otlp::scope`).

use model::{Level, LogRecord, Map, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord as OtlpLog;

use crate::error::DecodeError;
use crate::otlp::value::{
    attribute, from_any, take, take_text, write_double, write_keys, write_object, write_string, write_text,
    write_true,
};
use crate::otlp::{Dialect, from_nanos, span_id, to_nanos, trace_id};
use crate::writer::Writer;

pub(crate) const REQUEST_ID: &str = "faas.invocation_id";
const DURATION_MS: &str = "limelight.duration_ms";
const ERROR: &str = "limelight.error";
const PLATFORM: &str = "limelight.platform";
/// Keys that were added to a line.
const ADDED: &str = "limelight.added";

/// Field numbers of `LogRecord` (opentelemetry-proto, `logs/v1/logs.proto`).
mod field {
    pub(super) const TIME: u64 = 1;
    pub(super) const SEVERITY: u64 = 2;
    pub(super) const BODY: u64 = 5;
    pub(super) const ATTRIBUTES: u64 = 6;
    pub(super) const TRACE_ID: u64 = 9;
    pub(super) const SPAN_ID: u64 = 10;
}

/// Writes the fields of an OTLP `LogRecord`; without its place if that stands on its scope. Logs are nearly all that is
/// shipped, so they have a way without intermediate messages; the test below holds it to what prost writes.
pub(crate) fn write(writer: &mut Writer, log: &LogRecord, with_place: bool) {
    if with_place {
        write_ids(writer, log);
    }
    if log.platform {
        write_true(writer, field::ATTRIBUTES, PLATFORM);
    }
    match &log.line {
        Some(line) => write_line(writer, line, log),
        None => write_body(writer, log),
    }
    if let Some(level) = log.level {
        writer.varint(field::SEVERITY, u64::from(level.severity_number().unsigned_abs()));
    }
    if to_nanos(log.time) != 0 {
        writer.fixed64(field::TIME, to_nanos(log.time));
    }
}

fn write_ids(writer: &mut Writer, log: &LogRecord) {
    if let Some(id) = log.span_id {
        writer.bytes(field::SPAN_ID, id.as_bytes());
    }
    if let Some(id) = log.trace_id {
        writer.bytes(field::TRACE_ID, id.as_bytes());
    }
    if let Some(id) = &log.request_id {
        write_text(writer, field::ATTRIBUTES, REQUEST_ID, id);
    }
}

/// Duration and error follow from a line.
fn write_line(writer: &mut Writer, line: &str, log: &LogRecord) {
    if !log.body.is_empty() {
        write_keys(writer, field::ATTRIBUTES, ADDED, &log.body);
    }
    writer.message(field::BODY, |writer| write_string(writer, line));
}

fn write_body(writer: &mut Writer, log: &LogRecord) {
    if let Some(error) = &log.error {
        write_text(writer, field::ATTRIBUTES, ERROR, error);
    }
    if let Some(duration) = log.duration_ms {
        write_double(writer, field::ATTRIBUTES, DURATION_MS, duration);
    }
    writer.message(field::BODY, |writer| write_object(writer, &log.body));
}

/// What is known beside the keys, as attributes: for readers that know no scopes of ours.
pub(crate) fn attributes(log: &LogRecord) -> Vec<KeyValue> {
    let text = |key, text: &Option<String>| Some(attribute(key, Any::StringValue(text.clone()?)));
    let known = [
        text(REQUEST_ID, &log.request_id),
        log.duration_ms.map(|duration| attribute(DURATION_MS, Any::DoubleValue(duration))),
        text(ERROR, &log.error),
        log.platform.then(|| attribute(PLATFORM, Any::BoolValue(true))),
    ];
    known.into_iter().flatten().collect()
}

/// The opposite of [`write`].
pub(crate) fn from_ours(log: OtlpLog, number: usize) -> Result<LogRecord, DecodeError> {
    let mut attributes = log.attributes;
    let duration_ms = match take(&mut attributes, DURATION_MS) {
        Some(Some(Any::DoubleValue(duration))) => Some(duration),
        _ => None,
    };
    let (line, body) = match from_any(log.body, Dialect::Ours)? {
        Value::Object(body) => (None, body),
        Value::String(line) => (Some(line), added(take(&mut attributes, ADDED).flatten())?),
        _ => {
            return Err(DecodeError::Invalid {
                what: "the body",
                place: format!("of log {number}"),
                why: "it must be a text, or a list of keys and values".to_owned(),
            });
        }
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
        line,
        body,
    })
}

fn added(keys: Option<Any>) -> Result<Map, DecodeError> {
    match from_any(Some(AnyValue { value: keys }), Dialect::Ours)? {
        Value::Object(keys) => Ok(keys),
        _ => Ok(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::value::to_attributes;
    use crate::otlp::{span_bytes, trace_bytes};
    use model::{SpanId, Timestamp, TraceId};
    use opentelemetry_proto::tonic::common::v1::KeyValueList;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use prost::Message as _;

    /// The same by way of the generated types.
    fn to_otlp(log: &LogRecord) -> OtlpLog {
        let keys = Any::KvlistValue(KeyValueList { values: to_attributes(&log.body) });
        let (body, told) = match &log.line {
            Some(line) => {
                let added = (!log.body.is_empty()).then(|| attribute(ADDED, keys));
                (Any::StringValue(line.clone()), [added, None])
            }
            None => {
                let duration =
                    log.duration_ms.map(|duration| attribute(DURATION_MS, Any::DoubleValue(duration)));
                (keys, [duration, log.error.clone().map(|error| attribute(ERROR, Any::StringValue(error)))])
            }
        };
        let platform = log.platform.then(|| attribute(PLATFORM, Any::BoolValue(true)));
        let request_id = log.request_id.clone().map(|id| attribute(REQUEST_ID, Any::StringValue(id)));
        let attributes = told.into_iter().flatten().chain(platform).chain(request_id);
        OtlpLog {
            time_unix_nano: to_nanos(log.time),
            severity_number: log.level.map_or(0, Level::severity_number),
            body: Some(AnyValue { value: Some(body) }),
            attributes: attributes.collect(),
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
            line in option::of("\\PC{0,9}"),
            body in body(),
        ) -> LogRecord {
            let (trace_id, span_id) = (trace.and_then(TraceId::from_bytes), span.and_then(SpanId::from_bytes));
            let time = Timestamp::from_nanos(time);
            LogRecord { time, level, request_id, trace_id, span_id, duration_ms, error, platform, line, body }
        }
    }

    proptest! {
        #[test]
        fn a_log_is_written_as_the_generated_types_write_it(log in log()) {
            let mut writer = Writer::with_capacity(0);
            write(&mut writer, &log, true);
            prop_assert_eq!(writer.into_bytes(), to_otlp(&log).encode_to_vec());
        }
    }

    #[test]
    fn a_very_deep_value_is_written_as_the_generated_types_write_it() {
        let deep = (0..200).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let log = LogRecord { body: Map::from([("deep".to_owned(), deep)]), ..LogRecord::default() };
        let mut writer = Writer::with_capacity(0);
        write(&mut writer, &log, true);
        assert_eq!(writer.into_bytes(), to_otlp(&log).encode_to_vec());
    }
}
