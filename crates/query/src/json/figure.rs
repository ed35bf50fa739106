//! Calculations, formulas, derived keys and conditions on groups.

use serde_json::{Map, Value};

use super::Reader;
use crate::ast::Key;
use crate::calculation::{Calculation, Operator};
use crate::check::Part;
use crate::diagnostic::{Diagnostic, closest};
use crate::formula::Having;
use crate::heatmap::{Heatmap, Scale};
use crate::parser::{self, Figure};

impl Reader {
    pub(super) fn calculations(&mut self, at: &str, value: &Value) {
        let Value::Array(items) = value else {
            return self.fault(at, Diagnostic::new("must be a list").hint("as [\"COUNT as total\"]"));
        };
        for (index, item) in items.iter().enumerate() {
            if self.has_enough() {
                return;
            }
            let at = format!("{at}[{index}]");
            let read = match item {
                Value::String(text) => parser::parse_figure(text),
                Value::Object(parts) => self.calculation(&at, parts).map(Figure::Calculation),
                _ => {
                    Err(vec![Diagnostic::new("must be a string or an object").hint("as \"COUNT as total\"")])
                }
            };
            match read {
                Ok(Figure::Calculation(calculation)) => {
                    self.places.insert(Part::Calculation(self.draft.calculations.len()), at);
                    self.draft.calculations.push(calculation);
                }
                Ok(Figure::Formula(formula)) => {
                    self.places.insert(Part::Formula(self.draft.formulas.len()), at);
                    self.draft.formulas.push(formula);
                }
                Err(faults) => faults.into_iter().for_each(|fault| self.fault(&at, fault)),
            }
        }
    }

    /// `{"operator": "P99", "key": "@duration", "alias": "p99", "filters": […]}`
    fn calculation(&mut self, at: &str, parts: &Map<String, Value>) -> Result<Calculation, Vec<Diagnostic>> {
        let known = ["operator", "key", "alias", "filters", "filterCombination"];
        self.unknown_keys(&format!("{at}."), parts, &known);
        let given = |key: &str| parts.get(key).filter(|value| !value.is_null());
        let condition = given("filters").map(|value| {
            let combination = given("filterCombination").map(|v| (format!("{at}.filterCombination"), v));
            self.filters(&format!("{at}.filters"), value, combination.as_ref())
        });
        let read = calculation(parts).map_err(|fault| vec![fault])?;
        Ok(Calculation { condition, ..read })
    }

    /// `["seconds = @duration / 1000"]`, or `{"seconds": "@duration / 1000"}`
    pub(super) fn derived(&mut self, at: &str, value: &Value) {
        let items: Option<Vec<(String, String)>> = match value {
            Value::Array(items) => {
                let item = |(index, item): (usize, &Value)| {
                    Some((format!("{at}[{index}]"), item.as_str()?.to_owned()))
                };
                items.iter().enumerate().map(item).collect()
            }
            Value::Object(parts) => {
                let item = |(name, item): (&String, &Value)| {
                    Some((
                        format!("{at}.{name}"),
                        format!("{} = {}", Key::new(name.as_str()), item.as_str()?),
                    ))
                };
                parts.iter().map(item).collect()
            }
            _ => None,
        };
        let Some(items) = items else {
            let fault = Diagnostic::new("must be a list of strings, or an object of them");
            return self.fault(at, fault.hint("as [\"seconds = @duration / 1000\"]"));
        };
        for (at, text) in items {
            if self.has_enough() {
                return;
            }
            match parser::parse_derived(&text) {
                Ok(derived) => {
                    self.places.insert(Part::Derived(self.draft.derived.len()), at);
                    self.draft.derived.push(derived);
                }
                Err(faults) => faults.into_iter().for_each(|fault| self.fault(&at, fault)),
            }
        }
    }

    /// `"@duration"`, or `{"value": "@duration", "scale": "log"}`
    pub(super) fn heatmap(&mut self, at: &str, value: &Value) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let (key, scale) = match value {
            Value::Object(parts) => {
                self.unknown_keys(&format!("{at}."), parts, &["value", "scale"]);
                (text(parts.get("value")), parts.get("scale").filter(|scale| !scale.is_null()))
            }
            value => (text(Some(value)), None),
        };
        let read = scale.map(|scale| scale.as_str().and_then(Scale::named));
        if read == Some(None) {
            self.fault(&format!("{at}.scale"), Diagnostic::new("must be linear or log"));
        }
        match key {
            Some(key) => self.draft.heatmap = Some(Heatmap { key: Key::new(key), scale: read.flatten() }),
            None => self.fault(at, Diagnostic::new("must be a key, or an object with its key as value")),
        }
    }

    /// `"rate > 5 AND total > 100"`, or a list of such, all of which must hold.
    pub(super) fn having(&mut self, at: &str, value: &Value) {
        let one = [value.clone()];
        let mut all = Vec::new();
        for item in value.as_array().map_or(one.as_slice(), Vec::as_slice) {
            if self.has_enough() {
                break;
            }
            match item.as_str().map(parser::parse_having) {
                Some(Ok(having)) => all.push(having),
                Some(Err(faults)) => faults.into_iter().for_each(|fault| self.fault(at, fault)),
                None => self.fault(at, Diagnostic::new("must be a string, or a list of strings")),
            }
        }
        self.draft.having = match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(Having::All(all)),
        };
    }
}

/// `{"operator": "P99", "key": "@duration", "alias": "p99"}`
fn calculation(parts: &Map<String, Value>) -> Result<Calculation, Diagnostic> {
    let text = |key: &str| parts.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("operator").ok_or_else(|| Diagnostic::new("an operator is missing").hint("as COUNT"))?;
    let operator = Operator::named(name).ok_or_else(|| {
        let fault = Diagnostic::new(format!("no calculation is called {name}"));
        match closest(name, Operator::ALL.iter().map(|(name, _)| *name)) {
            Some(near) => fault.hint(format!("did you mean {near}?")),
            None => fault,
        }
    })?;
    // Clients send a key with COUNT too; it never meant anything.
    let key = text("key").filter(|_| operator != Operator::Count).map(Key::new);
    Ok(Calculation { operator, key, condition: None, alias: text("alias").map(str::to_owned) })
}
