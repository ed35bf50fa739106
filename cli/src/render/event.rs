//! One event as a line (or lines, with its stack trace) of a tail.

use model::Timestamp;
use serde_json::{Map, Value};

use super::number::{cell, duration, time};
use super::text::{Colour, Paint, fit, left, visible, visible_lines};

/// Values are cut in the line; `--format json` has them whole.
const VALUE_COLUMNS_MAX: usize = 60;
/// Keys shown in the line.
const KEYS_MAX: usize = 12;
/// What is the same for every event of a function: who emitted it, from where. Not in the line.
const EMITTER: [&str; 8] = [
    "aws.lambda.",
    "cloud.",
    "telemetry.",
    "service.",
    "process.",
    "host.",
    "faas.max_memory",
    "faas.version",
];

/// An event as the API shows it: the envelope under `$limelight`, the rest beside it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a Map<String, Value>);

impl<'a> Shown<'a> {
    /// A field of the envelope; empty if it is not there.
    pub fn envelope(&self, key: &str) -> &'a str {
        self.field(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn field(&self, key: &str) -> Option<&'a Value> {
        self.0.get("$limelight").and_then(|envelope| envelope.get(key))
    }

    /// When it happened.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.moment("timestamp")
    }

    /// When the store took it.
    pub fn ingested_at(&self) -> Option<Timestamp> {
        self.moment("ingestedAt")
    }

    fn moment(&self, key: &str) -> Option<Timestamp> {
        match self.field(key)? {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64().map(Timestamp::from_millis),
        }
    }

    /// The value at a dotted path; `$limelight.` and its alias name the envelope.
    pub fn at(&self, path: &str) -> Option<&'a Value> {
        let path = path.replace("$baselime.", "$limelight.");
        descend(self.0, &path)
    }

    /// What a person reads first: the message, else the name with its duration, else what kind of record it is.
    fn headline(&self) -> String {
        let text = |key: &str| self.0.get(key).and_then(Value::as_str);
        if let Some(message) = text("message").or_else(|| text("@message")) {
            return message.to_owned();
        }
        let name = [self.envelope("name"), text("@type").unwrap_or_default()];
        let mut words: Vec<String> =
            name.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect();
        if let Some(ms) = self.field("duration").and_then(Value::as_f64) {
            words.push(duration(ms));
        }
        words.join(" ")
    }
}

/// Keys may hold dots, so every way to split the path is tried, longest key first.
fn descend<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = map.get(path) {
        return Some(value);
    }
    path.rmatch_indices('.').find_map(|(dot, _)| match map.get(&path[..dot]) {
        Some(Value::Object(inner)) => descend(inner, &path[dot + 1..]),
        _ => None,
    })
}

/// `time LEVEL namespace message key=value …`; further lines of the message are indented.
pub fn line(event: &Map<String, Value>, paint: Paint) -> String {
    let shown = Shown(event);
    let when = shown.timestamp().map_or_else(|| " ".repeat(23), time);
    let level = left(&visible(shown.envelope("level")).to_uppercase(), 5);
    let owner = visible(shown.envelope("namespace"));
    let parts = [
        paint.colour(Colour::Cyan, &when),
        paint.colour(level_colour(shown.envelope("level")), &level),
        paint.colour(Colour::Green, &owner),
        visible_lines(&shown.headline(), 4),
    ];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let keys = paint.colour(Colour::Dim, &keys(event));
    // Behind a stack trace the keys would be lost.
    let gap = if text.contains('\n') && !keys.is_empty() { "\n    " } else { " " };
    format!("{}\n", format!("{text}{gap}{keys}").trim_end())
}

/// The value at one path instead of the whole event: text as it is, anything else as JSON.
pub fn field(event: &Map<String, Value>, path: &str) -> Option<String> {
    Some(match Shown(event).at(path)? {
        Value::String(text) => visible_lines(text, 0),
        other => visible(&other.to_string()).into_owned(),
    })
}

/// `key=value …` of what is not told elsewhere in the line.
pub(super) fn keys(event: &Map<String, Value>) -> String {
    let told = |key: &str| {
        matches!(key, "$limelight" | "message" | "@message" | "@type")
            || EMITTER.iter().any(|prefix| key.starts_with(prefix))
    };
    let mut pairs = Vec::new();
    for (key, value) in event.iter().filter(|(key, _)| !told(key)) {
        flatten(key, value, &mut pairs);
    }
    let hidden = pairs.len().saturating_sub(KEYS_MAX);
    pairs.truncate(KEYS_MAX);
    if hidden > 0 {
        pairs.push(format!("(+{hidden})"));
    }
    pairs.join(" ")
}

fn flatten(path: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, inner)| flatten(&format!("{path}.{key}"), inner, pairs));
        }
        Value::String(text) => {
            pairs.push(format!("{}={}", visible(path), fit(&visible(text), VALUE_COLUMNS_MAX)))
        }
        other => pairs.push(format!("{}={}", visible(path), fit(&visible(&cell(other)), VALUE_COLUMNS_MAX))),
    }
}

/// The colour of a level.
pub fn level_colour(level: &str) -> Colour {
    match level.to_ascii_lowercase().as_str() {
        "error" | "fatal" | "critical" => Colour::Red,
        "warn" | "warning" => Colour::Yellow,
        "debug" | "trace" => Colour::Dim,
        _ => Colour::Blue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(json: &Value) -> Map<String, Value> {
        json.as_object().cloned().unwrap()
    }

    #[test]
    fn a_log_reads_as_it_was_printed_with_its_keys_behind() {
        let log = event(&json!({
            "$limelight": {"timestamp": "2026-11-20T12:00:00.123456Z", "level": "error", "namespace": "checkout"},
            "message": "declined\n  at pay.js:3\x1b[2J", "order": {"id": "o1", "amount": 1234}, "cloud.provider": "aws",
        }));
        assert_eq!(
            line(&log, Paint::none()),
            "2026-11-20 12:00:00.123 ERROR checkout declined\n      at pay.js:3\\x1b[2J\n    order.amount=1,234 order.id=o1\n"
        );
    }

    #[test]
    fn a_span_reads_as_its_name_and_how_long_it_took() {
        let span = event(&json!({"$limelight": {"name": "init", "duration": 480.25, "namespace": "pay"}}));
        assert!(line(&span, Paint::none()).contains("pay init 480 ms"));
    }

    #[test]
    fn one_field_is_found_by_its_dotted_path_even_if_a_key_has_dots() {
        let log = event(&json!({"a": {"b": {"c": 1}}, "x": {"y.z": "text"}, "$limelight": {"id": "7"}}));
        assert_eq!(field(&log, "a.b.c").as_deref(), Some("1"));
        assert_eq!(field(&log, "x.y.z").as_deref(), Some("text"));
        assert_eq!(field(&log, "$baselime.id").as_deref(), Some("7"));
        assert_eq!(field(&log, "a.nothing"), None);
    }
}
