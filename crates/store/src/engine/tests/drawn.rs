//! What generated events and the questions about them are made of: few letters and few numbers, so that values meet.
//! Written once for whoever tries engines: the comparison with the naive evaluator, and (by `#[path]`) the comparison
//! of engines with each other.

use proptest::option;
use proptest::prelude::*;
use proptest::strategy::Union;
use query::{Key, Literal};
use serde_json::{Value, json};

use super::generate::Parts;

/// Keys that generated events may have. `d.e` is one key with a dot and two keys at once.
const KEYS: [&str; 7] = ["a", "b", "c.d", "c", "d.e", "message", "nothing"];

fn word() -> impl Strategy<Value = String> {
    // Few letters, so that values meet; LIKE's, regex's and SQL's metacharacters among them.
    "[abAB%_\\\\'. 5]{0,3}"
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(Value::from),
        (-6..6_i64).prop_map(Value::from),
        (-6..6_i64).prop_map(|halves| json!(halves as f64 + 0.5)),
        any::<bool>().prop_map(Value::from),
        Just(json!("5")),
        Just(json!([1, "a"])),
        Just(Value::Null),
        Just(json!({})),
    ]
}

pub(crate) fn attributes() -> impl Strategy<Value = Value> {
    let parts =
        (option::of(scalar()), option::of(scalar()), option::of(scalar()), option::of(word()), 0..4_u8);
    parts.prop_map(|(a, b, inner, message, shape)| {
        let mut object = serde_json::Map::new();
        a.map(|a| object.insert("a".to_owned(), a));
        b.map(|b| object.insert("b".to_owned(), b));
        message.map(|message| object.insert("message".to_owned(), Value::from(message)));
        if let Some(inner) = inner {
            let (key, value) = match shape {
                0 => ("c", json!({ "d": inner })),
                1 => ("d.e", inner),
                2 => ("d", json!({ "e": inner })),
                _ => ("c", inner),
            };
            object.insert(key.to_owned(), value);
        }
        Value::Object(object)
    })
}

pub(crate) fn key() -> impl Strategy<Value = Key> {
    let keys = KEYS.iter().copied().chain(["$limelight.namespace"]);
    Union::new(keys.map(Just)).prop_map(Key::new)
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        word().prop_map(Literal::Text),
        (-6..6_i64).prop_map(Literal::Int),
        (-6..6_i64).prop_map(|halves| Literal::Float(halves as f64 + 0.5)),
        any::<bool>().prop_map(Literal::Bool),
    ]
}

/// Filters and needles over the few letters that the events are made of.
pub(crate) fn parts() -> Parts {
    // A lone backslash at the end of a pattern escapes nothing, and engines disagree about what it is.
    let regex = "(\\^)?[ab.]{0,2}[+$]?";
    Parts {
        key: key().boxed(),
        text: word().boxed(),
        literal: literal().boxed(),
        compared: literal().boxed(),
        pattern: "[ab%_.5]{0,3}".boxed(),
        regex: regex.prop_filter("a valid one", |regex| regex::Regex::new(regex).is_ok()).boxed(),
    }
}
