//! A structured log that says how long something took is also a span below the invocation's: the work that it tells of.

use std::time::Duration;

use model::{LogRecord, Map, Span, SpanKind, SpanStatus, Timestamp, TraceContext};

use super::{identity, millis};

/// Names are for people, and are grouped by.
const NAME_BYTES_MAX: usize = 128;
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
    let role = format!("log {} {name}", log.time);
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
            ("limelight.from".to_owned(), "log".into()),
        ]),
        events: Vec::new(),
        links: Vec::new(),
    })
}

fn name(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let name = line[..line.floor_char_boundary(NAME_BYTES_MAX)].trim();
    if name.is_empty() { "log" } else { name }
}
