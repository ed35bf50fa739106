//! A payload's bytes → values. JSON inside JSON's texts (`body`, an SNS message in an SQS message) is read too: people
//! search in it, and what must not leave is found by its key. What was cut off ends where its last whole part does.

use std::cell::Cell;

use model::Value;
use model::value::Bounded;
use serde::de::DeserializeSeed;

use super::encoded;

/// JSON in a text in a text …: an API Gateway body, an S3 event in SNS in SQS. Deeper is somebody's own nesting.
const TEXTS_DEEP_MAX: usize = 4;
/// Of one payload, its texts' JSON included. A value takes some 30 bytes of memory and two of a payload: `[1,1,…]` of a
/// MiB would be 15 MiB. What has more stays text from there on.
const VALUES_MAX: usize = 32_768;
/// serde_json's own bound, and so that of what it reads.
const LEVELS_MAX: usize = 128;
/// What parts the head of a streamed HTTP answer from its body (AWS Lambda Developer Guide, "Response streaming").
const HEAD_END: [u8; 8] = [0; 8];

/// The payload as a value: of JSON, of the head of a streamed HTTP answer with its body, else its text.
pub(super) fn payload(bytes: &[u8], cut: bool) -> Value {
    let left = Cell::new(VALUES_MAX);
    if let Some(at) = bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END)
        && let Some(Value::Object(mut head)) = json(&bytes[..at], &left)
    {
        let body = String::from_utf8_lossy(&bytes[at + HEAD_END.len()..]).into_owned();
        head.entry("body".to_owned()).or_insert(Value::String(body));
        return unfold(Value::Object(head), TEXTS_DEEP_MAX, &left);
    }
    let value = json(bytes, &left).or_else(|| if cut { json(&closed(bytes)?, &left) } else { None });
    match value {
        Some(mut value) => {
            if let Value::Object(map) = &mut value {
                encoded::decode(map);
            }
            unfold(value, TEXTS_DEEP_MAX, &left)
        }
        None => Value::String(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// None if it is no JSON, or has more values than are `left`.
fn json(bytes: &[u8], left: &Cell<usize>) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Bounded::new(left).deserialize(&mut reader).ok()?;
    reader.end().ok().map(|()| value)
}

/// Texts that hold objects or arrays become these.
fn unfold(value: Value, texts_deep: usize, left: &Cell<usize>) -> Value {
    match value {
        Value::String(text) if texts_deep > 0 && text.trim_start().starts_with(['{', '[']) => {
            match json(text.as_bytes(), left) {
                Some(inner @ (Value::Object(_) | Value::Array(_))) => unfold(inner, texts_deep - 1, left),
                _ => Value::String(text),
            }
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| unfold(item, texts_deep, left)).collect())
        }
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(key, value)| (key, unfold(value, texts_deep, left))).collect(),
        ),
        other => other,
    }
}

/// The beginning of a JSON text, up to its last whole part, with what is open closed; none if nothing of it is whole.
fn closed(beginning: &[u8]) -> Option<Vec<u8>> {
    let last_comma = scan(beginning).0?;
    let whole = &beginning[..last_comma];
    let mut text = whole.to_vec();
    text.extend(scan(whole).1.into_iter().rev());
    Some(text)
}

/// Where the last comma between parts stands, and the brackets that would close what is open at the end.
fn scan(text: &[u8]) -> (Option<usize>, Vec<u8>) {
    let (mut in_text, mut escaped) = (false, false);
    let mut last_comma = None;
    let mut open = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' if open.len() < LEVELS_MAX => open.push(b'}'),
            b'[' if open.len() < LEVELS_MAX => open.push(b']'),
            b'}' | b']' => {
                open.pop();
            }
            b',' => last_comma = Some(at),
            _ => {}
        }
    }
    (last_comma, open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: Value) -> String {
        serde_json::Value::from(value).to_string()
    }

    #[test]
    fn json_in_texts_is_read_and_other_texts_stay() {
        let value = payload(br#"{"body":"{\"card\":{\"pin\":\"1\"}}","note":"{not json","n":"7"}"#, false);
        assert_eq!(text(value), r#"{"body":{"card":{"pin":"1"}},"n":"7","note":"{not json"}"#);
        assert_eq!(payload(b"plain text", false), "plain text".into());
    }

    #[test]
    fn a_cut_payload_ends_with_its_last_whole_part() {
        let cut = payload(br#"{"Records":[{"a":1,"b":"x, y"},{"a":2,"b":"hal"#, true);
        assert_eq!(text(cut), r#"{"Records":[{"a":1,"b":"x, y"},{"a":2}]}"#);
        assert_eq!(payload(br#"{"a"#, true), r#"{"a"#.into(), "nothing of it is whole");
    }

    #[test]
    fn what_has_too_many_values_stays_text() {
        let many = format!("[{}1]", "1,".repeat(VALUES_MAX));
        assert_eq!(payload(many.as_bytes(), false), Value::String(many.clone()));
        let folded = serde_json::json!({"first": many, "second": "[1]"}).to_string();
        let Value::Object(map) = payload(folded.as_bytes(), false) else { panic!("no object") };
        assert_eq!(map["first"].as_str(), Some(&*many));
    }

    #[test]
    fn a_streamed_answer_shows_its_status_and_its_body() {
        let value = payload(b"{\"statusCode\":200}\0\0\0\0\0\0\0\0<html>", false);
        assert_eq!(text(value), r#"{"body":"<html>","statusCode":200}"#);
    }

    proptest! {
        #[test]
        fn wherever_it_is_cut_it_is_read(at in 0_usize..90) {
            let whole = br#"{"Records":[{"body":"{\"a\":[1,2,{\"b\":null}]}","n":-1.5e3},{"x":["\u00e9\\",true]}],"z":{}}"#;
            let at = at.min(whole.len());
            let _ = payload(&whole[..at], true);
        }

        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..100), cut in any::<bool>()) {
            let _ = payload(&bytes, cut);
        }
    }
}
