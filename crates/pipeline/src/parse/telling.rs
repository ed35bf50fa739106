//! Of a JSON line only the keys by which it says something about itself: what a glance looks at. Most of a line's keys
//! are its application's own, and are passed over as text.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use model::{Map, Value};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{context, emf, error, fields, lenient, time};
use crate::trigger;

/// Every name that is looked for at a line's root, sorted by length and then by letters: lengths are compared at once.
/// Each module lists its own.
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lists =
        [fields::ROOT_KEYS, context::ROOT_KEYS, error::ROOT_KEYS, time::ROOT_KEYS, trigger::ROOT_KEYS];
    let mut names: Vec<_> = lists.concat().concat();
    names.sort_unstable_by_key(by_length);
    names.dedup();
    names
});

fn by_length<'a>(name: &&'a str) -> (usize, &'a str) {
    (name.len(), name)
}

/// By their first byte, which lengths the names have: lets go of nearly all keys without a comparison.
static LENGTHS: LazyLock<[u64; 256]> = LazyLock::new(|| {
    let mut lengths = [0; 256];
    for name in NAMES.iter() {
        lengths[first_byte(name)] |= length_bit(name);
    }
    lengths
});

fn first_byte(name: &str) -> usize {
    name.bytes().next().map_or(0, usize::from)
}

/// No name is so long that the last bit stands for several lengths of them.
fn length_bit(name: &str) -> u64 {
    1 << name.len().min(63)
}

fn is_telling(name: &str) -> bool {
    LENGTHS[first_byte(name)] & length_bit(name) != 0
        && NAMES.binary_search_by_key(&by_length(&name), by_length).is_ok()
}

/// The telling keys of an object; all keys of a line that declares metrics, because these may stand under any name.
/// None if the text is no object.
pub(super) fn read(text: &str) -> Option<Map> {
    let Ok(found) = serde_json::from_str::<Telling>(text) else {
        let mut keys = lenient::object(text)?;
        if !keys.contains_key(emf::ROOT_KEY) {
            keys.retain(|name, _| is_telling(name));
        }
        return Some(keys);
    };
    if !found.declares_metrics {
        return Some(found.keys);
    }
    serde_json::from_str(text).ok().or_else(|| lenient::object(text))
}

#[derive(Default)]
struct Telling {
    keys: Map,
    declares_metrics: bool,
}

impl<'de> Deserialize<'de> for Telling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Telling;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Telling, A::Error> {
        let mut telling = Telling::default();
        while let Some(Name(name)) = entries.next_key()? {
            if is_telling(&name) {
                telling.keys.insert(name.into_owned(), entries.next_value::<Value>()?);
            } else {
                telling.declares_metrics |= name == emf::ROOT_KEY;
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(telling)
    }
}

/// A key, borrowed from the text where it stands there as it is.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;
        impl<'de> Visitor<'de> for Letters {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_something_is_kept() {
        let line = r#"{"level":"info","order":{"level":"gold"},"me\u0073sage":"paid","n":1}"#;
        let keys = read(line).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["level", "message"]);
        assert!(read("[1]").is_none() && read("{\"level\":}").is_none());
    }

    #[test]
    fn every_name_is_telling_and_nothing_beside_it() {
        assert!(NAMES.iter().all(|name| is_telling(name)));
        assert!(["", "lev", "levels", "Message2", "location"].iter().all(|name| !is_telling(name)));
    }

    #[test]
    fn a_line_that_declares_metrics_is_read_whole() {
        let line = r#"{"_aws":{"CloudWatchMetrics":[]},"Latency":7}"#;
        assert_eq!(read(line).unwrap()["Latency"], Value::Int(7));
    }
}
