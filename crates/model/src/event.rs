//! One thing that happened, as a dataset stores it: an envelope of typed fields, and every other key at any depth.

use crate::id::{EventId, SpanId, TraceId};
use crate::log::Level;
use crate::time::Timestamp;
use crate::value::Map;

/// A wide event. `attributes` are its own keys as people query them (`data.user.id`, `@type`, `faas.coldstart`);
/// the fields beside it are the envelope, queried as `$limelight.<key>` (see [`Event::ENVELOPE_KEYS`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The table it goes to: `lambda-logs`, `otel`, any name.
    pub dataset: String,
    /// When it happened; a span's start.
    pub timestamp: Timestamp,
    /// Its name for ever; the same event read twice has the same id.
    pub id: EventId,
    /// What it is.
    pub kind: Kind,
    /// Who emitted it: the function's name, the log group, the metric namespace.
    pub namespace: String,
    /// The team's unit; `default` where nobody said.
    pub service: String,
    /// AWS account, or empty.
    pub account: String,
    /// AWS region, or empty.
    pub region: String,
    /// Gravity, normalised; the line's own `level` key stays as printed in `attributes`.
    pub level: Option<Level>,
    /// A span's or metric's name.
    pub name: Option<String>,
    /// The event's root key `message` where that is text (it lives here and not in `attributes`).
    pub message: Option<String>,
    /// How long it took, milliseconds.
    pub duration_ms: Option<f64>,
    /// The invocation.
    pub request_id: Option<String>,
    /// The trace.
    pub trace_id: Option<TraceId>,
    /// A span's own id; for a log the span it was printed in.
    pub span_id: Option<SpanId>,
    /// A span's parent.
    pub parent_id: Option<SpanId>,
    /// What makes it an error (type or text); none if it is not one.
    pub error: Option<String>,
    /// How it ended: `ok`, `error`, `success`, `timeout`, … as its source says.
    pub status: Option<String>,
    /// Everything else.
    pub attributes: Map,
}

impl Event {
    /// The keys below `$limelight.` (and its alias `$baselime.`) that name the envelope's fields, in the order of
    /// the fields. `ingestedAt` is set by the store.
    pub const ENVELOPE_KEYS: [&'static str; 18] = [
        "dataset",
        "timestamp",
        "ingestedAt",
        "id",
        "kind",
        "namespace",
        "service",
        "account",
        "region",
        "level",
        "name",
        "duration",
        "requestId",
        "traceId",
        "spanId",
        "parentId",
        "error",
        "status",
    ];

    /// An event of which only time, identity and kind are known.
    pub fn new(dataset: impl Into<String>, timestamp: Timestamp, id: EventId, kind: Kind) -> Self {
        Self {
            dataset: dataset.into(),
            timestamp,
            id,
            kind,
            namespace: String::new(),
            service: String::new(),
            account: String::new(),
            region: String::new(),
            level: None,
            name: None,
            message: None,
            duration_ms: None,
            request_id: None,
            trace_id: None,
            span_id: None,
            parent_id: None,
            error: None,
            status: None,
            attributes: Map::new(),
        }
    }
}

/// What an event is. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `log`: something printed.
    Log,
    /// `span`: a timed piece of work.
    Span,
    /// `metric`: a point of a metric.
    Metric,
    /// `platform`: what Lambda itself says (start, report, fault, dropped logs).
    Platform,
    /// `event`: posted as JSON by anybody.
    Event,
}

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Span => "span",
            Self::Metric => "metric",
            Self::Platform => "platform",
            Self::Event => "event",
        }
    }
}
