//! What signals will weigh on the wire before gzip, without encoding them: close enough to close a batch in time.

use model::{Map, Value};

use crate::Signals;

/// Ids, times, tags and lengths of one record or span, about.
const RECORD_BYTES: usize = 80;
/// Tag and length of a field and of its value.
const FIELD_BYTES: usize = 6;

/// Bytes of all of them.
pub(super) fn signals(signals: &Signals) -> usize {
    let logs: usize = signals.logs.iter().map(|log| RECORD_BYTES + map(&log.body)).sum();
    let metrics: usize =
        signals.metrics.iter().map(|metric| RECORD_BYTES + metric.name.len() + map(&metric.attributes)).sum();
    let spans: usize = signals
        .spans
        .iter()
        .map(|span| {
            let events: usize = span
                .events
                .iter()
                .map(|event| RECORD_BYTES + event.name.len() + map(&event.attributes))
                .sum();
            let links: usize = span.links.iter().map(|link| RECORD_BYTES + map(&link.attributes)).sum();
            RECORD_BYTES + span.name.len() + map(&span.attributes) + events + links
        })
        .sum();
    logs + metrics + spans
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
