//! What signals will weigh on the wire before gzip, without encoding them: close enough to close a batch in time, and
//! to bound what waits.

use model::{LogRecord, Map, Span, Value};

use crate::Signals;

/// Ids, times, tags and lengths of one record or span, about.
const RECORD_BYTES: usize = 80;
/// Tag and length of a field and of its value.
const FIELD_BYTES: usize = 6;

/// Bytes of all of them.
pub(super) fn signals(signals: &Signals) -> usize {
    let logs: usize = signals.logs.iter().map(log).sum();
    let metrics: usize =
        signals.metrics.iter().map(|metric| RECORD_BYTES + metric.name.len() + map(&metric.attributes)).sum();
    let spans: usize = signals.spans.iter().map(span).sum();
    logs + metrics + spans
}

/// Bytes of a log record.
pub(crate) fn log(log: &LogRecord) -> usize {
    RECORD_BYTES + log.line.as_ref().map_or(0, String::len) + map(&log.body)
}

/// Bytes of a span.
pub(crate) fn span(span: &Span) -> usize {
    let events: usize =
        span.events.iter().map(|event| RECORD_BYTES + event.name.len() + map(&event.attributes)).sum();
    let links: usize = span.links.iter().map(|link| RECORD_BYTES + map(&link.attributes)).sum();
    RECORD_BYTES + span.name.len() + map(&span.attributes) + events + links
}

fn map(map: &Map) -> usize {
    map.iter().map(|(key, entry)| FIELD_BYTES + key.len() + value(entry)).sum()
}

fn value(value: &Value) -> usize {
    FIELD_BYTES
        + match value {
            Value::Null | Value::Bool(_) => 1,
            Value::Int(_) | Value::Float(_) => 8,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(self::value).sum(),
            Value::Object(entries) => map(entries),
        }
}
