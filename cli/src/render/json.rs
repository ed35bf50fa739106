//! JSON as text that a terminal only shows: what acts on one is escaped, which every reader of JSON undoes.

use serde::Serialize;

use super::text::acts;

/// One line of JSON. Quotes and line breaks are escaped by JSON itself; C1 controls (of which `U+009B` begins a command
/// on some terminals), DEL and what turns the direction of writing are escaped here. They stand in strings only.
///
/// # Errors
/// As [`serde_json::to_string`].
pub fn text<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let written = serde_json::to_string(value)?;
    if !written.contains(acts) {
        return Ok(written);
    }
    let mut text = String::with_capacity(written.len() + 16);
    for character in written.chars() {
        match acts(character) {
            true => escape(character, &mut text),
            false => text.push(character),
        }
    }
    Ok(text)
}

fn escape(character: char, text: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_act_on_a_terminal_is_escaped() {
        let value = serde_json::json!({"a\u{7f}": "\u{9b}2J \u{202e}txt é \u{e0041}\n"});
        assert_eq!(text(&value).unwrap(), r#"{"a\u007f":"\u009b2J \u202etxt é \udb40\udc41\n"}"#);
    }

    proptest! {
        #[test]
        fn it_means_the_same(string in any::<String>()) {
            let written = text(&string).unwrap();
            prop_assert!(!written.contains(acts), "{}", written);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), string);
        }
    }
}
