//! One line of text, or one JSON object, becomes a [`Line`]: what it says about itself beside the keys it carries.
//! Used for function and extension records here, and by the companion for CloudWatch lines. Never fails: what is not
//! understood is text under `message`.

mod platform;
mod runtime;
mod plain;
mod head;
mod embedded;
mod stack;
mod fields;
mod error;
mod emf;
mod time;
mod context;

use std::borrow::Cow;

use model::{Level, Map, Metric, SpanId, Timestamp, TraceId, Value};

pub use context::{XrayContext, traceparent, xray_header};
pub(crate) use plain::is_error as is_error_text;
pub(crate) use platform::{TIMED_OUT, timed_out};

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
    /// What makes it an error: a type, a message, or both.
    pub error: Option<String>,
    /// Its keys.
    pub body: Map,
    /// The points of an Embedded Metric Format line. Those without a time of their own have `time` or the epoch;
    /// `request_id` is the caller's to set.
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

impl Line {
    /// Takes over what `inner`, the JSON inside this line, says about itself, where this line says nothing.
    fn learn(&mut self, inner: Self) {
        self.time = self.time.or(inner.time);
        self.level = self.level.or(inner.level);
        if self.request_id.is_none() {
            self.request_id = inner.request_id;
            self.request_id_certain = inner.request_id_certain;
        }
        self.trace_id = self.trace_id.or(inner.trace_id);
        self.span_id = self.span_id.or(inner.span_id);
        self.duration_ms = self.duration_ms.or(inner.duration_ms);
        self.error = self.error.take().or(inner.error);
        self.metrics.extend(inner.metrics);
    }
}

/// Understands one record that came as text; line breaks at its end are no part of it.
pub fn line(text: &str) -> Line {
    let text = text.trim_end_matches(['\n', '\r']);
    if let Some(map) = json_object(text) {
        return object(map);
    }
    let text = with_line_breaks(text);
    platform::line(&text).or_else(|| runtime::line(&text)).unwrap_or_else(|| plain::line(&text))
}

/// Understands one record that came as a JSON object. Every field is kept; a message that stands under another
/// logger's name (`msg`, `fields.message`, …) is also put under `message`, so that one key finds them all.
pub fn object(body: Map) -> Line {
    let places = fields::places(&body);
    let mut line = Line {
        time: time::of(&body),
        level: fields::level(&body),
        trace_id: context::trace_id(&places),
        span_id: context::span_id(&places),
        duration_ms: fields::duration_ms(&body),
        ..Line::default()
    };
    if let Some((id, certain)) = fields::request_id(&places) {
        line.request_id = Some(id);
        line.request_id_certain = certain;
    }
    line.error = error::of(&body, line.level);
    line.metrics = emf::points(&body, line.time);
    line.body = body;
    if !line.body.contains_key("message")
        && let Some(message) = fields::message(&line.body)
    {
        let message = message.to_owned();
        line.body.insert("message".to_owned(), Value::String(message));
    }
    line
}

/// True for text that has a JSON object's borders.
pub(crate) fn is_json_object(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}')
}

/// The text as a JSON object, if all of it is one.
fn json_object(text: &str) -> Option<Map> {
    if is_json_object(text) { serde_json::from_str(text).ok() } else { None }
}

/// Lambda's Python and Node clients write `\r` for the line breaks inside a record, so that their pipe keeps it whole.
fn with_line_breaks(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}
