//! JSON that anybody put on the stream becomes events: one per object. Root keys that producers agreed on are read
//! into the envelope (reference A.3.2) and stay where they are.

use model::{Event, EventId, Kind, Level, Map, Timestamp, TraceId, Value};

use crate::decode::Context;
use crate::event::{SERVICE_DEFAULT, take_message};

/// Where JSON goes that does not say.
const DATASET: &str = "logs";

/// An object, or anything else that JSON can say: text is a message, the rest stands under `value`.
pub(crate) fn event(value: Value, context: &Context<'_>, number: usize) -> Event {
    let mut keys = match value {
        Value::Object(keys) => keys,
        Value::String(text) => Map::from([("message".to_owned(), text.into())]),
        other => Map::from([("value".to_owned(), other)]),
    };
    let message = take_message(&mut keys);
    let level = text(&keys, &["level", "severity"]).and_then(|word| word.parse().ok());
    let service = text(&keys, &["service"]).unwrap_or(SERVICE_DEFAULT).to_owned();
    let time = time(&keys).unwrap_or(context.arrived_at);
    let id = EventId::in_record(context.record, number);
    Event {
        namespace: text(&keys, &["namespace"]).unwrap_or_default().to_owned(),
        service,
        level,
        duration_ms: keys.get("duration").and_then(Value::as_f64),
        request_id: text(&keys, &["requestId", "request_id"]).map(str::to_owned),
        trace_id: text(&keys, &["traceId", "trace_id"]).and_then(trace_id),
        span_id: text(&keys, &["spanId", "span_id"]).and_then(|text| text.parse().ok()),
        error: error(&keys, level, message.as_deref()),
        message,
        attributes: keys,
        ..Event::new(DATASET, time, id, Kind::Event)
    }
}

fn text<'a>(keys: &'a Map, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| keys.get(*name)?.as_str()).filter(|text| !text.is_empty())
}

fn trace_id(text: &str) -> Option<TraceId> {
    text.parse().or_else(|_| TraceId::from_xray(text)).ok()
}

/// RFC 3339 text, or a number since the epoch.
fn time(keys: &Map) -> Option<Timestamp> {
    ["timestamp", "@timestamp", "_timestamp", "time"].iter().find_map(|name| match keys.get(*name)? {
        Value::String(text) => text.parse().ok(),
        Value::Int(number) => Some(since_epoch(*number)),
        #[expect(clippy::cast_possible_truncation, reason = "saturates; whole milliseconds are enough")]
        Value::Float(seconds) if (1e8..1e11).contains(seconds) => {
            Some(Timestamp::from_millis((seconds * 1_000.0) as i64))
        }
        _ => None,
    })
}

/// Which unit, its size shows: seconds, milliseconds, microseconds and nanoseconds of the years 1973 to 5138.
fn since_epoch(number: i64) -> Timestamp {
    match number.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_millis(number.saturating_mul(1_000)),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millis(number),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_micros(number),
        _ => Timestamp::from_nanos(number),
    }
}

/// `error` as text or as an object with a name, type or message; else what a line of level error says.
fn error(keys: &Map, level: Option<Level>, message: Option<&str>) -> Option<String> {
    let said = match keys.get("error") {
        Some(Value::String(text)) if !text.is_empty() => Some(text.as_str()),
        Some(Value::Object(error)) => text(error, &["name", "type", "message"]),
        _ => None,
    };
    said.or_else(|| (level >= Some(Level::Error)).then(|| message.unwrap_or("error"))).map(str::to_owned)
}
