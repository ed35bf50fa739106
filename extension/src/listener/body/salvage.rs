//! What is known of a record of which only one part came.

use model::Value;

/// An escape that a cut has halved has at most this many characters: `\ud83d\ude0`.
const HALF_ESCAPE_MAX: usize = 11;
/// How many places, from the end backwards, are tried to close an object that was cut.
const CLOSINGS_MAX: usize = 8;

/// The value that began with `bytes`; none if nothing of it can be told.
pub(super) fn beginning(bytes: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(bytes);
    // A character that was cut in two.
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    match text.trim_start().bytes().next()? {
        b'"' => closed_text(text.trim_start()),
        b'{' | b'[' => closed_object(text.trim_start()),
        _ => None,
    }
    .filter(says_something)
}

/// The text that ended with `bytes`, which are what a cut has left of a record after its envelope.
pub(super) fn end(bytes: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches(char::REPLACEMENT_CHARACTER);
    let text = text.strip_suffix("}]").or_else(|| text.strip_suffix('}')).unwrap_or(text);
    let quoted = [format!("\"{text}"), format!("\"{text}\"")];
    let value = quoted.iter().find_map(|quoted| serde_json::from_str(quoted).ok());
    Some(value.unwrap_or_else(|| Value::from(text))).filter(says_something)
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn closed_text(text: &str) -> Option<Value> {
    let ends = text.char_indices().rev().map(|(at, _)| at);
    std::iter::once(text.len())
        .chain(ends)
        .take(HALF_ESCAPE_MAX + 1)
        .find_map(|end| serde_json::from_str(&format!("{}\"", text.get(..end)?)).ok())
}

/// Closes what is open: at the very end, or where the last member that is whole ends.
fn closed_object(text: &str) -> Option<Value> {
    let mut open: Vec<char> = Vec::new();
    let mut places: Vec<(usize, String)> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' | '[' => {
                open.push(if letter == '{' { '}' } else { ']' });
                places.push((at + 1, closers(&open)));
            }
            '}' | ']' => {
                open.pop();
            }
            ',' => places.push((at, closers(&open))),
            _ => {}
        }
        if places.len() > 2 * CLOSINGS_MAX {
            places.drain(..CLOSINGS_MAX);
        }
    }
    let quote = if in_string { "\"" } else { "" };
    let last = (text.len(), format!("{quote}{}", closers(&open)));
    std::iter::once(last)
        .chain(places.into_iter().rev())
        .take(CLOSINGS_MAX)
        .find_map(|(end, closing)| serde_json::from_str(&format!("{}{closing}", text.get(..end)?)).ok())
}

fn closers(open: &[char]) -> String {
    open.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(bytes: &[u8]) -> Option<String> {
        beginning(bytes).map(|value| serde_json::Value::from(value).to_string())
    }

    #[test]
    fn a_text_is_kept_up_to_the_cut() {
        assert_eq!(shown(br#""half a li"#).as_deref(), Some(r#""half a li""#));
        assert_eq!(shown(br#""smile \ud83d\ude0"#).as_deref(), Some(r#""smile ""#));
        assert_eq!(shown(br#""quote \"#).as_deref(), Some(r#""quote ""#));
        assert_eq!(shown(b"\"caf\xc3").as_deref(), Some(r#""caf""#));
    }

    #[test]
    fn an_object_is_kept_up_to_its_last_whole_member() {
        for (cut, kept) in [
            (r#"{"requestId":"a","status":"succ"#, r#"{"requestId":"a","status":"succ"}"#),
            (r#"{"requestId":"a","sta"#, r#"{"requestId":"a"}"#),
            (
                r#"{"requestId":"a","metrics":{"durationMs":12.5,"#,
                r#"{"metrics":{"durationMs":12.5},"requestId":"a"}"#,
            ),
            (r#"{"requestId":"a","spans":[{"name""#, r#"{"requestId":"a","spans":[{}]}"#),
        ] {
            assert_eq!(shown(cut.as_bytes()).as_deref(), Some(kept), "{cut}");
        }
    }

    #[test]
    fn nothing_is_none() {
        for cut in ["", "\"", "\"  ", "{", "{\"a", "tru"] {
            assert_eq!(shown(cut.as_bytes()), None, "{cut}");
        }
        assert_eq!(end(b"\"}"), None);
    }

    #[test]
    fn the_end_of_a_text_is_read_without_its_framing() {
        assert_eq!(end(br#"of \"it\""}"#), Some(Value::from("of \"it\"")));
        assert_eq!(end(br#"\x broken"}"#), Some(Value::from("\\x broken\"")));
    }

    proptest! {
        #[test]
        fn what_is_kept_of_a_text_is_its_beginning(text in "\\PC{0,30}", cut in 0..80_usize) {
            let json = serde_json::to_vec(&text).unwrap();
            let cut = cut.min(json.len().saturating_sub(1));
            if let Some(Value::String(kept)) = beginning(&json[..cut]) {
                prop_assert!(text.starts_with(&kept), "{kept:?} is no beginning of {text:?}");
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = (beginning(&bytes), end(&bytes));
        }
    }
}
