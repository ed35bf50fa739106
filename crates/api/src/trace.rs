//! `GET /v1/traces/{id}`: all of one trace, put together.
//!
//! The tree is written as a list: spans in the order in which a waterfall shows them (a parent, then its children by
//! start, each with theirs), with their depth. A list needs no recursion to read, however deep a trace is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One trace.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceResponse {
    /// 32 hex digits.
    pub trace_id: String,
    /// When its first span began (without spans: its first log), RFC 3339.
    pub start: String,
    /// From `start` to the end of its last span (without spans: to its last log), milliseconds.
    pub duration_ms: f64,
    /// Who took part: services, sorted.
    pub services: Vec<String>,
    /// Spans and logs that are errors.
    pub errors: u64,
    /// What the trace's duration is made of.
    #[serde(default)]
    pub critical_path: CriticalPath,
    /// All spans, see the module.
    pub spans: Vec<TraceSpan>,
    /// Logs whose span is not known, by time.
    pub logs: Vec<TraceLog>,
    /// What a reader should know: that not everything is shown, that a span's parent is missing.
    pub notes: Vec<String>,
}

/// What the end of a trace was waiting for, moment by moment: who is on it adds up to the trace's duration (but for
/// moments in which no span ran). The longest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CriticalPath {
    /// By span, at most 20; every span says for itself how long the path is in it.
    pub spans: Vec<PathShare>,
    /// By service.
    pub services: Vec<PathShare>,
}

/// One part of a critical path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathShare {
    /// The span's name, or the service's.
    pub name: String,
    /// Which span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// Whose span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The function, or whatever else emitted the span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How long, milliseconds.
    pub duration_ms: f64,
    /// Of the trace's duration, from 0 to 1.
    pub share: f64,
}

/// A span in its place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceSpan {
    /// 16 hex digits.
    pub span_id: String,
    /// Its parent's id, also when that is not among the spans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// 0 for a root; a child is one deeper than its parent.
    pub depth: usize,
    /// It names a parent that is not here: not arrived yet, sampled away, or in a system that sends nothing here.
    pub orphan: bool,
    /// What the work is called.
    pub name: String,
    /// `internal`, `server`, `client`, `producer`, `consumer`; empty if not known.
    pub kind: String,
    /// Whose work.
    pub service: String,
    /// The function, or whatever else emitted it.
    pub namespace: String,
    /// When it began, RFC 3339.
    pub start: String,
    /// From the trace's start to the span's, milliseconds.
    pub offset_ms: f64,
    /// How long it took, milliseconds.
    pub duration_ms: f64,
    /// For how much of the trace its end was waiting for this span, and not for one below it, milliseconds.
    #[serde(default)]
    pub critical_ms: f64,
    /// `ok`, `error`; empty if nobody said.
    pub status: String,
    /// What makes it an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// Lambda's report of the invocation (`@billedDuration`, `@maxMemoryUsed`, …), joined to its span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Map<String, Value>>,
    /// What was logged in it, by time.
    pub logs: Vec<TraceLog>,
}

/// A log line or platform event of a trace.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceLog {
    /// The event's id.
    pub id: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// From the trace's start, milliseconds; negative for what was before its first span.
    pub offset_ms: f64,
    /// `log`, `platform`, `metric`, `event`.
    pub kind: String,
    /// The dataset it is in.
    pub dataset: String,
    /// Gravity; empty if not known.
    pub level: String,
    /// The message; empty if it has none.
    pub message: String,
    /// What makes it an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its other keys.
    pub attributes: Map<String, Value>,
}
