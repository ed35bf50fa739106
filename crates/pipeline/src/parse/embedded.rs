//! Semi-structured lines: text around one JSON object (`Events: {…}`), taken apart as the reference does.

use model::Map;

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
    text.match_indices('{').take(ATTEMPTS_MAX).find_map(|(start, _)| {
        let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Map>();
        let data = stream.next()?.ok().filter(|object| !object.is_empty())?;
        let suffix = text.get(start + stream.byte_offset()..)?;
        Some(Embedded { message: around(&text[..start], suffix), data })
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
    fn braces_without_an_object_are_text() {
        for text in ["", "{}", "use {} here", "{{{{{{{{{{{{{{{{{{{{", "{'a': 1}", "if (x) { return; }"] {
            assert_eq!(split(text), None, "{text}");
        }
        assert_eq!(message(r#"{not} {"a":1}"#).as_deref(), Some("{not}"));
    }
}
