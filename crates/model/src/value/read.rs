//! Data out of any serde format, straight into our types. A log line is read once, not first into JSON's types and
//! then into ours.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Map, Value};

impl<'de> Deserialize<'de> for Value {
    /// Whole numbers over `i64::MAX` become floats; of equal keys the last one stays.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Bounded { left: None }.deserialize(input)
    }
}

/// Reads a value as [`Value`] does, of which and in which there may be only so many values: text that somebody else
/// wrote can be small and still become many.
#[derive(Debug, Clone, Copy)]
pub struct Bounded<'a> {
    left: Option<&'a Cell<usize>>,
}

impl<'a> Bounded<'a> {
    /// Each value at any depth takes one from what is `left`; reading fails at the one that leaves nothing, and `left`
    /// is 0 then, and only then.
    pub fn new(left: &'a Cell<usize>) -> Self {
        Self { left: Some(left) }
    }

    fn take<E: de::Error>(self) -> Result<(), E> {
        let Some(cell) = self.left else { return Ok(()) };
        cell.set(cell.get().saturating_sub(1));
        match cell.get() {
            0 => Err(E::custom("too many values")),
            _ => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        self.take()?;
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "documented")]
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key()? {
            map.insert(key, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_of_value_is_read_with_every_digit() {
        let text =
            r#"{"a":[1,-2,2.5,"x\n",null,true,{}],"big":9007199254740993,"huge":18446744073709551615}"#;
        let Value::Object(map) = serde_json::from_str(text).unwrap() else { panic!("no object") };
        assert_eq!(map["big"], Value::Int(9_007_199_254_740_993));
        assert_eq!(map["huge"], Value::Float(18_446_744_073_709_551_615.0));
        let Value::Array(items) = &map["a"] else { panic!("no array") };
        assert_eq!(items[..2], [Value::Int(1), Value::Int(-2)]);
        assert_eq!(items[3..5], [Value::from("x\n"), Value::Null]);
    }

    proptest! {
        #[test]
        fn both_ways_to_a_value_come_to_the_same(text in r#"[\[\]{}",:0-9a-e.\\ \-]{0,40}"#) {
            let straight = serde_json::from_str::<Value>(&text).ok();
            let around = serde_json::from_str::<serde_json::Value>(&text).ok().map(Value::from);
            prop_assert_eq!(straight, around);
        }
    }
}
