//! A printed line → the value of a `function` or `extension` record, in the function's log format.
//!
//! Source: AWS Lambda Developer Guide, "Lambda Telemetry API Event schema reference", `function` and `extension`.

use serde_json::{Value, json};

use crate::function::LogFormat;
use crate::output::Source;

/// The record's value. With the JSON format a JSON object stands as it is, and another line is wrapped.
pub(crate) fn record(
    format: LogFormat,
    source: &Source,
    text: &str,
    time: &str,
    request: Option<&str>,
) -> Value {
    if format == LogFormat::Text {
        return Value::from(text);
    }
    if text.starts_with('{')
        && let Ok(object @ Value::Object(_)) = serde_json::from_str(text)
    {
        return object;
    }
    let mut wrapped = json!({"timestamp": time, "level": "INFO", "message": text});
    if let (Source::Function, Some(request)) = (source, request) {
        wrapped["requestId"] = Value::from(request);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(format: LogFormat, text: &str) -> Value {
        record(format, &Source::Function, text, "2026-11-20T13:52:00.000Z", Some("r"))
    }

    #[test]
    fn text_stays_text_even_if_it_is_json() {
        assert_eq!(of(LogFormat::Text, r#"{"a":1}"#), Value::from(r#"{"a":1}"#));
    }

    #[test]
    fn json_objects_pass_and_everything_else_is_wrapped() {
        assert_eq!(of(LogFormat::Json, r#"{"a":{"b":1}}"#), json!({"a":{"b":1}}));
        assert_eq!(of(LogFormat::Json, "plain")["message"], "plain");
        assert_eq!(of(LogFormat::Json, "{broken")["requestId"], "r");
        assert_eq!(of(LogFormat::Json, "[1]")["level"], "INFO");
    }
}
