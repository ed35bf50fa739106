//! Spans, in OpenTelemetry's words.

use crate::id::{SpanId, TraceId};
use crate::time::Timestamp;
use crate::value::Map;

/// The place of a record in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The span in it that the record belongs to.
    pub span_id: SpanId,
}

/// A timed piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span that caused it, possibly in another service.
    pub parent_id: Option<SpanId>,
    /// What the work is called: the function's name for an invocation.
    pub name: String,
    /// Its role between caller and callee.
    pub kind: SpanKind,
    /// When the work began.
    pub start: Timestamp,
    /// When it ended; never before `start`.
    pub end: Timestamp,
    /// How it ended.
    pub status: SpanStatus,
    /// The invocation it belongs to, if any.
    pub request_id: Option<String>,
    /// `faas.*`, `cloud.*` and other attributes by their semantic-convention names.
    pub attributes: Map,
    /// Things that happened while it ran.
    pub events: Vec<SpanEvent>,
    /// Spans of other traces that caused it too (batch triggers).
    pub links: Vec<SpanLink>,
}

/// OpenTelemetry's span kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpanKind {
    /// Work inside one process.
    #[default]
    Internal,
    /// Handles a request from outside.
    Server,
    /// Makes a request to outside.
    Client,
    /// Sends a message that is handled later.
    Producer,
    /// Handles a message that was sent earlier.
    Consumer,
}

/// How the work of a span ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SpanStatus {
    /// Nobody said.
    #[default]
    Unset,
    /// It is known to have worked.
    Ok,
    /// It failed, with the reason if one is known (`Runtime.ExitError`, a message).
    Error(String),
}

/// Something that happened at one moment of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// What happened.
    pub name: String,
    /// When.
    pub time: Timestamp,
    /// Details.
    pub attributes: Map,
}

/// A causal tie to a span of another trace.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanLink {
    /// The other span.
    pub context: TraceContext,
    /// Details.
    pub attributes: Map,
}
