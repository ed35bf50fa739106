//! Cuts the long texts of an event that is too large for the stream, and says so in the event itself.

use model::{LogRecord, Map, Span, SpanStatus, Value};
use wire::Batch;

use crate::parse;

/// Texts are never cut below this: an event that is too large with such short texts has too many of them.
pub(super) const STRING_BYTES_MIN: usize = 256;

/// On a cut event: how many bytes its texts lost.
const MARK: &str = "limelight.truncatedBytes";
/// On a cut span: how many events and links it lost.
const DROPPED_EVENTS: &str = "limelight.droppedEvents";
const DROPPED_LINKS: &str = "limelight.droppedLinks";

/// Cuts every text of every record to `bytes_max`, at a character's border.
pub(super) fn batch(batch: &mut Batch, bytes_max: usize) {
    batch.logs.iter_mut().filter(|log| is_long(log, bytes_max)).for_each(parse::take_apart);
    let logs = batch.logs.iter_mut().map(|log| &mut log.body);
    let metrics = batch.metrics.iter_mut().map(|metric| &mut metric.attributes);
    let spans = batch.spans.iter_mut().map(|span| {
        drop_parts(span);
        &mut span.attributes
    });
    for root in logs.chain(metrics).chain(spans) {
        let cut: usize = root.values_mut().map(|entry| value(entry, bytes_max)).sum();
        if cut > 0 {
            mark(root, cut);
        }
    }
}

/// Leaves of every record what says whose it is: an event of `bytes` that even short texts did not make small enough.
pub(super) fn to_the_bone(batch: &mut Batch, bytes: usize) {
    for log in &mut batch.logs {
        log.line = None;
        let message = log.body.remove("message").filter(|message| message.as_str().is_some());
        log.body = message.map(|message| ("message".to_owned(), message)).into_iter().collect();
        shorten(log.error.iter_mut());
        mark(&mut log.body, bytes);
    }
    for span in &mut batch.spans {
        drop_parts(span);
        span.attributes.retain(|key, _| [DROPPED_EVENTS, DROPPED_LINKS].contains(&key.as_str()));
        let why = match &mut span.status {
            SpanStatus::Error(why) => Some(why),
            SpanStatus::Unset | SpanStatus::Ok => None,
        };
        shorten(std::iter::once(&mut span.name).chain(why));
        mark(&mut span.attributes, bytes);
    }
    for metric in &mut batch.metrics {
        metric.attributes.clear();
        shorten([&mut metric.name, &mut metric.unit].into_iter());
        mark(&mut metric.attributes, bytes);
    }
}

/// What happened within a span is worth less than the span.
fn drop_parts(span: &mut Span) {
    for (name, lost) in [(DROPPED_EVENTS, span.events.len()), (DROPPED_LINKS, span.links.len())] {
        if lost > 0 {
            span.attributes.insert(name.to_owned(), Value::Int(i64::try_from(lost).unwrap_or(i64::MAX)));
        }
    }
    span.events.clear();
    span.links.clear();
}

fn shorten<'a>(texts: impl Iterator<Item = &'a mut String>) {
    for text in texts {
        text.truncate(text.floor_char_boundary(STRING_BYTES_MIN));
    }
}

fn is_long(log: &LogRecord, bytes_max: usize) -> bool {
    log.line.as_ref().is_some_and(|line| line.len() > bytes_max)
}

/// Adds to the mark of an earlier, milder cut.
fn mark(root: &mut Map, cut: usize) {
    let earlier = match root.get(MARK) {
        Some(Value::Int(bytes)) => *bytes,
        _ => 0,
    };
    let cut = i64::try_from(cut).unwrap_or(i64::MAX);
    root.insert(MARK.to_owned(), Value::Int(earlier.saturating_add(cut)));
}

/// How many bytes went.
fn value(entry: &mut Value, bytes_max: usize) -> usize {
    match entry {
        Value::String(text) if text.len() > bytes_max => {
            let before = text.len();
            text.truncate(text.floor_char_boundary(bytes_max));
            before - text.len()
        }
        Value::Array(entries) => entries.iter_mut().map(|entry| value(entry, bytes_max)).sum(),
        Value::Object(entries) => entries.values_mut().map(|entry| value(entry, bytes_max)).sum(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
    }
}
