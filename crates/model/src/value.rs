//! Nested, schemaless data: what a log line or an attribute can hold.

mod read;

use std::collections::BTreeMap;

pub use read::Bounded;

/// Keys in their order, unique.
pub type Map = BTreeMap<String, Value>;

/// One value at any depth of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// JSON's `null`: the key is there, without a value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// Whole numbers that fit 64 bits with sign; they keep every digit, also over 2^53.
    Int(i64),
    /// Every other number. NaN and infinities come in through OTLP only; JSON shows them as null.
    Float(f64),
    /// Text.
    String(String),
    /// Values in order, of any types.
    Array(Vec<Value>),
    /// Keys with values.
    Object(Map),
}

impl Value {
    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one; whole numbers over 2^53 are rounded.
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The keys and values, if this is an object.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Object(map)
    }
}

impl From<serde_json::Value> for Value {
    /// Whole numbers over `i64::MAX` become floats; nothing else changes.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(map) => Self::Object(from_json_object(map)),
        }
    }
}

impl From<Value> for serde_json::Value {
    /// NaN and infinities, which JSON cannot say, become null.
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Int(number) => Self::from(number),
            Value::Float(number) => Self::from(number),
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Object(into_json_object(map)),
        }
    }
}

/// A JSON object's keys and values as ours.
pub fn from_json_object(map: serde_json::Map<String, serde_json::Value>) -> Map {
    map.into_iter().map(|(key, value)| (key, value.into())).collect()
}

/// Our keys and values as a JSON object.
pub fn into_json_object(map: Map) -> serde_json::Map<String, serde_json::Value> {
    map.into_iter().map(|(key, value)| (key, value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_with_every_digit() {
        let text = r#"{"a":[1,2.5,"x",null,true,{}],"big":9007199254740993,"empty":[]}"#;
        let value = Value::from(serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert_eq!(serde_json::Value::from(value).to_string(), text);
    }

    #[test]
    fn what_json_cannot_say_is_null() {
        assert_eq!(serde_json::Value::from(Value::Float(f64::NAN)), serde_json::Value::Null);
    }
}
