//! The JSON forms: the reference's query run (`parameters`, `timeframe`, `granularity`, `view`), its parameters alone
//! at the root, and `{"text": …}`. Legacy spellings are read, unknown keys are errors, and every fault names the key
//! that it stands under.

mod condition;
mod figure;
mod parameter;
mod run;

use std::collections::BTreeMap;

use model::Timestamp;
use serde_json::{Map, Value};

use crate::ast::{Filter, Order, OrderBy, Query};
use crate::check::Part;
use crate::diagnostic::{Diagnostic, Diagnostics, Found, closest};
use crate::draft::Draft;
use run::Around;

/// What stands around a query's parameters, or beside them.
const RUN_KEYS: [&str; 9] =
    ["timezone", "timeframe", "compare", "explain", "granularity", "limit", "view", "patternType", "service"];
/// What clients send with a run that says nothing about its answer.
const NAME_KEYS: [&str; 3] = ["workspaceId", "environmentId", "queryId"];
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
    let mut reader = Reader::new(now);
    let mut around = vec![("", root)];
    match root.get("parameters") {
        Some(Value::Object(parameters)) => {
            reader.unknown_keys("", root, &[&["parameters"], &RUN_KEYS[..], &NAME_KEYS].concat());
            reader.unknown_keys("parameters.", parameters, &[&PARAMETER_KEYS[..], &RUN_KEYS].concat());
            reader.parameters("parameters.", parameters);
            around.insert(0, ("parameters.", parameters));
        }
        Some(_) => reader.fault("parameters", Diagnostic::new("must be an object")),
        None => {
            reader.unknown_keys("", root, &[&PARAMETER_KEYS[..], &RUN_KEYS, &NAME_KEYS].concat());
            reader.parameters("", root);
        }
    }
    reader.run(&Around(around));
    reader.finish()
}

fn read_text(root: &Map<String, Value>, text: &Value, now: Timestamp) -> Result<Query, Diagnostics> {
    let beside = root.keys().find(|key| !["text", "explain"].contains(&key.as_str()));
    let explain = match root.get("explain") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(explain)) => *explain,
        Some(_) => return Err(Diagnostics::one(no_flag().at("explain"))),
    };
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

#[derive(Debug)]
struct Reader {
    now: Timestamp,
    draft: Draft,
    places: BTreeMap<Part, String>,
    /// All of these must hold, wherever in the query they were said.
    conditions: Vec<Filter>,
    /// The direction of a legacy group that does not say by what it is ordered.
    direction: Option<Order>,
    /// Spellings of earlier years; as many are told as faults would be.
    notes: Found,
}

impl Reader {
    fn new(now: Timestamp) -> Self {
        Self {
            now,
            draft: Draft::default(),
            places: BTreeMap::new(),
            conditions: Vec::new(),
            direction: None,
            notes: Found::default(),
        }
    }

    fn finish(self) -> Result<(Query, Vec<Diagnostic>), Diagnostics> {
        let Self { now, mut draft, places, mut conditions, direction, notes } = self;
        conditions.retain(|filter| *filter != Filter::everything());
        draft.filter = Some(Filter::all(conditions));
        if let (Some(order), None, Some(first)) = (direction, &draft.order_by, draft.first_figure()) {
            draft.order_by = Some(OrderBy { value: first, order });
        }
        let query = draft.finish(now, |part, fault| {
            let nearest = || places.range(..=part).next_back().map(|(_, place)| place.clone());
            match places.get(&part).cloned().or_else(nearest) {
                Some(place) => fault.at(place),
                None => fault,
            }
        })?;
        Ok((query, notes.into_kept()))
    }

    /// Notes that something is written otherwise today.
    fn legacy(&mut self, at: &str, today: impl Into<String>) {
        self.notes.push(|| Diagnostic::new("is a spelling of earlier years").hint(today).at(at));
    }

    fn fault(&mut self, at: &str, fault: Diagnostic) {
        self.draft.found.push(|| fault.at(at));
    }

    /// Whether enough is wrong: whoever reads a list stops.
    fn has_enough(&self) -> bool {
        self.draft.found.is_full()
    }

    /// Whether it is true; false where that cannot be said.
    fn flag(&mut self, at: &str, value: &Value) -> bool {
        value.as_bool().unwrap_or_else(|| {
            self.fault(at, no_flag());
            false
        })
    }

    fn unknown_keys(&mut self, prefix: &str, object: &Map<String, Value>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            if self.has_enough() {
                return;
            }
            let shown: String = key.chars().take(80).collect();
            let hint = match closest(&shown, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known are {}", known.join(" ")),
            };
            self.fault(&format!("{prefix}{shown}"), Diagnostic::new("is not known here").hint(hint));
        }
    }
}

fn no_flag() -> Diagnostic {
    Diagnostic::new("must be true or false")
}
