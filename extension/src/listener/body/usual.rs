//! One element in one walk over its bytes. The platform writes a record's time, kind and content in this order, so that
//! its kind is known when its content comes, and a line is a text. Every other order and shape is an error here: the
//! reader of bodies has a longer way for those.

use std::fmt;

use lambda_api::telemetry::{Payload, Record, kind};
use model::Value;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Told;

/// The record at the beginning of `bytes`, and its length; none if it is not as usual.
pub(super) fn first(bytes: &[u8]) -> Option<(Told, usize)> {
    let mut records = serde_json::Deserializer::from_slice(bytes).into_iter::<Usual>();
    let Usual(record) = records.next()?.ok()?;
    Some((record, records.byte_offset()))
}

struct Usual(Told);

impl<'de> Deserialize<'de> for Usual {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(Reading).map(Self)
    }
}

/// A record's own keys, as [`Record`] has them.
#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Time,
    Type,
    Record,
    #[serde(other)]
    Other,
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Told, A::Error> {
        let (mut time, mut kind) = (None::<String>, None::<String>);
        while let Some(key) = entries.next_key()? {
            match (key, &kind) {
                (Key::Time, None) if time.is_none() => time = Some(entries.next_value()?),
                (Key::Type, None) => kind = Some(entries.next_value()?),
                (Key::Record, Some(_)) => {
                    let (time, kind) = (time.unwrap_or_default(), kind.unwrap_or_default());
                    let record = content(&kind, &mut entries)?;
                    // Nothing comes behind it.
                    return match entries.next_key::<IgnoredAny>()? {
                        None => Ok(Record { time, kind, record }),
                        Some(_) => Err(A::Error::custom("more than a record")),
                    };
                }
                (Key::Other, _) => entries.next_value::<IgnoredAny>().map(drop)?,
                _ => return Err(A::Error::custom("another order")),
            }
        }
        Err(A::Error::custom("no content"))
    }
}

fn content<'de, A: MapAccess<'de>>(name: &str, entries: &mut A) -> Result<Payload<Value>, A::Error> {
    if matches!(name, kind::FUNCTION | kind::EXTENSION) {
        return Ok(Payload::as_it_came(name, Value::String(entries.next_value()?)));
    }
    let written: &RawValue = entries.next_value()?;
    Payload::read(name, written.get()).ok_or_else(|| A::Error::custom("a text that is none"))
}
