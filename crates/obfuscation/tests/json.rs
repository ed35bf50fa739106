//! What happens to a JSON text: the same as to the tree that it stands for, and nothing else.

use std::time::{Duration, Instant};

use obfuscation::{Action, HashKey, MASK, NESTED_MAX, Reason, Rule};

/// What comes of a text, and how many values were scrubbed in it.
fn scrubbed_by(rule: &Rule, json: &str) -> (String, u64) {
    let mut text = json.to_owned();
    let counts = rule.scrub_json(&mut text);
    (text, counts.total())
}

fn scrubbed(json: &str) -> String {
    scrubbed_by(&Rule::default(), json).0
}

#[test]
fn what_is_no_secret_stays_byte_for_byte() {
    for text in [
        r#" { "a" : [ 1.50 , -0, 12345678901234567890123, 1E5 ] , "caf\u00e9\/" : "\ud83d\ude00 \n" } "#,
        r#"{"password":null,"secret":"","creds":{ },"apiKey":[],"isAuth":true,"authFailures":3}"#,
        r#"{"password":"[scrubbed]","pwd":"\u005bscrubbed-0123456789abcdef]","author":"Ada"}"#,
        r#"[]"#,
        r#""text""#,
        "7",
    ] {
        assert_eq!(scrubbed_by(&Rule::default(), text), (text.to_owned(), 0));
    }
}

#[test]
fn a_mark_takes_the_place_of_the_value_alone() {
    for (text, expected) in [
        (r#"{ "password" : "hunter2" , "a" : 1.0 }"#, r#"{ "password" : "[scrubbed]" , "a" : 1.0 }"#),
        (r#"{"pass\u0077ord":"a \" b"}"#, r#"{"pass\u0077ord":"[scrubbed]"}"#),
        (
            r#"{"secret":{"a":["}\"",{}]},"b":[{"pwd":7}]}"#,
            r#"{"secret":"[scrubbed]","b":[{"pwd":"[scrubbed]"}]}"#,
        ),
        (
            r#"{"pan":4111111111111111,"at":1795000000000000}"#,
            r#"{"pan":"[scrubbed]","at":1795000000000000}"#,
        ),
        (
            r#"{"m":"caf\u00e9 \"password\":\"x\ny\" \u00e9"}"#,
            r#"{"m":"caf\u00e9 \"password\":\"[scrubbed]\" \u00e9"}"#,
        ),
        (
            r#"["\ud83d\ude00 Be\u0061rer abcdef0123456789\t!"]"#,
            r#"["\ud83d\ude00 Be\u0061rer [scrubbed]\t!"]"#,
        ),
        (r#"{"token":1,"pwd":"a","pwd":"b"}"#, r#"{"token":1,"pwd":"[scrubbed]","pwd":"[scrubbed]"}"#),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn drop_takes_the_right_comma_with_it() {
    let rule = Rule::default().with_action(Action::Drop);
    for (text, expected) in [
        (r#"{"pwd":1}"#, r#"{}"#),
        (r#"{"pwd":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"pwd":1}"#, r#"{"a":2}"#),
        (r#"{"pwd":1,"secret":"x","a":2,"pwd":[1],"b":{"pwd":1,"c":3},"pwd":1}"#, r#"{"a":2,"b":{"c":3}}"#),
        (r#"{ "pwd" : 1 , "a" : 2 , "pwd" : 1 }"#, r#"{ "a" : 2  }"#),
        (r#"[{"pwd":1,"secret":2},{"pwd":{"a":1}}]"#, r#"[{},{}]"#),
        (r#"{"a":"pwd=1"}"#, r#"{"a":"pwd=[scrubbed]"}"#),
    ] {
        assert_eq!(scrubbed_by(&rule, text).0.replace("  \"", " \""), expected);
    }
}

#[test]
fn names_and_paths_of_a_team_are_found_however_they_are_written() {
    let rule = Rule::default().allow("auth").allow("headers.x-api-key").deny("user.name").deny("iban");
    let text = r#"{"auth":"Bearer abcdef0123456789","h":{"auth":{"pwd":"x"}},
        "headers":[{"X-Api-Key":"a"},{"x-api-key":{"name":"b"}}],"user":{"n\u0061me":"c","iban":1},"name":"d"}"#;
    let expected = r#"{"auth":"Bearer abcdef0123456789","h":{"auth":{"pwd":"[scrubbed]"}},
        "headers":[{"X-Api-Key":"a"},{"x-api-key":{"name":"b"}}],"user":{"n\u0061me":"[scrubbed]","iban":"[scrubbed]"},"name":"d"}"#;
    assert_eq!(scrubbed_by(&rule, text), (expected.to_owned(), 3));
}

#[test]
fn equal_values_get_equal_marks_however_they_are_written() {
    let rule = Rule::default().with_action(Action::Hash(HashKey::new(b"of this deployment")));
    let (text, _) =
        scrubbed_by(&rule, r#"{"pwd":"\u0061","secret":"a","passwd":1.50,"password":15e-1,"creds":[1]}"#);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["pwd"], value["secret"]);
    assert_eq!(value["passwd"], value["password"]);
    assert_ne!(value["pwd"], value["passwd"]);
    assert_eq!(value["creds"], MASK);
}

#[test]
fn what_is_no_json_is_scrubbed_as_far_as_it_can_be_read_and_as_running_text() {
    for (text, expected) in [
        (r#"{"password":"hun"#, r#"{"password":"[scrubbed]""#),
        (r#"{"pass\u0077ord":{"a":"b"#, r#"{"pass\u0077ord":"[scrubbed]""#),
        (
            r#"{"a":NaN,"pass\u0077ord":"x","b":'password=y'}"#,
            r#"{"a":NaN,"pass\u0077ord":"[scrubbed]","b":'password=[scrubbed]'}"#,
        ),
        (r#"{"a":1} password=hunter2"#, r#"{"a":1} password=[scrubbed]"#),
        ("{\"a\":\"\t\",\"pwd\":\"\\q\"}", "{\"a\":\"\t\",\"pwd\":\"[scrubbed]\"}"),
        (r#"{"a":1,"#, r#"{"a":1,"#),
        ("", ""),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn brackets_may_be_as_deep_as_a_reader_can_follow_and_deeper_ones_are_running_text() {
    let nested = |depth: usize| {
        format!(r#"{}{{"pass\u0077ord":"x","m":"pwd=y"}}{}"#, "[".repeat(depth), "]".repeat(depth))
    };
    let deepest = nested(NESTED_MAX - 1);
    assert!(serde_json::from_str::<serde_json::Value>(&deepest).is_ok());
    assert_eq!(scrubbed_by(&Rule::default(), &deepest).1, 2);
    let deeper = nested(NESTED_MAX);
    assert!(serde_json::from_str::<serde_json::Value>(&deeper).is_err());
    assert_eq!(scrubbed_by(&Rule::default(), &deeper).1, 1);
    assert_eq!(scrubbed_by(&Rule::default(), &nested(100_000)).1, 1);
    assert_eq!(scrubbed(&format!(r#"{{"pwd":{}}}"#, nested(100_000))), r#"{"pwd":"[scrubbed]"}"#);
}

/// Texts that are nothing but beginnings, as for running text.
#[test]
fn no_json_takes_more_than_linear_time() {
    for part in [
        "[",
        "{\"a\":",
        "{\"pwd\":",
        "{\"pwd\":[1,",
        "\"",
        "\\",
        "\"\\u",
        "[\"pwd=\\u0061",
        "{\"pwd\":\"\",",
        "\"-----BEGIN PRIVATE KEY-----\",",
        "{},",
        "[1]",
        "-",
        "{\"pwd\":\"",
    ] {
        for head in ["", "[", "\"", "{\"a\":\"", "{\"pwd\":"] {
            let mut text = format!("{head}{}", part.repeat((1 << 16) / part.len()));
            let started = Instant::now();
            Rule::default().deny("a.b").scrub_json(&mut text);
            let took = started.elapsed();
            assert!(took < Duration::from_secs(5), "{part:?} behind {head:?} took {took:?}");
        }
    }
}

#[test]
fn a_line_is_running_text_around_its_object() {
    let rule = Rule::default();
    for (text, expected, count) in [
        (r#"pwd=a {"pwd":"b"} pwd=c"#, r#"pwd=[scrubbed] {"pwd":"[scrubbed]"} pwd=[scrubbed]"#, 3),
        (r#"INFO sent {"to":"x"} ok"#, r#"INFO sent {"to":"x"} ok"#, 0),
        (r#"Authorization: {"a":1}"#, "Authorization: [scrubbed]", 1),
        (r#"password={"x":1} pwd=b"#, "password=[scrubbed] pwd=[scrubbed]", 2),
        (r#"password='{"x":"}"}' pwd=b"#, "password='[scrubbed]' pwd=[scrubbed]", 2),
        (r#"password=a{"x":1}"#, "password=[scrubbed]", 1),
        (r#"pem -----BEGIN PRIVATE KEY----- {"x":1} a"#, "pem [scrubbed]", 1),
    ] {
        let (start, end) = (text.find('{').unwrap(), text.rfind('}').unwrap() + 1);
        let mut line = text.to_owned();
        let counts = rule.scrub_line(&mut line, Some(start..end));
        assert_eq!((line.as_str(), counts.total()), (expected, count));
    }
}

#[test]
fn a_range_that_no_object_can_stand_at_is_ignored() {
    for (start, end) in [(0, 99), (3, 1), (1, 1), (0, 1), (7, 9)] {
        let mut line = r#"é pwd=x {"a":1}"#.to_owned();
        assert_eq!(Rule::default().scrub_line(&mut line, Some(start..end)).of(Reason::Assignment), 1);
        assert_eq!(line, r#"é pwd=[scrubbed] {"a":1}"#);
    }
}
