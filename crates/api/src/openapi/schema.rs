//! A type's JSON Schema, from how it reads itself: what serde derives asks for fields by name and for values by type,
//! and this answers each question with the least that will do and writes down that it was asked. So the schema knows
//! what is read (names as serde renames them, types, what may be null), and nothing that is only in comments.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value, json};

/// The objects that were met, by the names of their types.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    pub(super) known: Map<String, Value>,
    /// Names that two different types have: a document with one of them would lie.
    pub(super) ambiguous: Vec<String>,
}

impl Schemas {
    /// The schema of a type; objects are references to what is known.
    pub(super) fn of<'de, T: Deserialize<'de>>(&mut self) -> Value {
        let mut schema = json!({});
        // A type that refuses the least there is (none of ours does) is known as far as it asked.
        let _ = T::deserialize(Question { schemas: self, schema: &mut schema });
        schema
    }

    fn remember(&mut self, name: &str, schema: Value) -> Value {
        match self.known.get(name) {
            Some(known) if *known != schema => self.ambiguous.push(name.to_owned()),
            Some(_) => {}
            None => _ = self.known.insert(name.to_owned(), schema),
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// A place for a value: whoever reads it says of which type.
struct Question<'a> {
    schemas: &'a mut Schemas,
    schema: &'a mut Value,
}

/// A type that cannot be read from what is there.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the least there is was refused")
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A method that says a type's name and gives its least value.
macro_rules! plain {
    ($($method:ident $kind:literal $visit:ident $value:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            *self.schema = json!({ "type": $kind });
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Question<'_> {
    type Error = Refused;

    plain! {
        deserialize_bool "boolean" visit_bool false;
        deserialize_i64 "integer" visit_i64 0;
        deserialize_u8 "integer" visit_u8 0;
        deserialize_u16 "integer" visit_u16 0;
        deserialize_u32 "integer" visit_u32 0;
        deserialize_u64 "integer" visit_u64 0;
        deserialize_f64 "number" visit_f64 0.0;
        deserialize_str "string" visit_borrowed_str "";
        deserialize_string "string" visit_borrowed_str "";
    }

    /// Any JSON.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let mut inner = json!({});
        let value = visitor.visit_some(Question { schemas: self.schemas, schema: &mut inner })?;
        *self.schema = json!({ "anyOf": [inner, { "type": "null" }] });
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let mut items = Items { schemas: self.schemas, left: 1, asked: Vec::new() };
        let value = visitor.visit_seq(&mut items)?;
        *self.schema = json!({ "type": "array", "items": items.asked.pop().unwrap_or_else(|| json!({})) });
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        let mut items = Items { schemas: self.schemas, left: length, asked: Vec::new() };
        let value = visitor.visit_seq(&mut items)?;
        *self.schema =
            json!({ "type": "array", "prefixItems": items.asked, "minItems": length, "maxItems": length });
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let mut fields = Fields { schemas: self.schemas, left: &["any"], asked: Map::new() };
        let value = visitor.visit_map(&mut fields)?;
        let inside = fields.asked.remove("any").unwrap_or_else(|| json!({}));
        *self.schema = json!({ "type": "object", "additionalProperties": inside });
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let mut inside = Fields { schemas: &mut *self.schemas, left: fields, asked: Map::new() };
        let value = visitor.visit_map(&mut inside)?;
        let schema = json!({ "type": "object", "properties": inside.asked });
        *self.schema = self.schemas.remember(name, schema);
        Ok(value)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char bytes byte_buf unit unit_struct newtype_struct tuple_struct enum identifier
        ignored_any
    }
}

/// A list with so many items.
struct Items<'a> {
    schemas: &'a mut Schemas,
    left: usize,
    asked: Vec<Value>,
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let mut schema = json!({});
        let value = seed.deserialize(Question { schemas: &mut *self.schemas, schema: &mut schema })?;
        self.asked.push(schema);
        Ok(Some(value))
    }
}

/// An object with these fields.
struct Fields<'a> {
    schemas: &'a mut Schemas,
    left: &'static [&'static str],
    asked: Map<String, Value>,
}

impl<'de> MapAccess<'de> for &mut Fields<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(name) = self.left.first() else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let (name, left) = self.left.split_first().ok_or_else(|| Refused::custom("no field is left"))?;
        self.left = left;
        let mut schema = json!({});
        let value = seed.deserialize(Question { schemas: &mut *self.schemas, schema: &mut schema })?;
        self.asked.insert((*name).to_owned(), schema);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        first_name: String,
        #[serde(default)]
        ages: Vec<u64>,
        inner: Option<Inner>,
        span: Option<(usize, f64)>,
        anything: Map<String, Value>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Inner {
        flag: bool,
    }

    #[test]
    fn a_type_says_what_it_reads() {
        let mut schemas = Schemas::default();
        assert_eq!(schemas.of::<Outer>(), json!({ "$ref": "#/components/schemas/Outer" }));
        assert_eq!(
            Value::Object(schemas.known),
            json!({
                "Inner": { "type": "object", "properties": { "flag": { "type": "boolean" } } },
                "Outer": { "type": "object", "properties": {
                    "firstName": { "type": "string" },
                    "ages": { "type": "array", "items": { "type": "integer" } },
                    "inner": { "anyOf": [{ "$ref": "#/components/schemas/Inner" }, { "type": "null" }] },
                    "span": { "anyOf": [
                        { "type": "array", "prefixItems": [{ "type": "integer" }, { "type": "number" }],
                          "minItems": 2, "maxItems": 2 },
                        { "type": "null" },
                    ] },
                    "anything": { "type": "object", "additionalProperties": {} },
                } },
            })
        );
        assert!(schemas.ambiguous.is_empty());
    }
}
