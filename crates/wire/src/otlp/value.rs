//! `model::Value` ↔ OTLP `AnyValue`.
//!
//! OTLP has all of our types and one more, bytes. In our batches bytes carry what lies deep: every
//! [`SEGMENT_LEVELS`] levels a value is wrapped as the bytes of an `AnyValue` of its own, because protobuf readers
//! refuse messages nested deeper than about 100, and a JSON log line may have 128 levels of three messages each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Map, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use prost::Message as _;

use crate::error::DecodeError;
use crate::otlp::Dialect;
use crate::writer::Writer;

/// How many levels stand in one piece: 16 × 3 messages and the way down to a log's body stay below protobuf's 100.
const SEGMENT_LEVELS: usize = 16;
/// The deepest value that a batch carries. JSON readers stop at 128 as well; what lies deeper becomes its JSON text.
pub(crate) const LEVELS_MAX: usize = 128;

/// A value as OTLP says it.
pub(crate) fn to_any(value: &Value) -> AnyValue {
    AnyValue { value: any(value, 0) }
}

/// Keys and values as OTLP attributes, in the map's order.
pub(crate) fn to_attributes(map: &Map) -> Vec<KeyValue> {
    key_values(map, 0)
}

/// One attribute.
pub(crate) fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

/// Field numbers of `KeyValue`, `KeyValueList`, `ArrayValue` and `AnyValue`
/// (opentelemetry-proto, `common/v1/common.proto`).
const KEY: u64 = 1;
const VALUE: u64 = 2;
const ITEMS: u64 = 1;
mod variant {
    pub(super) const STRING: u64 = 1;
    pub(super) const BOOL: u64 = 2;
    pub(super) const INT: u64 = 3;
    pub(super) const DOUBLE: u64 = 4;
    pub(super) const ARRAY: u64 = 5;
    pub(super) const KEY_VALUES: u64 = 6;
    pub(super) const BYTES: u64 = 7;
}

/// Writes keys and values as attributes into the repeated field `field`, the same bytes as [`to_attributes`] gives.
pub(crate) fn write_attributes(writer: &mut Writer, field: u64, map: &Map) {
    write_key_values(writer, field, map, 0);
}

/// Writes keys and values as the object of an `AnyValue`.
pub(crate) fn write_object(writer: &mut Writer, map: &Map) {
    writer.message(variant::KEY_VALUES, |writer| write_key_values(writer, ITEMS, map, 0));
}

/// Writes a text as an `AnyValue`.
pub(crate) fn write_string(writer: &mut Writer, text: &str) {
    writer.bytes(variant::STRING, text.as_bytes());
}

/// Writes one attribute that is an object into the repeated field `field`.
pub(crate) fn write_keys(writer: &mut Writer, field: u64, key: &str, keys: &Map) {
    write_pair(writer, field, key, |writer| write_object(writer, keys));
}

/// Writes one text attribute into the repeated field `field`.
pub(crate) fn write_text(writer: &mut Writer, field: u64, key: &str, text: &str) {
    write_pair(writer, field, key, |writer| writer.bytes(variant::STRING, text.as_bytes()));
}

/// Writes one number attribute into the repeated field `field`.
pub(crate) fn write_double(writer: &mut Writer, field: u64, key: &str, number: f64) {
    write_pair(writer, field, key, |writer| writer.fixed64(variant::DOUBLE, number.to_bits()));
}

/// Writes one attribute that is null into the repeated field `field`.
pub(crate) fn write_null(writer: &mut Writer, field: u64, key: &str) {
    write_pair(writer, field, key, |_| {});
}

/// Writes one attribute that is true into the repeated field `field`.
pub(crate) fn write_true(writer: &mut Writer, field: u64, key: &str) {
    write_pair(writer, field, key, |writer| writer.varint(variant::BOOL, 1));
}

fn write_pair(writer: &mut Writer, field: u64, key: &str, value: impl FnOnce(&mut Writer)) {
    writer.message(field, |writer| {
        writer.message(VALUE, value);
        if !key.is_empty() {
            writer.bytes(KEY, key.as_bytes());
        }
    });
}

fn write_key_values(writer: &mut Writer, field: u64, map: &Map, level: usize) {
    for (key, value) in map.iter().rev() {
        write_pair(writer, field, key, |writer| write_any(writer, value, level));
    }
}

fn write_any(writer: &mut Writer, value: &Value, level: usize) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => writer.varint(variant::BOOL, u64::from(*flag)),
        Value::Int(number) => writer.varint(variant::INT, number.cast_unsigned()),
        Value::Float(number) => writer.fixed64(variant::DOUBLE, number.to_bits()),
        Value::String(text) => writer.bytes(variant::STRING, text.as_bytes()),
        Value::Array(_) | Value::Object(_) if level >= LEVELS_MAX => {
            let text = serde_json::Value::from(value.clone()).to_string();
            writer.bytes(variant::STRING, text.as_bytes());
        }
        Value::Array(_) | Value::Object(_) if level % SEGMENT_LEVELS == SEGMENT_LEVELS - 1 => {
            writer.message(variant::BYTES, |writer| write_container(writer, value, level));
        }
        container => write_container(writer, container, level),
    }
}

fn write_container(writer: &mut Writer, value: &Value, level: usize) {
    match value {
        Value::Array(items) => writer.message(variant::ARRAY, |writer| {
            for item in items.iter().rev() {
                writer.message(ITEMS, |writer| write_any(writer, item, level + 1));
            }
        }),
        Value::Object(map) => {
            writer.message(variant::KEY_VALUES, |writer| write_key_values(writer, ITEMS, map, level + 1));
        }
        _ => {}
    }
}

fn any(value: &Value, level: usize) -> Option<Any> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => Any::BoolValue(*flag),
        Value::Int(number) => Any::IntValue(*number),
        Value::Float(number) => Any::DoubleValue(*number),
        Value::String(text) => Any::StringValue(text.clone()),
        Value::Array(_) | Value::Object(_) if level >= LEVELS_MAX => {
            Any::StringValue(serde_json::Value::from(value.clone()).to_string())
        }
        Value::Array(_) | Value::Object(_) if level % SEGMENT_LEVELS == SEGMENT_LEVELS - 1 => {
            let piece = AnyValue { value: Some(container(value, level)?) };
            Any::BytesValue(piece.encode_to_vec())
        }
        container_value => container(container_value, level)?,
    })
}

fn container(value: &Value, level: usize) -> Option<Any> {
    match value {
        Value::Array(items) => {
            let values = items.iter().map(|item| AnyValue { value: any(item, level + 1) }).collect();
            Some(Any::ArrayValue(ArrayValue { values }))
        }
        Value::Object(map) => Some(Any::KvlistValue(KeyValueList { values: key_values(map, level + 1) })),
        _ => None,
    }
}

fn key_values(map: &Map, level: usize) -> Vec<KeyValue> {
    let pair = |(key, value): (&String, &Value)| KeyValue {
        key: key.clone(),
        value: Some(AnyValue { value: any(value, level) }),
        key_strindex: 0,
    };
    map.iter().map(pair).collect()
}

/// An OTLP value as ours.
///
/// # Errors
/// Only in our own dialect: bytes that are no value.
pub(crate) fn from_any(any: Option<AnyValue>, dialect: Dialect) -> Result<Value, DecodeError> {
    Ok(match any.and_then(|any| any.value) {
        None => Value::Null,
        Some(Any::StringValue(text)) => Value::String(text),
        Some(Any::BoolValue(flag)) => Value::Bool(flag),
        Some(Any::IntValue(number)) => Value::Int(number),
        Some(Any::DoubleValue(number)) => Value::Float(number),
        Some(Any::ArrayValue(array)) => {
            let items = array.values.into_iter().map(|item| from_any(Some(item), dialect));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Some(Any::KvlistValue(list)) => Value::Object(from_attributes(list.values, dialect)?),
        Some(Any::BytesValue(bytes)) => match dialect {
            Dialect::Foreign => Value::String(STANDARD.encode(bytes)),
            Dialect::Ours => {
                let piece = AnyValue::decode(bytes.as_slice()).map_err(|source| DecodeError::Protobuf {
                    message: "AnyValue inside bytes",
                    at: 0,
                    source: Some(source),
                })?;
                from_any(Some(piece), dialect)?
            }
        },
        // An index into a dictionary that only profiles have.
        Some(Any::StringValueStrindex(_)) => Value::Null,
    })
}

/// OTLP attributes as keys and values. Of equal keys, which OTLP forbids, the last one stays.
pub(crate) fn from_attributes(list: Vec<KeyValue>, dialect: Dialect) -> Result<Map, DecodeError> {
    list.into_iter().map(|pair| Ok((pair.key, from_any(pair.value, dialect)?))).collect()
}

/// Takes an attribute out of the list: the first of that key.
pub(crate) fn take(list: &mut Vec<KeyValue>, key: &str) -> Option<Option<Any>> {
    let index = list.iter().position(|pair| pair.key == key)?;
    Some(list.remove(index).value.and_then(|any| any.value))
}

/// Takes a text attribute out of the list; another type is dropped.
pub(crate) fn take_text(list: &mut Vec<KeyValue>, key: &str) -> Option<String> {
    match take(list, key) {
        Some(Some(Any::StringValue(text))) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Int(i64::MAX), |inner, level| match level % 2 {
            0 => Value::Array(vec![inner, Value::Null]),
            _ => Value::Object(Map::from([("k".to_owned(), inner)])),
        })
    }

    #[test]
    fn a_value_as_deep_as_json_allows_survives() {
        for levels in [0, 1, 15, 16, 17, 32, 100, 127] {
            let bytes = to_any(&nested(levels)).encode_to_vec();
            let back = from_any(Some(AnyValue::decode(bytes.as_slice()).unwrap()), Dialect::Ours).unwrap();
            assert_eq!(back, nested(levels), "{levels} levels");
        }
    }

    #[test]
    fn what_is_deeper_becomes_text_and_is_not_lost() {
        let bytes = to_any(&nested(150)).encode_to_vec();
        let back = from_any(Some(AnyValue::decode(bytes.as_slice()).unwrap()), Dialect::Ours).unwrap();
        assert!(serde_json::Value::from(back).to_string().contains(&i64::MAX.to_string()));
    }

    #[test]
    fn foreign_bytes_are_base64_text() {
        let any = AnyValue { value: Some(Any::BytesValue(vec![0, 255])) };
        assert_eq!(from_any(Some(any), Dialect::Foreign).unwrap(), Value::from("AP8="));
    }
}
