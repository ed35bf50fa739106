//! JSON to scrub: trees with interesting keys and texts, and the many ways to write one down. For the property tests of
//! JSON.

use model::{Map, Value};
use proptest::prelude::*;

use crate::secrets::{rubble, secret};

/// Listed words in several writings, what only looks like them, and names that a team's paths are made of.
const KEYS: [&str; 24] = [
    "password",
    "Pass-Word",
    "dbPassword2",
    "client_secret",
    "X-Api-Key",
    "auth",
    "authFailures",
    "sourceIPAddress",
    "credentials",
    "access.token",
    "author",
    "passwordless",
    "token",
    "user",
    "name",
    "headers",
    "user.name",
    "a",
    "b",
    "",
    "é",
    "\"",
    "\\",
    "to\u{212a}en_secret",
];

pub(crate) fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
        1 => "[\u{0}-\u{1f}\"\\\\/a-c😀]{0,4}",
    ]
}

/// What a text can hold: secrets of every kind, words, pieces of JSON, letters that must or can be escaped.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        secret().prop_map(|(text, _)| text),
        rubble(),
        "\\PC{0,12}",
        "[\u{0}-\u{1f}\"\\\\/a-c😀é]{0,8}",
        Just("[scrubbed]".to_owned()),
        Just(String::new()),
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => prop::sample::select(vec![0, -1, 4_111_111_111_111_111, 378_282_246_310_005]).prop_map(Value::Int),
        1 => any::<f64>().prop_filter("JSON has no other", |float| float.is_finite()).prop_map(Value::from),
        6 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            map(inner).prop_map(Value::Object),
        ]
    })
}

fn map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
    prop::collection::btree_map(key(), inner, 0..6)
}

pub(crate) fn document() -> impl Strategy<Value = Map> {
    map(value())
}

/// Decides how a value is written, byte by byte; the plain way when it is used up.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    whims: Vec<u8>,
    json: String,
}

pub(crate) fn hand() -> impl Strategy<Value = Hand> {
    prop::collection::vec(any::<u8>(), 0..400).prop_map(|whims| Hand { whims, json: String::new() })
}

impl Hand {
    pub(crate) fn write(mut self, map: &Map) -> String {
        self.object(map);
        self.json
    }

    fn whim(&mut self) -> u8 {
        self.whims.pop().unwrap_or(255)
    }

    fn sign(&mut self, sign: char) {
        self.blanks();
        self.json.push(sign);
        self.blanks();
    }

    fn blanks(&mut self) {
        let blanks = ["", "", "", "", " ", "\n\t", "\r\n  "];
        let whim = usize::from(self.whim());
        self.json.push_str(blanks.get(whim / 16).unwrap_or(&""));
    }

    fn object(&mut self, map: &Map) {
        self.sign('{');
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.sign(',');
            }
            self.string(key);
            self.sign(':');
            self.value(value);
        }
        self.sign('}');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(map) => self.object(map),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.sign('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.sign(',');
                    }
                    self.value(item);
                }
                self.sign(']');
            }
            scalar => self.json.push_str(&serde_json::Value::from(scalar.clone()).to_string()),
        }
    }

    fn string(&mut self, text: &str) {
        self.json.push('"');
        for letter in text.chars() {
            self.letter(letter);
        }
        self.json.push('"');
    }

    /// One time in eight by its number.
    fn letter(&mut self, letter: char) {
        if self.whim() < 32 {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                self.json.push_str(&format!("\\u{unit:04x}"));
            }
            return;
        }
        let quoted = serde_json::Value::from(letter.to_string()).to_string();
        let inside = &quoted[1..quoted.len() - 1];
        let written = if letter == '/' && self.whim() < 64 { "\\/" } else { inside };
        self.json.push_str(written);
    }
}
