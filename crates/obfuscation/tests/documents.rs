//! Whatever JSON comes: its text is scrubbed as its tree is, nothing else in it changes, and no text is too strange.

use model::Map;
use model::value::from_json_object;
use obfuscation::{Action, HashKey, MASK, Patterns, Reason, Rule};
use proptest::prelude::*;

#[path = "generate/documents.rs"]
mod documents;
#[path = "generate/secrets.rs"]
mod secrets;

use documents::{document, hand};
use secrets::rubble;

fn rule() -> impl Strategy<Value = Rule> {
    let action = prop::sample::select(vec![Action::Mask, Action::Drop, Action::Hash(HashKey::new(b"k"))]);
    let patterns = prop::sample::select(vec![
        Patterns::default(),
        Patterns::default().with(Reason::Email),
        Patterns::NONE,
        Patterns::NONE.with(Reason::Card).with(Reason::Assignment),
    ]);
    let names = || {
        let names =
            vec!["auth", "user.name", "headers.X-Api-Key", "a", "a.b", "token", "password", "é", "name"];
        prop::collection::vec(prop::sample::select(names), 0..3)
    };
    (action, patterns, names(), names()).prop_map(|(action, patterns, allowed, denied)| {
        let rule = Rule::default().with_action(action).with_patterns(patterns);
        let rule = allowed.into_iter().fold(rule, |rule, name| rule.allow(name));
        denied.into_iter().fold(rule, |rule, name| rule.deny(name))
    })
}

fn parsed(json: &str) -> Result<Map, TestCaseError> {
    let map = serde_json::from_str(json).map(from_json_object);
    map.map_err(|error| TestCaseError::fail(format!("{error} in {json}")))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// An entry of an object, and what must become of it, byte for byte.
fn entry() -> impl Strategy<Value = (String, String)> {
    let same = |text: &str| (text.to_owned(), text.to_owned());
    let left = prop::sample::select(vec![
        r#""a" : 1.50e0"#,
        r#""caf\u00e9":"\ud83d\ude00\/\n""#,
        r#""big":123456789012345678901234567890"#,
        r#""list":[ 1 ,{ } , [ ],"x"]"#,
        r#""authFailures":3"#,
        r#""password" : null"#,
        r#""pwd":"[scrubbed]""#,
    ]);
    let name = prop::sample::select(vec!["password", "pass\\u0077ord", "X-Api-Key", "client\\u005fsecret"]);
    let value =
        prop::sample::select(vec![r#""a\"}\\""#, "12.50", "{\"a\" : [{}]}", "[\"]\", 1 ]", "\"\\u005b\""]);
    let hidden = (name, " ?", value).prop_map(|(name, blank, value)| {
        (format!("\"{name}\":{blank}{value}"), format!("\"{name}\":{blank}\"{MASK}\""))
    });
    let shown = (any::<bool>(), "[A-Z0-9]{16}").prop_map(|(is_escaped, key)| {
        let around =
            if is_escaped { ("\"\\u00e9\":\"\\u0041 \\\\ ", "\\n\\/\"") } else { ("\"é\":\"é ", ".\"") };
        let with = |key: &str| format!("{}{key}{}", around.0, around.1);
        (with(&format!("AKIA{key}")), with(MASK))
    });
    let leaf = prop_oneof![left.prop_map(same), hidden, shown];
    leaf.prop_recursive(3, 20, 5, |inner| {
        (prop::collection::vec(inner, 0..5), "[ \n]?").prop_map(|(entries, blank)| {
            let (given, expected): (Vec<String>, Vec<String>) = entries.into_iter().unzip();
            let object =
                |entries: Vec<String>| format!("\"o\":[{{{blank}{}}}]", entries.join(&format!("{blank},")));
            (object(given), object(expected))
        })
    })
}

const PIECES: [&str; 33] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u00",
    "\\ud83d",
    "\\\"",
    "null",
    "-",
    "1.5",
    "007",
    "NaN",
    "4111111111111111",
    "\"password\":",
    "\"pass\\u0077ord\":",
    "\"a\":",
    "{\"a\":",
    "\"x\"",
    "[[",
    " ",
    "\n",
    "\t",
    "'",
    "é",
    "[scrubbed]",
    "\"[scrubbed]\"",
    "\"m\":\"pwd=",
    "-----BEGIN PRIVATE KEY-----",
    "-----END ",
];

/// Pieces of JSON and of secrets in any order.
fn wreck() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        1 => (document(), hand()).prop_map(|(map, hand)| hand.write(&map)),
        1 => rubble(),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_text_is_scrubbed_as_its_tree_is(map in document(), hand in hand(), rule in rule()) {
        let json = hand.write(&map);
        let mut tree = parsed(&json)?;
        let of_tree = rule.scrub(&mut tree);
        let mut text = json.clone();
        let of_text = rule.scrub_json(&mut text);
        prop_assert_eq!(parsed(&text)?, tree, "{} -> {}", json, text);
        prop_assert_eq!(of_text, of_tree, "{} -> {}", json, text);
        prop_assert_eq!(of_text.total() == 0, text == json);
        let once = text.clone();
        prop_assert_eq!(rule.scrub_json(&mut text).total(), 0, "{} -> {} -> {}", json, once, text);
        prop_assert_eq!(text, once);
    }

    #[test]
    fn what_is_not_scrubbed_stays_byte_for_byte((given, expected) in entry()) {
        let mut text = format!("{{{given}}}");
        Rule::default().scrub_json(&mut text);
        prop_assert_eq!(text, format!("{{{expected}}}"));
    }

    #[test]
    fn no_text_is_too_strange_and_a_second_time_finds_nothing(text in wreck(), rule in rule()) {
        let mut once = text.clone();
        let found = rule.scrub_json(&mut once).total();
        prop_assert_eq!(found == 0, once == text);
        let mut twice = once.clone();
        prop_assert_eq!(rule.scrub_json(&mut twice).total(), 0, "{} -> {} -> {}", text, once, twice);
        if !is_json(&once) {
            prop_assert_eq!(rule.scrub_text(&mut twice).total(), 0, "{} -> {} -> {}", text, once, twice);
        }
    }

    #[test]
    fn any_text_is_taken(text in "\\PC*", json in any::<(usize, usize)>()) {
        let mut line = text.clone();
        Rule::default().scrub_json(&mut line);
        Rule::default().scrub_line(&mut text.clone(), Some(json.0 % 40..json.1 % 40));
    }

    #[test]
    fn a_line_is_its_parts_unless_the_object_belongs_to_what_stands_before(
        before in rubble(),
        map in document(),
        hand in hand(),
        behind in rubble(),
        rule in rule(),
    ) {
        let json = hand.write(&map);
        let object = json.trim();
        let mut line = format!("{before}{object}{behind}");
        let found = rule.scrub_line(&mut line, Some(before.len()..before.len() + object.len()));
        let (mut before, mut object, mut behind) = (before, object.to_owned(), behind);
        let mut parts = rule.scrub_text(&mut before);
        parts.add(&rule.scrub_json(&mut object));
        parts.add(&rule.scrub_text(&mut behind));
        if line == format!("{before}{object}{behind}") {
            prop_assert_eq!(found, parts);
        } else {
            // The object went with the secret that reached into it; the same one may stand in the text beside it.
            prop_assert!(line.len() < before.len() + object.len() + behind.len() + MASK.len() + 32);
            let is_gone = line.matches(&object).count() <= format!("{before}{behind}").matches(&object).count();
            prop_assert!(found.total() > 0 && (object.len() <= 2 || is_gone), "{}", line);
        }
    }
}
