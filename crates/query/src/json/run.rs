//! What a query run says beside its parameters: service, times, limit, view. It may stand among the parameters too; what
//! stands beside them wins.

use serde_json::{Map, Value};

use super::Reader;
use crate::ast::{Condition, Filter, Key, Literal, Test, View};
use crate::check::Part;
use crate::diagnostic::Diagnostic;
use crate::draft::{Granularity, PATTERNS};
use crate::time;
use crate::zone::Zone;
use model::Timestamp;

/// The objects that a run's keys may stand in, each with what its keys begin with; a later one wins.
pub(super) struct Around<'j>(pub(super) Vec<(&'static str, &'j Map<String, Value>)>);

impl<'j> Around<'j> {
    /// A key's value and the place it stands at; null is as if it were not there.
    fn given(&self, key: &str) -> Option<(String, &'j Value)> {
        self.0.iter().rev().find_map(|(prefix, object)| {
            object.get(key).filter(|value| !value.is_null()).map(|value| (format!("{prefix}{key}"), value))
        })
    }
}

impl Reader {
    pub(super) fn run(&mut self, around: &Around<'_>) {
        // First of all: days and times without offset are read in it.
        if let Some((at, value)) = around.given("timezone") {
            self.zone(&at, value);
        }
        if let Some((at, value)) = around.given("timeframe") {
            self.timeframe(&at, value);
            self.places.insert(Part::Timeframe, at);
        }
        if let Some((at, value)) = around.given("compare") {
            self.compare(&at, value);
            self.places.insert(Part::Compare, at);
        }
        if let Some((at, value)) = around.given("granularity") {
            self.granularity(&at, value);
            self.places.insert(Part::Granularity, at);
        }
        if let Some((at, value)) = around.given("limit") {
            match value.as_u64() {
                Some(limit) => self.draft.limit = Some(limit),
                None => self.fault(&at, Diagnostic::new("must be a whole number over 0")),
            }
            self.places.insert(Part::Limit, at);
        }
        if let Some((at, value)) = around.given("view") {
            self.view(&at, value, around.given("patternType").as_ref());
            self.places.insert(Part::View, at);
        }
        if let Some((at, value)) = around.given("explain") {
            self.draft.explain = self.flag(&at, value);
        }
        if let Some((at, value)) = around.given("service") {
            self.service(&at, value);
            self.places.entry(Part::Filter).or_insert(at);
        }
    }

    fn zone(&mut self, at: &str, value: &Value) {
        self.draft.zone = value.as_str().and_then(Zone::named);
        if self.draft.zone.is_none() {
            self.fault(at, Diagnostic::new("is no time zone").hint("as \"Europe/Berlin\""));
        }
    }

    fn compare(&mut self, at: &str, value: &Value) {
        self.draft.compare_ms = milliseconds(value);
        if self.draft.compare_ms.is_none() {
            self.fault(at, Diagnostic::new("must be milliseconds, or a duration as \"1d\""));
        }
    }

    fn service(&mut self, at: &str, value: &Value) {
        match value.as_str() {
            Some("") => {}
            Some(service) => {
                let test = Test::Equals(Literal::Text(service.to_owned()));
                self.conditions.push(Filter::Is(Condition { key: Key::new("$limelight.service"), test }));
            }
            None => self.fault(at, Diagnostic::new("must be a string")),
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

    fn view(&mut self, at: &str, value: &Value, pattern_type: Option<&(String, &Value)>) {
        let name = value.as_str().unwrap_or_default();
        if name.eq_ignore_ascii_case(PATTERNS) {
            return self.patterns(pattern_type);
        }
        self.draft.view = View::named(name);
        if self.draft.view.is_none() {
            let known = View::ALL.map(|(name, _)| name).join(", ");
            self.fault(at, Diagnostic::new(format!("must be one of {known} and {PATTERNS}")));
        }
    }

    /// Patterns of messages, or of errors.
    fn patterns(&mut self, r#type: Option<&(String, &Value)>) {
        match r#type.map(|(at, value)| (at, value.as_str())) {
            None | Some((_, Some("message"))) => self.draft.patterns = Some("$limelight.pattern"),
            Some((_, Some("error"))) => self.draft.patterns = Some("$limelight.errorPattern"),
            Some((at, _)) => self.fault(at, Diagnostic::new("must be message or error")),
        }
    }
}

/// Milliseconds, as a number or a duration's text.
fn milliseconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(ms) => ms.as_u64().filter(|ms| *ms < time::DURATION_MS_BELOW),
        Value::String(text) => time::duration_ms(text),
        _ => None,
    }
}
