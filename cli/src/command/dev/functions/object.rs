//! One object of a functions file, read key by key: values by the rules of their [`Key`]s, and every fault with its
//! place and what to do about it. Reading goes on after a fault, so that a person sees all of them at once.

use std::collections::BTreeMap;
use std::fmt;

use query::diagnostic::closest;
use serde_json::{Map, Value};

use super::key::{Key, Values};

/// A wrong value is shown up to this length.
const SHOWN_CHARS_MAX: usize = 40;
/// Two keys that begin with so many same letters are taken for a slip of each other (`timeout`, `timeoutSeconds`).
const SAME_LETTERS_MIN: usize = 4;

/// An object that is being read.
#[derive(Debug)]
pub(super) struct Object {
    /// Before a key's name in messages, as `faults.`.
    prefix: String,
    entries: Map<String, Value>,
    known: &'static [&'static Key],
    faults: Vec<String>,
}

impl Object {
    /// Begins to read; what is no object has one fault and no keys.
    pub(super) fn new(value: Value, known: &'static [&'static Key]) -> Self {
        Self::below("", value, known)
    }

    fn below(prefix: &str, value: Value, known: &'static [&'static Key]) -> Self {
        let (entries, faults) = match value {
            Value::Object(entries) => (entries, Vec::new()),
            other => {
                let place = if prefix.is_empty() { "it" } else { prefix.trim_end_matches('.') };
                (
                    Map::new(),
                    vec![format!("{place} is {}; it must be {}", shown(&other), Values::Object(known))],
                )
            }
        };
        Self { prefix: prefix.to_owned(), entries, known, faults }
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.entries.get(key.name).is_some_and(|value| !value.is_null())
    }

    /// What is wrong besides the values themselves.
    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }

    /// Everything that is wrong, with the keys that nobody has asked for.
    pub(super) fn finish(mut self) -> Vec<String> {
        for name in self.entries.keys().filter(|name| !self.known.iter().any(|key| key.name == **name)) {
            let hint = match self.near(name) {
                Some(near) => format!("did you mean {}{near}?", self.prefix),
                None => "`limelight dev --help` lists all keys".to_owned(),
            };
            self.faults.push(format!("there is no key {:?}; {hint}", format!("{}{name}", self.prefix)));
        }
        self.faults
    }

    fn near(&self, name: &str) -> Option<&'static str> {
        let names = || self.known.iter().map(|key| key.name);
        let same = |other: &str| {
            name.chars().zip(other.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
        };
        let beginning =
            || names().max_by_key(|other| same(other)).filter(|other| same(other) >= SAME_LETTERS_MIN);
        closest(name, names()).or_else(beginning)
    }

    pub(super) fn text(&mut self, key: &Key) -> Option<String> {
        self.read(key, |value| {
            let Value::String(text) = value else { return None };
            let Values::Text(_, obeys) = key.values else { return None };
            obeys(text).then(|| text.clone())
        })
    }

    pub(super) fn flag(&mut self, key: &Key) -> Option<bool> {
        self.read(key, Value::as_bool)
    }

    /// `None` also for a number that is not a `T`; the key's range sees to it that there is none.
    pub(super) fn whole<T: TryFrom<u64>>(&mut self, key: &Key) -> Option<T> {
        let Values::Whole(from, to) = key.values else { return None };
        self.read(key, |value| {
            let number = value.as_u64().filter(|number| (from..=to).contains(number))?;
            T::try_from(number).ok()
        })
    }

    pub(super) fn chance(&mut self, key: &Key) -> Option<f64> {
        self.read(key, |value| value.as_f64().filter(|chance| (0.0..=1.0).contains(chance)))
    }

    /// Which of the key's words it is, by the meanings in their order.
    pub(super) fn word<T: Copy>(&mut self, key: &Key, meanings: &[T]) -> Option<T> {
        let Values::Words(words) = key.values else { return None };
        self.read(key, |value| {
            let place = words.iter().position(|word| value.as_str() == Some(word))?;
            meanings.get(place).copied()
        })
    }

    pub(super) fn texts(&mut self, key: &Key) -> Option<Vec<String>> {
        self.read(key, |value| {
            let text = |value: &Value| Some(value.as_str()?.to_owned());
            value.as_array()?.iter().map(text).collect()
        })
    }

    /// A value that is no text is told by its own name: numbers are forgotten to be quoted.
    pub(super) fn texts_by_name(&mut self, key: &Key) -> BTreeMap<String, String> {
        let Some(entries) = self.read(key, |value| value.as_object().cloned()) else {
            return BTreeMap::new();
        };
        let mut texts = BTreeMap::new();
        for (name, value) in entries {
            match value {
                Value::String(text) => {
                    texts.insert(name, text);
                }
                other => {
                    let quoted = Value::from(other.to_string());
                    let (place, other) = (format!("{}{}.{name}", self.prefix, key.name), shown(&other));
                    self.faults.push(format!("{place} is {other}; it must be a text, as {}", shown(&quoted)));
                }
            }
        }
        texts
    }

    /// Reads the object under a key.
    pub(super) fn object<T>(&mut self, key: &Key, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let Values::Object(known) = key.values else { return None };
        let value = self.entries.remove(key.name).filter(|value| !value.is_null())?;
        let mut object = Self::below(&format!("{}{}.", self.prefix, key.name), value, known);
        let result = read(&mut object);
        self.faults.extend(object.finish());
        Some(result)
    }

    /// The items of the list under a key.
    pub(super) fn objects(&mut self, key: &Key) -> Vec<Value> {
        self.read(key, |value| value.as_array().cloned()).unwrap_or_default()
    }

    fn read<T>(&mut self, key: &Key, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.entries.remove(key.name).filter(|value| !value.is_null())?;
        let result = read(&value);
        if result.is_none() {
            let fault =
                format!("{}{} is {}; it must be {}", self.prefix, key.name, shown(&value), key.values);
            self.faults.push(fault);
        }
        result
    }
}

/// A value in a message: JSON, cut.
fn shown(value: &Value) -> impl fmt::Display {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{
        CONCURRENCY, ENV, FAULT_FREEZE, FAULTS, FUNCTION, LOG_FORMAT, MEMORY_MB, NAME, ROUTES, SNAP_START,
    };
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::new(value, FUNCTION)
    }

    #[test]
    fn values_are_read_by_their_keys_rules() {
        let mut read = object(json!({
            "name": "orders", "memoryMb": 512, "snapStart": true, "logFormat": "json", "routes": ["GET /"],
            "env": {"A": "b"}, "faults": {"freeze": 0.5}, "concurrency": null,
        }));
        assert_eq!(read.text(&NAME).as_deref(), Some("orders"));
        assert_eq!(read.whole::<u32>(&MEMORY_MB), Some(512));
        assert_eq!(read.flag(&SNAP_START), Some(true));
        assert_eq!(read.word(&LOG_FORMAT, &['t', 'j']), Some('j'));
        assert_eq!(read.texts(&ROUTES), Some(vec!["GET /".to_owned()]));
        assert_eq!(read.texts_by_name(&ENV)["A"], "b");
        assert_eq!(read.object(&FAULTS, |faults| faults.chance(&FAULT_FREEZE)), Some(Some(0.5)));
        assert_eq!(read.whole::<usize>(&CONCURRENCY), None, "null is as if it were not there");
        assert_eq!(read.finish(), Vec::<String>::new());
    }

    #[test]
    fn every_fault_says_what_it_must_be() {
        let mut read = object(json!({
            "name": "a b", "memoryMb": "512", "snapStart": 1, "logFormat": "JSON", "routes": "GET /",
            "env": {"PORT": 80}, "faults": {"freeze": 2, "sed": 1},
        }));
        read.text(&NAME);
        read.whole::<u32>(&MEMORY_MB);
        read.flag(&SNAP_START);
        read.word(&LOG_FORMAT, &[(), ()]);
        read.texts(&ROUTES);
        read.texts_by_name(&ENV);
        read.object(&FAULTS, |faults| faults.chance(&FAULT_FREEZE));
        assert_eq!(
            read.finish(),
            [
                r#"name is "a b"; it must be 1 to 64 of a-z A-Z 0-9 - _"#,
                r#"memoryMb is "512"; it must be a whole number from 128 to 10240"#,
                "snapStart is 1; it must be true or false",
                r#"logFormat is "JSON"; it must be "text" or "json""#,
                r#"routes is "GET /"; it must be a list of routes as "GET /orders/{id}""#,
                r#"env.PORT is 80; it must be a text, as "80""#,
                "faults.freeze is 2; it must be a number from 0 to 1",
                r#"there is no key "faults.sed"; did you mean faults.seed?"#,
            ]
        );
    }

    #[test]
    fn a_key_that_does_not_exist_is_told_with_the_one_that_was_meant() {
        let told = |name: &str| object(json!({ name: 1 })).finish().remove(0);
        assert!(told("memory").ends_with("did you mean memoryMb?"));
        assert!(told("timeout").ends_with("did you mean timeoutSeconds?"));
        assert!(told("snapstart").ends_with("did you mean snapStart?"));
        assert!(told("colour").ends_with("lists all keys"));
        assert_eq!(object(json!(["a"])).finish().len(), 1);
    }
}
