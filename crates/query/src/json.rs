//! The JSON forms: the reference's query run (`parameters`, `timeframe`, `granularity`, `view`), its parameters alone
//! at the root, and `{"text": …}`. Legacy spellings are read, unknown keys are errors, and every fault names the key
//! that it stands under.

mod condition;
mod figure;
mod parameter;

use std::collections::BTreeMap;

use model::Timestamp;
use serde_json::{Map, Value};

use crate::ast::{Query, View};
use crate::check::Part;
use crate::diagnostic::{Diagnostic, Diagnostics, closest};
use crate::draft::{Draft, Granularity, PATTERNS};
use crate::time;
use crate::zone::Zone;

/// What stands around a query's parameters, or beside them.
const RUN_KEYS: [&str; 13] = [
    "parameters",
    "timezone",
    "timeframe",
    "compare",
    "explain",
    "granularity",
    "limit",
    "view",
    "patternType",
    "service",
    "workspaceId",
    "environmentId",
    "queryId",
];
/// A query's parameters, the legacy ones last.
const PARAMETER_KEYS: [&str; 16] = [
    "datasets",
    "derived",
    "calculations",
    "formulas",
    "filters",
    "filterCombination",
    "groupBys",
    "having",
    "heatmap",
    "others",
    "orderBy",
    "needle",
    "dataset",
    "groupBy",
    "namespaces",
    "namespaceCombination",
];

/// Reads any of the forms.
pub(crate) fn read(json: &Value, now: Timestamp) -> Result<(Query, Vec<Diagnostic>), Diagnostics> {
    let Value::Object(root) = json else {
        return Err(Diagnostics::one(
            Diagnostic::new("a query is a JSON object").hint("as {\"text\": \"COUNT\"}"),
        ));
    };
    if let Some(text) = root.get("text") {
        return read_text(root, text, now).map(|query| (query, Vec::new()));
    }
    let mut reader = Reader { now, draft: Draft::default(), places: BTreeMap::new(), notes: Vec::new() };
    match root.get("parameters") {
        Some(Value::Object(parameters)) => {
            reader.unknown_keys("", root, &RUN_KEYS);
            let known = PARAMETER_KEYS.iter().chain(&RUN_KEYS[1..9]).copied().collect::<Vec<_>>();
            reader.unknown_keys("parameters.", parameters, &known);
            reader.parameters("parameters.", parameters);
            reader.run("parameters.", parameters);
        }
        Some(_) => reader.fault("parameters", Diagnostic::new("must be an object")),
        None => {
            let known = PARAMETER_KEYS.iter().chain(&RUN_KEYS).copied().collect::<Vec<_>>();
            reader.unknown_keys("", root, &known);
            reader.parameters("", root);
        }
    }
    reader.run("", root);
    reader.finish()
}

fn read_text(root: &Map<String, Value>, text: &Value, now: Timestamp) -> Result<Query, Diagnostics> {
    let beside = root.keys().find(|key| !["text", "explain"].contains(&key.as_str()));
    let explain = root.get("explain").and_then(Value::as_bool).unwrap_or(false);
    match (text, beside) {
        (Value::String(text), None) => {
            crate::parse_text(text, now).map(|query| Query { explain: query.explain || explain, ..query })
        }
        (Value::String(_), Some(key)) => {
            let fault = Diagnostic::new("stands beside text, which is a whole query").at(key.as_str());
            Err(Diagnostics::one(fault.hint("say it in the text, or leave text out")))
        }
        _ => Err(Diagnostics::one(Diagnostic::new("must be a string").at("text"))),
    }
}

struct Reader {
    now: Timestamp,
    draft: Draft,
    places: BTreeMap<Part, String>,
    /// Spellings of earlier years.
    notes: Vec<Diagnostic>,
}

impl Reader {
    fn finish(self) -> Result<(Query, Vec<Diagnostic>), Diagnostics> {
        let Self { now, draft, places, notes } = self;
        let query = draft.finish(now, |part, fault| {
            let nearest = || places.range(..=part).next_back().map(|(_, place)| place.clone());
            match places.get(&part).cloned().or_else(nearest) {
                Some(place) => fault.at(place),
                None => fault,
            }
        })?;
        Ok((query, notes))
    }

    /// Notes that something is written otherwise today.
    fn legacy(&mut self, at: &str, today: impl Into<String>) {
        let note = Diagnostic::new("is a spelling of earlier years").hint(today).at(at);
        self.notes.push(note);
    }

    fn fault(&mut self, at: &str, fault: Diagnostic) {
        self.draft.found.push(fault.at(at));
    }

    fn unknown_keys(&mut self, prefix: &str, object: &Map<String, Value>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let shown: String = key.chars().take(80).collect();
            let hint = match closest(&shown, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known are {}", known.join(" ")),
            };
            self.fault(&format!("{prefix}{shown}"), Diagnostic::new("is not known here").hint(hint));
        }
    }

    /// Timeframe, granularity, limit and view: around the parameters, or among them.
    fn run(&mut self, prefix: &str, object: &Map<String, Value>) {
        let given = |key: &str| {
            object.get(key).filter(|value| !value.is_null()).map(|v| (format!("{prefix}{key}"), v))
        };
        if let Some((at, value)) = given("timezone") {
            self.draft.zone = value.as_str().and_then(Zone::named);
            if self.draft.zone.is_none() {
                let fault = Diagnostic::new("is no time zone").hint("as \"Europe/Berlin\"");
                self.fault(&at, fault);
            }
        }
        if let Some((at, value)) = given("compare") {
            self.draft.compare_ms = milliseconds(value);
            if self.draft.compare_ms.is_none() {
                self.fault(&at, Diagnostic::new("must be milliseconds, or a duration as \"1d\""));
            }
            self.places.insert(Part::Compare, at);
        }
        if let Some((at, value)) = given("explain") {
            match value.as_bool() {
                Some(explain) => self.draft.explain = explain,
                None => self.fault(&at, Diagnostic::new("must be true or false")),
            }
        }
        if let Some((at, value)) = given("timeframe") {
            self.timeframe(&at, value);
            self.places.insert(Part::Timeframe, at);
        }
        if let Some((at, value)) = given("granularity") {
            self.granularity(&at, value);
            self.places.insert(Part::Granularity, at);
        }
        if let Some((at, value)) = given("limit") {
            match value.as_u64() {
                Some(limit) => self.draft.limit = Some(limit),
                None => self.fault(&at, Diagnostic::new("must be a whole number over 0")),
            }
            self.places.insert(Part::Limit, at);
        }
        if let Some((at, value)) = given("view") {
            self.view(&at, value, object.get("patternType"));
            self.places.insert(Part::View, at);
        }
    }

    fn timeframe(&mut self, at: &str, value: &Value) {
        match value {
            Value::String(width) => match time::duration_ms(width) {
                Some(ms) => {
                    self.draft.from = Some(self.now.minus(std::time::Duration::from_millis(ms)));
                    self.draft.to = Some(self.now);
                }
                None => self.fault(
                    at,
                    Diagnostic::new("is no duration").hint("as \"1h\", or {\"from\": …, \"to\": …}"),
                ),
            },
            Value::Object(ends) => {
                self.unknown_keys(&format!("{at}."), ends, &["from", "to"]);
                self.draft.from = ends.get("from").and_then(|value| self.point(&format!("{at}.from"), value));
                self.draft.to = ends.get("to").and_then(|value| self.point(&format!("{at}.to"), value));
            }
            _ => self.fault(at, Diagnostic::new("must be an object with from and to, or a duration")),
        }
    }

    fn point(&mut self, at: &str, value: &Value) -> Option<Timestamp> {
        let point = match value {
            Value::Number(ms) => ms.as_i64().map(Timestamp::from_millis),
            Value::String(text) => time::point(text, self.now, &self.draft.zone.clone().unwrap_or_default()),
            _ => None,
        };
        if point.is_none() {
            let hint = "milliseconds since the epoch, or as \"2026-11-20T13:00:00Z\", \"2h\" (ago), \"now\"";
            self.fault(at, Diagnostic::new("is no time").hint(hint));
        }
        point
    }

    fn granularity(&mut self, at: &str, value: &Value) {
        match milliseconds(value) {
            Some(0) => self.draft.granularity = Granularity::None,
            Some(width) => self.draft.granularity = Granularity::Width(width),
            None => self
                .fault(at, Diagnostic::new("must be milliseconds, or a duration as \"5m\"; 0 for no series")),
        }
    }

    fn view(&mut self, at: &str, value: &Value, pattern_type: Option<&Value>) {
        let patterns = |name: &str| name.eq_ignore_ascii_case(PATTERNS);
        match (value.as_str(), pattern_type.map(Value::as_str)) {
            (Some(name), None | Some(Some("message"))) if patterns(name) => {
                self.draft.patterns = Some("$limelight.pattern");
            }
            (Some(name), Some(Some("error"))) if patterns(name) => {
                self.draft.patterns = Some("$limelight.errorPattern");
            }
            (Some(name), Some(_)) if patterns(name) => {
                self.fault("patternType", Diagnostic::new("must be message or error"));
            }
            (name, _) => {
                self.draft.view = name.and_then(View::named);
                if self.draft.view.is_none() {
                    let known = View::ALL.map(|(name, _)| name).join(", ");
                    self.fault(at, Diagnostic::new(format!("must be one of {known} and {PATTERNS}")));
                }
            }
        }
    }
}

/// Milliseconds, as a number or a duration's text.
fn milliseconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(ms) => ms.as_u64(),
        Value::String(text) => time::duration_ms(text),
        _ => None,
    }
}
