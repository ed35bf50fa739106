//! Filters: `"<key> <operation> <value>"`, `{key, operation, value, type}`, and groups `{"and": […]}`, `{"or": […]}`,
//! `{"not": …}`.

use serde_json::{Map, Value};

use super::Reader;
use crate::ast::{Condition, Filter, Key, Literal};
use crate::check::FILTER_DEPTH_MAX;
use crate::diagnostic::Diagnostic;
use crate::operation::{self, Operand, Operation};
use crate::parser;

impl Reader {
    pub(super) fn filters(
        &mut self,
        at: &str,
        value: &Value,
        combination: Option<&(String, &Value)>,
    ) -> Filter {
        let Value::Array(items) = value else {
            self.fault(at, Diagnostic::new("must be a list").hint("as [\"@type = REPORT\"]"));
            return Filter::everything();
        };
        let filters = self.filter_list(at, items, 0);
        match combination.map(|(at, value)| (at, value.as_str())) {
            None | Some((_, Some("AND" | "and"))) => Filter::all(filters),
            Some((_, Some("OR" | "or"))) => Filter::any(filters),
            Some((at, _)) => {
                self.fault(at, Diagnostic::new("must be AND or OR"));
                Filter::everything()
            }
        }
    }

    fn filter_list(&mut self, at: &str, items: &[Value], depth: usize) -> Vec<Filter> {
        let mut filters = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if self.has_enough() {
                break;
            }
            filters.extend(self.one_filter(&format!("{at}[{index}]"), item, depth));
        }
        filters
    }

    /// None where a fault was noted.
    fn one_filter(&mut self, at: &str, value: &Value, depth: usize) -> Option<Filter> {
        if depth > FILTER_DEPTH_MAX {
            self.fault(
                at,
                Diagnostic::new(format!("the filter is nested more than {FILTER_DEPTH_MAX} deep")),
            );
            return None;
        }
        let read = match value {
            Value::String(text) => parser::parse_condition(text),
            Value::Object(parts) => match self.group(at, parts, depth) {
                Some(group) => return group,
                None => {
                    self.unknown_keys(&format!("{at}."), parts, &["key", "operation", "value", "type"]);
                    condition(parts)
                }
            },
            _ => Err(Diagnostic::new("must be a string or an object").hint("as \"@type = REPORT\"")),
        };
        match read {
            Ok(condition) => Some(Filter::Is(condition)),
            Err(fault) => {
                self.fault(at, fault);
                None
            }
        }
    }

    /// None if it is no group; inside, none where a fault was noted.
    fn group(&mut self, at: &str, parts: &Map<String, Value>, depth: usize) -> Option<Option<Filter>> {
        let (name, value) = parts.iter().next().filter(|_| parts.len() == 1)?;
        let inside = format!("{at}.{name}");
        match (name.to_ascii_lowercase().as_str(), value) {
            ("and", Value::Array(items)) => {
                Some(Some(Filter::all(self.filter_list(&inside, items, depth + 1))))
            }
            ("or", Value::Array(items)) => {
                Some(Some(Filter::any(self.filter_list(&inside, items, depth + 1))))
            }
            ("not", value) => {
                let filter = self.one_filter(&inside, value, depth + 1);
                Some(filter.map(|filter| Filter::Not(Box::new(filter))))
            }
            _ => None,
        }
    }
}

/// `{"key": "@duration", "operation": ">", "value": 10, "type": "number"}`
fn condition(parts: &Map<String, Value>) -> Result<Condition, Diagnostic> {
    let text = |key: &str| parts.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let key = text("key").ok_or_else(|| Diagnostic::new("a key is missing"))?;
    let name = text("operation").ok_or_else(|| Diagnostic::new("an operation is missing").hint("as ="))?;
    let operation = Operation::named(name)
        .ok_or_else(|| Diagnostic::new(format!("{name} is no operation")).hint(operation::hint(name)))?;
    let values = match operation.operand() {
        Operand::None => Vec::new(),
        Operand::List => list(parts.get("value"), text("type"))?,
        kind => vec![literal(parts.get("value").unwrap_or(&Value::Null), text("type"), kind)?],
    };
    Ok(Condition { key: Key::new(key), test: operation.test(values)? })
}

/// A JSON list, or its text in brackets as older clients send it.
fn list(value: Option<&Value>, r#type: Option<&str>) -> Result<Vec<Literal>, Diagnostic> {
    match value {
        Some(Value::Array(items)) => items.iter().map(|item| literal(item, r#type, Operand::Value)).collect(),
        Some(Value::String(text)) if text.trim_start().starts_with(['(', '[']) => parser::parse_list(text),
        Some(value) => Ok(vec![literal(value, r#type, Operand::Value)?]),
        None => Err(Diagnostic::new("a list is missing")),
    }
}

/// A JSON value as a literal: what `type` says, else what the JSON value is.
fn literal(value: &Value, r#type: Option<&str>, operand: Operand) -> Result<Literal, Diagnostic> {
    let plain = match value {
        Value::String(text) => Literal::Text(text.clone()),
        Value::Bool(flag) => Literal::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Literal::Int(whole),
            None => Literal::number(number.as_f64().unwrap_or(f64::NAN)),
        },
        _ => return Err(Diagnostic::new("a value must be a text, a number, true or false")),
    };
    match (r#type, &plain) {
        (Some("number"), Literal::Text(text)) => match Literal::compared(text.trim()) {
            Literal::Text(_) | Literal::Bool(_) => Err(Diagnostic::new(format!("{text:?} is no number"))),
            number => Ok(number),
        },
        (Some("boolean"), Literal::Text(text)) => text
            .parse()
            .map(Literal::Bool)
            .map_err(|_| Diagnostic::new(format!("{text:?} is neither true nor false"))),
        (None, Literal::Text(text)) if operand == Operand::Number => Ok(Literal::compared(text)),
        (Some("string" | "number" | "boolean") | None, _) => Ok(plain),
        (Some(other), _) => {
            Err(Diagnostic::new(format!("{other:?} is no type")).hint("string, number or boolean"))
        }
    }
}
