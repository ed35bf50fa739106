//! One line of text, or one JSON object, becomes a [`Line`]: what it says about itself beside the keys it carries.
//! Used for function and extension records here, and by the companion for CloudWatch lines. Never fails: what is not
//! understood is text under `message`.

use model::{Level, Map, Metric, SpanId, Timestamp, TraceId};

/// One printed line, understood as far as it goes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// What kind of line it is.
    pub kind: LineKind,
    /// When it was printed, as it says itself.
    pub time: Option<Timestamp>,
    /// Its gravity.
    pub level: Option<Level>,
    /// The invocation it names.
    pub request_id: Option<String>,
    /// True if `request_id` stands where a Lambda runtime or logger puts it. Under a common key such as `requestId`
    /// an application may as well log the id of something else.
    pub request_id_certain: bool,
    /// The trace it names.
    pub trace_id: Option<TraceId>,
    /// The span it names.
    pub span_id: Option<SpanId>,
    /// How long what it tells of took, milliseconds.
    pub duration_ms: Option<f64>,
    /// What makes it an error.
    pub error: Option<String>,
    /// Its keys.
    pub body: Map,
    /// The points of an Embedded Metric Format line; their `request_id` is the caller's to set.
    pub metrics: Vec<Metric>,
}

/// Lines that Lambda itself prints, and all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineKind {
    /// Printed by the function, an extension, anybody.
    #[default]
    Log,
    /// `START RequestId: …`
    Start,
    /// `END RequestId: …`
    End,
    /// `REPORT RequestId: …`
    Report,
    /// `… Task timed out after 3.00 seconds`
    Timeout,
}

/// Understands one record that came as text; a newline at its end is no part of it.
pub fn line(text: &str) -> Line {
    let text = text.trim_end_matches(['\n', '\r']);
    Line { body: Map::from([("message".to_owned(), text.into())]), ..Line::default() }
}

/// Understands one record that came as a JSON object.
pub fn object(map: Map) -> Line {
    Line { body: map, ..Line::default() }
}
