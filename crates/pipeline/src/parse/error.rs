//! What makes a line an error: the type and message under the names that runtimes and loggers use.

use model::{Level, Map, Value};

use super::named::named;
use super::{fields, stack};

/// Long enough for a type and a message; the whole text stays in the body.
const ERROR_BYTES_MAX: usize = 1024;
/// What is taken until secrets are out: one that is cut looks like none.
const UNSCRUBBED_BYTES_MAX: usize = 2 * ERROR_BYTES_MAX;

/// Keys that hold an error as an object or as text. `error` marks a line as an error whatever its level is (the
/// reference's enrichment key); the others may be there for information.
const KEYS: [&str; 8] =
    ["err", "exception", "exc_info", "Exception", "@x", "thrown", "throwable", "stack_trace"];
const TYPE_KEYS: [&str; 9] = [
    "errorType",
    "type",
    "name",
    "exception_name",
    "error_type",
    "exception.type",
    "class",
    "className",
    "exc_type",
];
const MESSAGE_KEYS: [&str; 7] =
    ["errorMessage", "message", "msg", "error_message", "exception.message", "exc_value", "value"];

/// Type and message at the root: Lambda's clients, Powertools, OpenTelemetry, Elastic.
const ROOT_TYPES: [&str; 5] = ["errorType", "exception_name", "error_type", "exception.type", "error.type"];
const ROOT_MESSAGES: [&str; 4] = ["errorMessage", "error_message", "exception.message", "error.message"];
/// Where an error may be nested: Node's JSON console, the reference's logger, `tracing`.
const NESTED_IN: [&str; 3] = ["message", "data", "fields"];

/// What is looked for at a line's root, for [`super::telling`].
pub(super) const ROOT_KEYS: &[&[&str]] = &[&["error"], &KEYS, &ROOT_TYPES, &ROOT_MESSAGES, &NESTED_IN];

/// What makes a JSON line an error; none if it is not one.
pub(super) fn of(body: &Map, level: Option<Level>) -> Option<String> {
    let declared = body.get("error").and_then(described);
    if declared.is_some() {
        return declared;
    }
    if level.is_some_and(|level| level < Level::Error) {
        return None;
    }
    let (kind, message) = at_root(body);
    let found = joined(kind.filter(|_| message.is_some()), message)
        .or_else(|| named(body, &KEYS).find_map(described))
        .or_else(|| kind.map(first_line))
        .or_else(|| nested(body));
    match level {
        Some(level) => {
            found.or_else(|| fields::message(body).map(first_line)).or_else(|| Some(level.to_string()))
        }
        None => found,
    }
}

/// An error as text, or as an object with type and message.
fn described(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(of_text(text)),
        Value::Object(map) if map.is_empty() => None,
        Value::Object(map) => {
            let known = joined(find(map, &TYPE_KEYS), find(map, &MESSAGE_KEYS));
            known.or_else(|| find(map, &["code"]).map(first_line)).or_else(|| Some("error".to_owned()))
        }
        // structlog's dictionaries, .NET's aggregates: the first is the one that was thrown.
        Value::Array(items) => items.first().and_then(described),
        Value::Bool(true) => Some("error".to_owned()),
        _ => None,
    }
}

/// Type and message that stand at the root.
fn at_root(body: &Map) -> (Option<&str>, Option<&str>) {
    (find(body, &ROOT_TYPES), find(body, &ROOT_MESSAGES))
}

/// An error inside another object.
fn nested(body: &Map) -> Option<String> {
    NESTED_IN.iter().find_map(|key| {
        let inner = body.get(*key)?.as_object()?;
        let (kind, message) = at_root(inner);
        joined(kind, message).or_else(|| described(inner.get("error")?))
    })
}

fn find<'a>(map: &'a Map, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| map.get(*key)?.as_str()).filter(|text| !text.is_empty())
}

fn joined(kind: Option<&str>, message: Option<&str>) -> Option<String> {
    match (kind, message) {
        (Some(kind), Some(message)) => Some(first_line(&format!("{kind}: {message}"))),
        (Some(one), None) | (None, Some(one)) => Some(first_line(one)),
        (None, None) => None,
    }
}

/// The telling line of an error's text: of a stack trace the one with type and message, else the first.
pub(super) fn of_text(text: &str) -> String {
    stack::error(text).unwrap_or_else(|| first_line(one_line_head(text)))
}

/// .NET's JSON console puts spaces where the exception's text had line breaks.
fn one_line_head(text: &str) -> &str {
    ["    at ", "   at ", " ---> "].iter().fold(text, |head, frame| head.split(frame).next().unwrap_or(head))
}

/// The first line, without what is too long for a title.
pub(super) fn first_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default().trim_end();
    line[..line.floor_char_boundary(UNSCRUBBED_BYTES_MAX)].to_owned()
}

/// Gives an error the length that titles have, once it is scrubbed.
pub(crate) fn shorten(error: &mut String) {
    error.truncate(error.floor_char_boundary(ERROR_BYTES_MAX));
}
