//! Semi-structured lines: text around one JSON object (`Events: {…}`), taken apart as the reference does.

mod sound;

use std::ops::Range;

use model::Map;
use serde::Deserialize;

use sound::Sound;

/// A line of braces must not cost more than a few looks.
const ATTEMPTS_MAX: usize = 8;

/// The text around the object, and the object.
#[derive(Debug, PartialEq)]
pub(super) struct Embedded {
    /// Prefix without its trailing colon, and suffix; both present are joined with ` - `.
    pub(super) message: String,
    /// The first object that is not empty (`{}` is more often a placeholder or code than data).
    pub(super) data: Map,
}

/// Finds the object; none if there is none.
pub(super) fn split(text: &str) -> Option<Embedded> {
    let (range, data) = first(text, |object: &Map| !object.is_empty())?;
    Some(Embedded { message: around(&text[..range.start], &text[range.end..]), data })
}

/// Where the object stands, without reading it.
pub(super) fn range(text: &str) -> Option<Range<usize>> {
    Some(first(text, |object: &Sound| !object.is_empty)?.0)
}

fn first<'a, T: Deserialize<'a>>(
    text: &'a str,
    says_something: impl Fn(&T) -> bool,
) -> Option<(Range<usize>, T)> {
    text.match_indices('{').take(ATTEMPTS_MAX).find_map(|(start, _)| {
        let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<T>();
        let object = stream.next()?.ok().filter(&says_something)?;
        Some((start..start + stream.byte_offset(), object))
    })
}

fn around(prefix: &str, suffix: &str) -> String {
    let prefix = prefix.trim();
    let prefix = prefix.strip_suffix(':').unwrap_or(prefix).trim_end();
    // A quoted object leaves its closing quote behind.
    let suffix = suffix.strip_prefix(['"', '\'']).unwrap_or(suffix).trim();
    match (prefix.is_empty(), suffix.is_empty()) {
        (false, false) => format!("{prefix} - {suffix}"),
        (false, true) => prefix.to_owned(),
        (true, _) => suffix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Option<String> {
        split(text).map(|embedded| embedded.message)
    }

    #[test]
    fn the_examples_of_the_reference() {
        assert_eq!(message(r#"Events: {"a":{"b":[1]}}"#).as_deref(), Some("Events"));
        assert_eq!(
            message(r#"localdomain {"a":1} sudo[14170]"#).as_deref(),
            Some("localdomain - sudo[14170]")
        );
        assert_eq!(message(r#"got "{"a":1}""#).as_deref(), Some("got \""));
        assert_eq!(message(r#"{"a":1} done"#).as_deref(), Some("done"));
    }

    #[test]
    fn the_object_stands_where_it_was_taken_from() {
        for text in
            [r#"got "{"a":1}""#, r#"{not} { } {"a":1e999} {"b":"\ud800"} {"c":[1]} {"d":2}"#, "{}", "none"]
        {
            let taken =
                split(text).map(|embedded| serde_json::Value::from(model::Value::from(embedded.data)));
            let there =
                range(text).map(|range| serde_json::from_str::<serde_json::Value>(&text[range]).unwrap());
            assert_eq!(there, taken, "{text}");
        }
    }

    #[test]
    fn braces_without_an_object_are_text() {
        for text in ["", "{}", "use {} here", "{{{{{{{{{{{{{{{{{{{{", "{'a': 1}", "if (x) { return; }"] {
            assert_eq!(split(text), None, "{text}");
        }
        assert_eq!(message(r#"{not} {"a":1}"#).as_deref(), Some("{not}"));
    }
}
