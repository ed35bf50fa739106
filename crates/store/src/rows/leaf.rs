//! An event's attributes as leaves: each a path, a type and a value. Everything that is no scalar and has no keys
//! inside (an array, null, an empty object) is a leaf of JSON.

use model::{Map, Value};
use query::ColumnKind;

/// The type of the column that holds this value; none for an object with keys, whose values have columns of their
/// own.
pub(super) fn kind_of(value: &Value) -> Option<ColumnKind> {
    match value {
        Value::String(_) => Some(ColumnKind::Text),
        Value::Int(_) => Some(ColumnKind::Int),
        Value::Float(_) => Some(ColumnKind::Float),
        Value::Bool(_) => Some(ColumnKind::Bool),
        Value::Object(map) if !map.is_empty() => None,
        Value::Null | Value::Array(_) | Value::Object(_) => Some(ColumnKind::Json),
    }
}

/// Puts a value at its place, making the objects around it. Where a scalar stands in the way (no event of ours has
/// both) it stays, and the value is left out.
pub(super) fn insert<K: AsRef<str>>(map: &mut Map, path: &[K], value: Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut place = map;
    for key in parents {
        let inside = place.entry(key.as_ref().to_owned()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inside) = inside else { return };
        place = inside;
    }
    place.entry(last.as_ref().to_owned()).or_insert(value);
}

/// Puts everything of `from` into `into`, object by object.
pub(super) fn merge(into: &mut Map, from: Map) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(inside)), Value::Object(more)) => merge(inside, more),
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key, value);
            }
        }
    }
}
