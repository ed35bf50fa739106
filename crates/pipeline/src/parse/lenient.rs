//! An object that JSON's grammar allows and its readers refuse: half an emoji (`"\ud83d"`, which JavaScript prints where it
//! cut a text in two), a number beyond a double, values nested beyond what is read. Each value is read by itself, so that
//! only the one that is refused is mended or kept as its text, and the line stays an object.

use std::collections::BTreeMap;

use model::{Map, Value};
use serde_json::value::RawValue;

/// What stands for half a character.
const REPLACEMENT: &str = "\\ufffd";

/// All of its keys; none if the text is no object even so.
pub(super) fn object(text: &str) -> Option<Map> {
    let parts: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    Some(parts.into_iter().map(|(key, raw)| (key, value(raw.get()))).collect())
}

fn value(raw: &str) -> Value {
    let read = serde_json::from_str(raw).or_else(|_| serde_json::from_str(&with_whole_characters(raw)));
    read.unwrap_or_else(|_| Value::String(raw.to_owned()))
}

/// The same JSON with a replacement character for each surrogate that has no other half.
fn with_whole_characters(raw: &str) -> String {
    let mut mended = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, is_half) = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            (Some(_), _) => (6, false),
            // Another escape; its letter may be a backslash.
            (None, _) => (1 + rest[1..].chars().next().map_or(0, char::len_utf8), false),
        };
        let (escape, behind) = rest.split_at(length);
        mended.push_str(if is_half { REPLACEMENT } else { escape });
        rest = behind;
    }
    mended + rest
}

/// The UTF-16 unit that an escape at the text's beginning stands for.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_is_refused_is_mended_or_kept_as_its_text() {
        let line = r#"{"cut":"a\ud83d","pair":"\ud83d\ude00","low":"\ude00\\ud83d","far":1e999,"n":1}"#;
        let object = object(line).unwrap();
        assert_eq!(object["cut"].as_str(), Some("a\u{fffd}"));
        assert_eq!(object["pair"].as_str(), Some("😀"));
        assert_eq!(object["low"].as_str(), Some("\u{fffd}\\ud83d"), "an escaped backslash is no escape");
        assert_eq!(object["far"].as_str(), Some("1e999"));
        assert_eq!(object["n"], Value::Int(1));
    }

    #[test]
    fn what_is_too_deep_is_its_text_and_what_is_no_object_is_none() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let read = object(&format!(r#"{{"deep":{deep}}}"#)).unwrap();
        assert_eq!(read, Map::from([("deep".to_owned(), Value::String(deep))]));
        assert_eq!(object("[1]"), None);
        assert_eq!(object(r#"{"a":}"#), None);
    }

    proptest! {
        #[test]
        fn every_text_of_escapes_is_read(escapes in prop::collection::vec(r"\\u[dD][89abcdefABCDEF][0-9a-f]{2}|\\\\|\\n|\\u0041|x|é", 0..12)) {
            let line = format!(r#"{{"k":"{}"}}"#, escapes.concat());
            prop_assert!(matches!(object(&line).unwrap()["k"], Value::String(_)));
            prop_assert!(!with_whole_characters(&line).is_empty());
        }
    }
}
