//! A query's parameters, each in its object form, its string form and its legacy spelling.

use serde_json::{Map, Value};

use super::Reader;
use crate::ast::{Condition, Filter, Group, Key, Literal, Needle, Order, OrderBy, Test};
use crate::check::Part;
use crate::diagnostic::Diagnostic;

/// How many groups a query of 2023 showed if it did not say.
const LEGACY_GROUPS: u64 = 10;

impl Reader {
    pub(super) fn parameters(&mut self, prefix: &str, parameters: &Map<String, Value>) {
        let given = |key: &str| {
            parameters
                .get(key)
                .filter(|value| !value.is_null())
                .map(|value| (format!("{prefix}{key}"), value))
        };
        if let (None, Some((at, _))) = (given("datasets"), given("dataset")) {
            self.legacy(&at, "today: datasets, a list");
        }
        if let Some((at, value)) = given("datasets").or_else(|| given("dataset")) {
            self.draft.datasets = self.names(&at, value);
            self.places.insert(Part::Datasets, at);
        }
        if let Some((at, value)) = given("derived") {
            self.derived(&at, value);
        }
        for key in ["calculations", "formulas"] {
            if let Some((at, value)) = given(key) {
                self.calculations(&at, value);
            }
        }
        let combination = given("filterCombination");
        let filters = given("filters").map(|(at, value)| {
            self.places.insert(Part::Filter, at.clone());
            self.filters(&at, value, combination.as_ref())
        });
        let namespaces = given("namespaces").map(|(at, value)| {
            self.legacy(&at, "today: a filter, as \"$limelight.namespace IN (a, b)\"");
            self.places.entry(Part::Filter).or_insert_with(|| at.clone());
            let names = self.names(&at, value);
            self.namespaces(&names, given("namespaceCombination").as_ref())
        });
        self.conditions.extend([filters, namespaces].into_iter().flatten());
        if let (None, Some((at, value))) = (given("groupBys"), given("groupBy")) {
            self.legacy(&at, "today: groupBys, a list");
            self.draft.limit = value.is_object().then_some(LEGACY_GROUPS);
        }
        if let Some((at, value)) = given("groupBys").or_else(|| given("groupBy")) {
            self.group_bys(&at, value);
            self.places.insert(Part::Group(0), at);
        }
        if let Some((at, value)) = given("having") {
            self.having(&at, value);
            self.places.insert(Part::Having, at);
        }
        if let Some((at, value)) = given("heatmap") {
            self.heatmap(&at, value);
            self.places.insert(Part::Heatmap, at);
        }
        if let Some((at, value)) = given("others") {
            self.draft.others = self.flag(&at, value);
            self.places.insert(Part::Others, at);
        }
        if let Some((at, value)) = given("orderBy") {
            self.order_by(&at, value);
        }
        if let Some((at, value)) = given("needle") {
            self.needle(&at, value);
            self.places.insert(Part::Needle, at);
        }
    }

    /// One string, or a list of strings.
    fn names(&mut self, at: &str, value: &Value) -> Vec<String> {
        let one = [value.clone()];
        let items = value.as_array().map_or(one.as_slice(), Vec::as_slice);
        let names: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        names.unwrap_or_else(|| {
            self.fault(at, Diagnostic::new("must be a list of strings"));
            Vec::new()
        })
    }

    /// The reference's parameter of 2022.
    fn namespaces(&mut self, names: &[String], combination: Option<&(String, &Value)>) -> Filter {
        let is = |test| Filter::Is(Condition { key: Key::new("$limelight.namespace"), test });
        let literals = || names.iter().map(|name| Literal::Text(name.clone())).collect();
        match combination.map(|(at, value)| (at, value.as_str())) {
            None | Some((_, Some("INCLUDE"))) => is(Test::In(literals())),
            Some((_, Some("EXCLUDE"))) => is(Test::NotIn(literals())),
            Some((_, Some("STARTS_WITH"))) => {
                Filter::any(names.iter().map(|name| is(Test::StartsWith(name.clone()))).collect())
            }
            Some((at, _)) => {
                self.fault(at, Diagnostic::new("must be INCLUDE, EXCLUDE or STARTS_WITH"));
                Filter::everything()
            }
        }
    }

    fn group_bys(&mut self, at: &str, value: &Value) {
        let one = [value.clone()];
        let items = value.as_array().map_or(one.as_slice(), Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if self.has_enough() {
                return;
            }
            let at = if value.is_array() { format!("{at}[{index}]") } else { at.to_owned() };
            let key = match item {
                Value::String(key) => Some(key.as_str()),
                Value::Object(parts) => {
                    self.legacy_group(&at, parts);
                    parts.get("value").and_then(Value::as_str)
                }
                _ => None,
            };
            match key {
                Some(key) => self.draft.group_by.push(Group { key: Key::new(key) }),
                None => {
                    let hint = "as {\"type\": \"string\", \"value\": \"$limelight.namespace\"}";
                    self.fault(
                        &at,
                        Diagnostic::new("must be a key, or an object with its key as value").hint(hint),
                    );
                }
            }
            self.places.insert(Part::Group(index), at);
        }
    }

    /// A group of 2023 carries order and limit of the whole result.
    fn legacy_group(&mut self, at: &str, parts: &Map<String, Value>) {
        self.unknown_keys(&format!("{at}."), parts, &["type", "value", "limit", "orderBy", "order"]);
        let given = |key: &str| {
            let value = parts.get(key).filter(|value| !value.is_null())?;
            Some((format!("{at}.{key}"), value))
        };
        for (key, today) in [
            ("limit", "today: limit beside groupBys"),
            ("orderBy", "today: orderBy beside groupBys"),
            ("order", "today: order inside orderBy"),
        ] {
            if given(key).is_some() {
                self.legacy(&format!("{at}.{key}"), today);
            }
        }
        if let Some((at, value)) = given("type")
            && !matches!(value.as_str(), Some("" | "string" | "number" | "boolean"))
        {
            self.fault(&at, Diagnostic::new("is no type").hint("string, number or boolean"));
        }
        if let Some((at, value)) = given("limit") {
            match value.as_u64() {
                Some(limit) => self.draft.limit = Some(limit),
                None => self.fault(&at, Diagnostic::new("must be a whole number over 0")),
            }
            self.places.insert(Part::Limit, at);
        }
        self.direction = given("order").and_then(|(at, value)| self.direction(&at, value));
        if let Some((at, value)) = given("orderBy") {
            let order = self.direction.unwrap_or_default();
            match value.as_str() {
                Some(value) => self.draft.order_by = Some(OrderBy { value: value.to_owned(), order }),
                None => self.fault(&at, Diagnostic::new("must name a calculation")),
            }
            self.places.insert(Part::OrderBy, at);
        }
    }

    fn direction(&mut self, at: &str, value: &Value) -> Option<Order> {
        match value.as_str() {
            Some("ASC" | "asc") => Some(Order::Ascending),
            Some("DESC" | "desc") => Some(Order::Descending),
            _ => {
                self.fault(at, Diagnostic::new("must be ASC or DESC"));
                None
            }
        }
    }

    fn order_by(&mut self, at: &str, value: &Value) {
        let order_by = match value {
            Value::String(value) => Some(OrderBy { value: value.clone(), order: Order::default() }),
            Value::Object(parts) => {
                self.unknown_keys(&format!("{at}."), parts, &["value", "order"]);
                let order = parts.get("order").filter(|order| !order.is_null());
                let order = order.and_then(|order| self.direction(&format!("{at}.order"), order));
                let value = parts.get("value").and_then(Value::as_str);
                value.map(|value| OrderBy { value: value.to_owned(), order: order.unwrap_or_default() })
            }
            _ => None,
        };
        if order_by.is_none() {
            let hint = "as {\"value\": \"total\", \"order\": \"DESC\"}";
            self.fault(at, Diagnostic::new("must name a calculation").hint(hint));
        }
        self.draft.order_by = order_by;
        self.places.insert(Part::OrderBy, at.to_owned());
    }

    fn needle(&mut self, at: &str, value: &Value) {
        let needle = match value {
            Value::String(text) => Some(Needle { value: text.clone(), is_regex: false, match_case: false }),
            Value::Object(parts) => {
                self.unknown_keys(&format!("{at}."), parts, &["value", "item", "isRegex", "matchCase"]);
                if parts.contains_key("item") {
                    self.legacy(&format!("{at}.item"), "today: value");
                }
                let text = parts.get("value").or_else(|| parts.get("item")).and_then(Value::as_str);
                let mut flag = |key: &str| {
                    let value = parts.get(key).filter(|value| !value.is_null());
                    value.is_some_and(|value| self.flag(&format!("{at}.{key}"), value))
                };
                let (is_regex, match_case) = (flag("isRegex"), flag("matchCase"));
                text.map(|text| Needle { value: text.to_owned(), is_regex, match_case })
            }
            _ => None,
        };
        match needle {
            // Clients send an empty one when nothing is searched for.
            Some(needle) if needle.value.is_empty() => {}
            Some(needle) => self.draft.needle = Some(needle.unslashed()),
            None => self.fault(at, Diagnostic::new("must be a text, or an object with it as value")),
        }
    }
}
