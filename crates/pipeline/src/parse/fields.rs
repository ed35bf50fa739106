//! What a JSON line says about itself, under the names that the common loggers use: Powertools, Python's logging and
//! structlog, pino, bunyan, winston, slog, zap, logback, log4j, .NET and Serilog, `tracing`, the Elastic and
//! OpenTelemetry schemas. `tests/fixtures/lines` has a line of each.

use model::{Level, Map, Value};

use super::named::named;

const LEVEL_KEYS: [&str; 13] = [
    "level",
    "severity",
    "levelname",
    "log.level",
    "LogLevel",
    "logLevel",
    "loglevel",
    "lvl",
    "severityText",
    "severity_text",
    "SeverityText",
    "@l",
    "Level",
];

/// Keys that only a Lambda runtime or a logger made for Lambda fills, with the invocation's id.
const INVOCATION_KEYS: [&str; 9] = [
    "function_request_id",
    "awsRequestId",
    "aws_request_id",
    "AWSRequestId",
    "lambda_request_id",
    "lambdaRequestId",
    "faas.invocation_id",
    "faas.execution",
    "@requestId",
];

/// Keys under which the invocation's id may stand, or the id of anything else.
const REQUEST_KEYS: [&str; 3] = ["requestId", "request_id", "RequestId"];

const MESSAGE_KEYS: [&str; 9] = [
    "message",
    "msg",
    "@m",
    "RenderedMessage",
    "@mt",
    "MessageTemplate",
    "Message",
    "@message",
    "short_message",
];

/// Milliseconds by name, by the reference (`duration`), or by the loggers' own convention (pino-http's
/// `responseTime`).
const DURATION_KEYS: [&str; 10] = [
    "duration",
    "duration_ms",
    "durationMs",
    "responseTime",
    "responseLatency",
    "response_time_ms",
    "latency_ms",
    "latencyMs",
    "elapsed_ms",
    "elapsedMs",
];

/// Where loggers put what holds for several lines: logback's and log4j's diagnostic context, Serilog's properties,
/// `tracing`'s innermost span.
const CONTEXT_KEYS: [&str; 5] = ["mdc", "contextMap", "Properties", "fields", "span"];
/// The same as lists: `tracing`'s outer spans, .NET's scopes.
const CONTEXT_LISTS: [&str; 2] = ["spans", "Scopes"];
/// Objects in which a `level` may stand.
const LEVEL_OBJECTS: [&str; 2] = ["log", "@fields"];
const PYTHON_LEVEL: &str = "levelno";
const STRUCTLOG_MESSAGE: &str = "event";

/// What is looked for at a line's root, for [`super::telling`].
pub(super) const ROOT_KEYS: &[&[&str]] = &[
    &LEVEL_KEYS,
    &INVOCATION_KEYS,
    &REQUEST_KEYS,
    &MESSAGE_KEYS,
    &DURATION_KEYS,
    &CONTEXT_KEYS,
    &LEVEL_OBJECTS,
    &CONTEXT_LISTS,
    &[PYTHON_LEVEL, STRUCTLOG_MESSAGE],
];

/// The gravity.
pub(super) fn level(body: &Map) -> Option<Level> {
    let nested = || LEVEL_OBJECTS.iter().filter_map(|key| body.get(*key)?.as_object()?.get("level"));
    let levels = LEVEL_KEYS.iter().filter_map(|key| body.get(*key)).chain(nested());
    levels.into_iter().find_map(level_of).or_else(|| match body.get(PYTHON_LEVEL) {
        Some(Value::Int(number)) => python_level(*number),
        _ => None,
    })
}

fn level_of(value: &Value) -> Option<Level> {
    match value {
        // slog says `DEBUG-4` and `ERROR+2` for levels in between.
        Value::String(word) => word.trim().split(['+', '-']).next()?.parse().ok(),
        Value::Int(number) => pino_level(*number),
        _ => None,
    }
}

/// pino and bunyan: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. Below 10 other scales begin (npm,
/// syslog), which count downwards: no guess.
fn pino_level(number: i64) -> Option<Level> {
    match number {
        10..20 => Some(Level::Trace),
        20..30 => Some(Level::Debug),
        30..40 => Some(Level::Info),
        40..50 => Some(Level::Warn),
        50..60 => Some(Level::Error),
        60..=100 => Some(Level::Fatal),
        _ => None,
    }
}

/// Python's logging: 10 debug, 20 info, 30 warning, 40 error, 50 critical.
fn python_level(number: i64) -> Option<Level> {
    match number {
        1..10 => Some(Level::Trace),
        10..20 => Some(Level::Debug),
        20..30 => Some(Level::Info),
        30..40 => Some(Level::Warn),
        40..50 => Some(Level::Error),
        50.. => Some(Level::Fatal),
        _ => None,
    }
}

/// The maps in which a line's ids may stand, the most telling first: the line itself, then what holds for several,
/// `tracing`'s outer spans and .NET's scopes among them.
pub(super) fn places(body: &Map) -> Vec<&Map> {
    let mut places = vec![body];
    places.extend(named(body, &CONTEXT_KEYS).filter_map(Value::as_object));
    for key in CONTEXT_LISTS {
        if let Some(Value::Array(items)) = body.get(key) {
            places.extend(items.iter().filter_map(Value::as_object));
        }
    }
    places
}

/// The invocation that the line names, and whether it can be nothing else.
pub(super) fn request_id(places: &[&Map]) -> Option<(String, bool)> {
    let certain = places.iter().find_map(|map| named(map, &INVOCATION_KEYS).find_map(usable_id));
    let common = || places.iter().find_map(|map| named(map, &REQUEST_KEYS).find_map(usable_id));
    let (id, is_certain) = certain.map(|id| (id, true)).or_else(|| Some((common()?, false)))?;
    Some((id.to_owned(), is_certain))
}

fn usable_id(value: &Value) -> Option<&str> {
    value.as_str().filter(|id| is_id(id))
}

/// Node's client writes `undefined` before the first invocation, Python's nothing.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text != "undefined" && text != "null" && text.len() <= 128
}

/// What the line says, for people.
pub(super) fn message(body: &Map) -> Option<&str> {
    let rust_tracing = || body.get("fields")?.as_object()?.get("message")?.as_str();
    // structlog calls the message `event`; so do others whatever they like, but not beside a level and a time.
    let structlog = || {
        (body.contains_key("level") && body.contains_key("timestamp")).then_some(())?;
        body.get(STRUCTLOG_MESSAGE)?.as_str()
    };
    MESSAGE_KEYS.iter().find_map(|key| body.get(*key)?.as_str()).or_else(rust_tracing).or_else(structlog)
}

/// How long what the line tells of took, milliseconds.
pub(super) fn duration_ms(body: &Map) -> Option<f64> {
    let usable = |duration: &f64| duration.is_finite() && *duration >= 0.0;
    DURATION_KEYS.iter().filter_map(|key| body.get(*key)?.as_f64()).find(usable)
}
