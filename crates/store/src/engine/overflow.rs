//! Keys that found no column of their own: functions that look one up in the overflow's JSON. Slower than a column by
//! the parsing of a JSON text per row, and right.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use query::ColumnKind;
use query::sql::DataFusion;
use serde_json::Value;

use super::cell::layout;

/// One function per kind of value, and one for any kind.
pub(super) fn functions() -> impl Iterator<Item = ScalarUDF> {
    let kinds = [ColumnKind::Text, ColumnKind::Int, ColumnKind::Float, ColumnKind::Bool, ColumnKind::Json];
    kinds.into_iter().map(Some).chain([None]).map(|kind| {
        let returned = layout(kind.unwrap_or(ColumnKind::Text));
        create_udf(
            DataFusion::overflow_function(kind),
            vec![DataType::Utf8, DataType::Utf8],
            returned,
            Volatility::Immutable,
            Arc::new(move |arguments: &[ColumnarValue]| look_up(arguments, kind)),
        )
    })
}

/// The rows' JSON texts and keys → the values of a kind at them.
fn look_up(arguments: &[ColumnarValue], kind: Option<ColumnKind>) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let [texts, keys] = arrays.as_slice() else {
        return datafusion::common::exec_err!("a text and a key are wanted");
    };
    let rows = texts.as_string::<i32>().iter().zip(keys.as_string::<i32>().iter());
    // A text without the key's last part cannot have the key: most rows are not parsed at all.
    let values = rows.map(|(text, key)| {
        let (text, key) = (text?, key?);
        let object = may_hold(text, key).then(|| serde_json::from_str(text).ok()).flatten()?;
        value_at(&object, key, kind)
    });
    let array: ArrayRef = match kind {
        Some(ColumnKind::Int) => {
            Arc::new(values.map(|value| value.and_then(|v| v.as_i64())).collect::<Int64Array>())
        }
        Some(ColumnKind::Float) => {
            Arc::new(values.map(|value| value.and_then(|v| v.as_f64())).collect::<Float64Array>())
        }
        Some(ColumnKind::Bool) => {
            Arc::new(values.map(|value| value.and_then(|v| v.as_bool())).collect::<BooleanArray>())
        }
        Some(_) | None => Arc::new(values.map(|value| value.map(as_text)).collect::<StringArray>()),
    };
    Ok(ColumnarValue::Array(array))
}

/// Whether a JSON text may have a key whose last part is that of the dotted one. Names with characters that JSON may
/// escape are not looked for.
fn may_hold(text: &str, key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    let plain = last.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '$'));
    !plain || text.contains(last)
}

/// The first value of the kind at a dotted key, whose dots may be in the keys or between them.
fn value_at(value: &Value, key: &str, kind: Option<ColumnKind>) -> Option<Value> {
    let Value::Object(map) = value else { return None };
    map.iter().find_map(|(name, inside)| match key.strip_prefix(name.as_str())? {
        "" => kind.is_none_or(|kind| kind_of(inside) == Some(kind)).then(|| inside.clone()),
        rest => value_at(inside, rest.strip_prefix('.')?, kind),
    })
}

/// The kind of the column that such a value has where it has one.
fn kind_of(value: &Value) -> Option<ColumnKind> {
    match value {
        Value::String(_) => Some(ColumnKind::Text),
        Value::Number(number) if number.is_i64() => Some(ColumnKind::Int),
        Value::Number(_) => Some(ColumnKind::Float),
        Value::Bool(_) => Some(ColumnKind::Bool),
        Value::Object(map) if !map.is_empty() => None,
        Value::Null | Value::Array(_) | Value::Object(_) => Some(ColumnKind::Json),
    }
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dots_are_in_keys_or_between_them() {
        let object =
            json!({ "a": { "b.c": 1, "b": { "c": "x" } }, "a.b": { "c": true }, "list": [1], "none": null });
        let at = |key, kind| value_at(&object, key, kind);
        assert_eq!(at("a.b.c", Some(ColumnKind::Int)), Some(json!(1)));
        assert_eq!(at("a.b.c", Some(ColumnKind::Text)), Some(json!("x")));
        assert_eq!(at("a.b.c", Some(ColumnKind::Bool)), Some(json!(true)));
        assert_eq!(at("a.b.c", Some(ColumnKind::Float)), None);
        assert_eq!(at("none", Some(ColumnKind::Json)), Some(Value::Null));
        assert_eq!(at("a", Some(ColumnKind::Json)), None);
        assert!(at("a", None).is_some());
        assert_eq!(at("list.x", None), None);
    }

    #[test]
    fn a_row_that_cannot_have_the_key_is_not_parsed() {
        assert!(may_hold(r#"{"data":{"user":1}}"#, "data.user"));
        assert!(!may_hold(r#"{"data":{"user":1}}"#, "data.order"));
        assert!(may_hold(r#"{"caf\u00e9":1}"#, "café"));
    }
}
