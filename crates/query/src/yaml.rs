//! Saved queries: YAML documents of resources (`id: {type: query, properties: {…}}`), and a query's JSON forms written
//! in YAML. Both become the JSON that the JSON reader reads; what is wrong with it is said with its line and column.

mod node;
mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::{Map, Value};

use crate::ast::Query;
use crate::diagnostic::{Diagnostic, Diagnostics, Found, closest};
use node::Node;
use place::Places;

/// Longer than any file of queries that a person writes.
const TEXT_BYTES_MAX: usize = 1_000_000;
/// What may stand beside a resource's `type` and `properties`: nothing.
const RESOURCE_KEYS: [&str; 2] = ["type", "properties"];
/// What a query's properties may be: the reference's, and those that a query run has.
const PROPERTY_KEYS: [&str; 10] = [
    "name",
    "description",
    "parameters",
    "timeframe",
    "granularity",
    "timezone",
    "compare",
    "view",
    "patternType",
    "explain",
];
/// Resources that are no queries.
const OTHER_TYPES: [&str; 5] = ["alert", "dashboard", "channel", "chart", "stream"];

/// A YAML document that holds queries.
#[derive(Debug, Clone)]
pub struct Document {
    queries: Vec<Saved>,
}

/// One query of a document.
#[derive(Debug, Clone)]
pub struct Saved {
    /// Its name in the file; empty if the document is the query itself.
    pub id: String,
    /// What it is called for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The query as JSON, in the form of a query run.
    pub body: Value,
    /// Where the parts of `body` stand.
    places: Arc<Places>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is no YAML, or holds something else than resources or a query.
    pub fn read(text: &str) -> Result<Self, Diagnostics> {
        if text.len() > TEXT_BYTES_MAX {
            let fault =
                format!("a document of {} bytes is too long, {TEXT_BYTES_MAX} is the most", text.len());
            return Err(Diagnostics::one(Diagnostic::new(fault)));
        }
        let mut places = Places::new(text);
        let root = node::read(text, &mut places).map_err(Diagnostics::one)?;
        let places = Arc::new(places);
        let Node::Object(root) = root else {
            let fault = Diagnostic::new("the document is neither a query nor a file of resources");
            return Err(Diagnostics::one(places.put("", fault.hint(EXAMPLE))));
        };
        if is_query(&root) {
            let saved = Saved { id: String::new(), name: None, description: None, body: json(root), places };
            return Ok(Self { queries: vec![saved] });
        }
        let mut found = Found::default();
        let mut queries = Vec::new();
        for (id, resource) in root {
            if found.is_full() {
                break;
            }
            queries.extend(saved(&id, resource, &places, &mut found));
        }
        found.or_ok(Self { queries })
    }

    /// All queries, in the order of the document.
    pub fn queries(&self) -> &[Saved] {
        &self.queries
    }

    /// The query of that name; without a name the only one.
    ///
    /// # Errors
    /// When there is none, or several to choose from.
    pub fn query(&self, id: Option<&str>) -> Result<&Saved, Diagnostic> {
        let ids = || self.queries.iter().map(|query| query.id.as_str());
        let known = || ids().collect::<Vec<_>>().join(", ");
        match (id, self.queries.as_slice()) {
            (_, []) => Err(Diagnostic::new("the document has no query").hint(EXAMPLE)),
            (None, [only]) => Ok(only),
            (None, several) => {
                let fault = format!("the document has {} queries; which one?", several.len());
                Err(Diagnostic::new(fault).hint(format!("one of {}", known())))
            }
            (Some(id), queries) => queries.iter().find(|query| query.id == id).ok_or_else(|| {
                let fault = Diagnostic::new(format!("the document has no query {id:?}"));
                match closest(id, ids()) {
                    Some(near) => fault.hint(format!("did you mean {near}?")),
                    None => fault.hint(format!("it has {}", known())),
                }
            }),
        }
    }
}

const EXAMPLE: &str = "as slow-requests: {type: query, properties: {parameters: {calculations: [COUNT]}}}";

impl Saved {
    /// The checked query, and what in its document is written as it was long ago, with today's spelling.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line and column.
    pub fn read(&self, now: Timestamp) -> Result<(Query, Vec<Diagnostic>), Diagnostics> {
        let placed = |fault: Diagnostic| match fault.at.clone() {
            Some(at) => self.places.put(&self.path(&at), fault),
            None => fault,
        };
        match crate::read_json(&self.body, now) {
            Ok((query, notes)) => Ok((query, notes.into_iter().map(placed).collect())),
            Err(faults) => Err(faults.map(placed)),
        }
    }

    /// A key of the body as a path of the document.
    fn path(&self, at: &str) -> String {
        if self.id.is_empty() { at.to_owned() } else { place::join(&place::join(&self.id, "properties"), at) }
    }
}

/// Whether the document is a query itself, in one of the JSON forms.
fn is_query(root: &BTreeMap<String, Node>) -> bool {
    let resource = |node: &Node| matches!(node, Node::Object(inside) if inside.contains_key("type"));
    root.is_empty() || !root.values().all(resource)
}

/// The query that a resource is; none if it is something else, or not as it should be.
fn saved(id: &str, resource: Node, places: &Arc<Places>, found: &mut Found) -> Option<Saved> {
    let Node::Object(mut parts) = resource else { return None };
    unknown(id, &parts, &RESOURCE_KEYS, places, found);
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !is_id {
        let fault = Diagnostic::new("a name has letters, digits, - and _ only");
        found.push(|| places.put(id, fault));
    }
    match parts.remove("type") {
        Some(Node::Scalar(Value::String(kind))) if kind == "query" => {}
        Some(Node::Scalar(Value::String(kind))) if OTHER_TYPES.contains(&kind.as_str()) => return None,
        _ => {
            let fault = Diagnostic::new("is no type of a resource").hint("as type: query");
            found.push(|| places.put(&place::join(id, "type"), fault));
        }
    }
    let Some(Node::Object(mut properties)) = parts.remove("properties") else {
        found.push(|| places.put(id, Diagnostic::new("properties are missing").hint(EXAMPLE)));
        return None;
    };
    unknown(&place::join(id, "properties"), &properties, &PROPERTY_KEYS, places, found);
    let mut text = |key: &str| match properties.remove(key).map(Node::into_json) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (name, description) = (text("name"), text("description"));
    if !properties.contains_key("parameters") {
        let fault = Diagnostic::new("parameters are missing");
        found.push(|| places.put(&place::join(id, "properties"), fault));
    }
    let places = Arc::clone(places);
    Some(Saved { id: id.to_owned(), name, description, body: json(properties), places })
}

fn unknown(path: &str, parts: &BTreeMap<String, Node>, known: &[&str], places: &Places, found: &mut Found) {
    for key in parts.keys().filter(|key| !known.contains(&key.as_str())) {
        found.push(|| {
            let fault = Diagnostic::new("is not known here");
            let hint = match closest(key, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known are {}", known.join(" ")),
            };
            places.put(&place::join(path, key), fault.hint(hint))
        });
    }
}

fn json(parts: BTreeMap<String, Node>) -> Value {
    Value::Object(parts.into_iter().map(|(key, node)| (key, node.into_json())).collect::<Map<_, _>>())
}
