//! A structured log that says how long something took is also a span below the invocation's: the work that it tells of.

use std::time::Duration;

use model::{LogRecord, Map, Span, SpanKind, SpanStatus, Timestamp, TraceContext};

use super::{identity, millis};

/// Names are for people, and are grouped by.
const NAME_BYTES_MAX: usize = 128;
/// What is taken of the line until secrets are out: one that is cut looks like none.
const UNSCRUBBED_BYTES_MAX: usize = 1_024;
const FROM: &str = "limelight.from";
/// Clocks and buffers are this far off. What began earlier is no part of the invocation: a message's age, an uptime.
const SLACK: Duration = Duration::from_secs(1);

/// The span; none if the log tells no duration, or one that began before the invocation. Its id comes from what the
/// line says, so that the same line from CloudWatch gives the same span.
pub(super) fn span(
    log: &LogRecord,
    message: Option<&str>,
    parent: TraceContext,
    began: Timestamp,
) -> Option<Span> {
    let request_id = log.request_id.as_deref()?;
    let start = log.time.minus(millis(log.duration_ms?));
    if start.plus(SLACK) < began {
        return None;
    }
    let name = name(message.unwrap_or_default());
    let role = format!("log {} {}", log.time, head(name, NAME_BYTES_MAX));
    Some(Span {
        trace_id: parent.trace_id,
        span_id: identity::span_id(request_id, &role),
        parent_id: Some(parent.span_id),
        name: name.to_owned(),
        kind: SpanKind::Internal,
        start,
        end: log.time,
        status: log.error.clone().map_or(SpanStatus::Unset, SpanStatus::Error),
        request_id: Some(request_id.to_owned()),
        attributes: Map::from([
            ("faas.invocation_id".to_owned(), request_id.into()),
            (FROM.to_owned(), "log".into()),
        ]),
        events: Vec::new(),
        links: Vec::new(),
    })
}

/// Gives a span that tells of a log the length that names have, once it is scrubbed.
pub(crate) fn shorten(span: &mut Span) {
    if span.name.len() > NAME_BYTES_MAX && span.attributes.contains_key(FROM) {
        span.name = head(&span.name, NAME_BYTES_MAX).to_owned();
    }
}

fn name(text: &str) -> &str {
    let name = head(text.lines().next().unwrap_or_default(), UNSCRUBBED_BYTES_MAX);
    if name.is_empty() { "log" } else { name }
}

fn head(text: &str, bytes_max: usize) -> &str {
    text[..text.floor_char_boundary(bytes_max)].trim()
}
