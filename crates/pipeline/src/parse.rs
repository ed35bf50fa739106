//! One line of text, or one JSON object, becomes a [`Line`]: what it says about itself beside the keys it carries.
//! Never fails: what is not understood is text under `message`.
//!
//! The extension only glances at a line ([`glance`]) and ships its text; the companion reads it whole ([`line()`]),
//! whether it came from there or through CloudWatch. Both are the same code, which is given all keys of an object or
//! those that tell something (`telling`): they say the same about every line.

mod platform;
mod runtime;
mod plain;
mod head;
mod embedded;
mod stack;
mod telling;
mod lenient;
mod named;
mod fields;
mod error;
mod emf;
mod time;
mod context;

use std::borrow::Cow;
use std::ops::Range;

use model::{Level, LogRecord, Map, Metric, SpanId, Timestamp, TraceId, Value};
use wire::Printed;

pub use context::{XrayContext, trace_header, traceparent, xray_header};
pub(crate) use error::shorten as shorten_error;
pub(crate) use plain::is_error as is_error_text;
pub(crate) use platform::{TIMED_OUT, timed_out};
pub(crate) use stack::names_error;

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
    /// Its keys; of a glance those of its JSON's that tell something.
    pub body: Map,
    /// The points of an Embedded Metric Format line. Those without a time of their own have `time` or the epoch;
    /// `request_id` is the caller's to set.
    pub metrics: Vec<Metric>,
    /// Points that it declares beyond those.
    pub metrics_left_out: usize,
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
        self.metrics_left_out += inner.metrics_left_out;
    }
}

/// How much of a line's own keys is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// All of them.
    All,
    /// Those of its JSON by which a line says something about itself, and nothing for the others' sake.
    Telling,
}

/// Understands one record that came as text; line breaks at its end are no part of it.
pub fn line(text: &str) -> Line {
    understand(text, Keys::All)
}

/// What [`line()`] says about the same text, for a fraction of its cost: everything but the keys.
pub fn glance(text: &str) -> Line {
    understand(text, Keys::Telling)
}

/// What the reader of a batch wants of a line that was shipped as it was printed.
pub fn printed(text: &str) -> Printed {
    let text = text.trim_end_matches(['\n', '\r']);
    let mut printed = match json_object(text, Keys::All) {
        // Time, level and ids came beside the line: they are not looked for again.
        Some(keys) => Printed {
            duration_ms: fields::duration_ms(&keys),
            error: error::of(&keys, fields::level(&keys)),
            keys: with_message(keys),
        },
        None => {
            let line = of_text(text, Keys::All);
            Printed { keys: line.body, duration_ms: line.duration_ms, error: line.error }
        }
    };
    printed.error.iter_mut().for_each(error::shorten);
    printed
}

/// What the line of a record says goes into the record, and its text with it.
pub fn take_apart(log: &mut LogRecord) {
    wire::printed::take_apart(log, printed);
}

/// The text as it is worth keeping: without the line breaks at its end, and with those inside it as line breaks.
pub fn kept(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    match with_line_breaks(&text) {
        Cow::Owned(broken) if !is_json_object(&text) => broken,
        _ => text,
    }
}

/// Where in a line the JSON object stands whose keys [`line()`] reads, if it has one; whether all of it is JSON is left
/// to who reads it.
pub fn json_range(text: &str) -> Option<Range<usize>> {
    if !text.contains('{') {
        return None;
    }
    let message_at = runtime::message_at(text);
    let message = &text[message_at..];
    let range = match is_json_object(message) {
        true => message.find('{')?..message.trim_end().len(),
        false => plain::object_range(message)?,
    };
    Some(message_at + range.start..message_at + range.end)
}

fn understand(text: &str, keys: Keys) -> Line {
    let text = text.trim_end_matches(['\n', '\r']);
    match json_object(text, keys) {
        Some(map) => of_object(map, keys),
        None => of_text(text, keys),
    }
}

fn of_text(text: &str, keys: Keys) -> Line {
    let text = with_line_breaks(text);
    platform::line(&text).or_else(|| runtime::line(&text, keys)).unwrap_or_else(|| plain::line(&text, keys))
}

/// Understands a JSON object. Every key is kept; a message that stands under another logger's name (`msg`,
/// `fields.message`, …) is also put under `message`.
fn of_object(body: Map, keys: Keys) -> Line {
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
    (line.metrics, line.metrics_left_out) = emf::points(&body, line.time);
    line.body = if keys == Keys::All { with_message(body) } else { body };
    line
}

/// One key finds all messages, whatever their logger calls them.
fn with_message(mut body: Map) -> Map {
    if !body.contains_key("message")
        && let Some(message) = fields::message(&body)
    {
        let message = message.to_owned();
        body.insert("message".to_owned(), Value::String(message));
    }
    body
}

/// What the line says, for people; of a glance, where that is JSON.
pub(crate) fn message(line: &Line) -> Option<&str> {
    fields::message(&line.body)
}

/// True for text that has a JSON object's borders.
pub(crate) fn is_json_object(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}')
}

/// The text as a JSON object, if all of it is one.
fn json_object(text: &str, keys: Keys) -> Option<Map> {
    is_json_object(text).then_some(())?;
    match keys {
        Keys::All => serde_json::from_str(text).ok().or_else(|| lenient::object(text)),
        Keys::Telling => telling::read(text),
    }
}

/// Lambda's Python and Node clients write `\r` for the line breaks inside a record, so that their pipe keeps it whole.
fn with_line_breaks(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}
