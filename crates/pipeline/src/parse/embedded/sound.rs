//! JSON that is read to its end and not kept: whether it would become a value, and whether that would be empty.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// An object or array that reads as it would be read to be kept: numbers in their range, texts that are Unicode, no
/// deeper than the reader goes.
pub(super) struct Sound {
    pub(super) is_empty: bool,
}

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

const SOUND: Sound = Sound { is_empty: true };

impl<'de> Visitor<'de> for Reading {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(SOUND)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(SOUND)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(SOUND)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(SOUND)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(SOUND)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(SOUND)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sound, A::Error> {
        let mut is_empty = true;
        while items.next_element::<Sound>()?.is_some() {
            is_empty = false;
        }
        Ok(Sound { is_empty })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Sound, A::Error> {
        let mut is_empty = true;
        while entries.next_entry::<Sound, Sound>()?.is_some() {
            is_empty = false;
        }
        Ok(Sound { is_empty })
    }
}
