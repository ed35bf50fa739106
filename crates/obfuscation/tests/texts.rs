//! What happens to running text: every kind of secret is found wherever it stands, and nothing else is touched.

use std::time::{Duration, Instant};

use obfuscation::{Action, HashKey, Patterns, Reason, Rule};
use proptest::prelude::*;

#[path = "generate/secrets.rs"]
mod secrets;

use secrets::{between, rubble, secret};

fn scrubbed(text: &str) -> String {
    let mut text = text.to_owned();
    Rule::default().scrub_text(&mut text);
    text
}

const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

#[test]
fn every_kind_is_found_in_a_sentence() {
    for (text, expected) in [
        (
            "sent Authorization: Bearer abcdef0123456789 to host",
            "sent Authorization: Bearer [scrubbed] to host",
        ),
        ("bearer   mF_9.B5f-4.1JqM.", "bearer   [scrubbed]."),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [scrubbed]"),
        ("Authorization: Token 9944b09199c62bcf", "Authorization: Token [scrubbed]"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key [scrubbed] used"),
        ("4111 1111 1111 1111 exp 12/29", "[scrubbed] exp 12/29"),
        ("card=4111-1111-1111-1111", "card=[scrubbed]"),
        ("3782 822463 10005", "[scrubbed]"),
        ("paid with 4111111111111111.", "paid with [scrubbed]."),
        ("postgres://app:s3cr:et@db:5432/x", "postgres://app:[scrubbed]@db:5432/x"),
        ("redis://:hunter2@cache", "redis://:[scrubbed]@cache"),
        (
            "git clone https://ghp_0123456789abcdefghijABCDEFGHIJ012345:x@github.com",
            "git clone https://[scrubbed]:[scrubbed]@github.com",
        ),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[scrubbed]"),
        ("sk-proj-abcdefghij0123456789", "[scrubbed]"),
        ("xoxb-123456789012-abcdef", "[scrubbed]"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[scrubbed]"),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
    assert_eq!(scrubbed(&format!("token {JWT}, then")), "token [scrubbed], then");
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";
    assert_eq!(scrubbed(&format!("loaded {pem} ok")), "loaded [scrubbed] ok");
    assert_eq!(scrubbed(&format!("private_key={pem}")), "private_key=[scrubbed]");
    assert_eq!(scrubbed("cut -----BEGIN PRIVATE KEY-----\\nMIIEow"), "cut [scrubbed]");
}

#[test]
fn a_listed_name_gives_its_value_away() {
    for (text, expected) in [
        ("login password=hunter2&user=bob", "login password=[scrubbed]&user=bob"),
        ("password: hunter", "password: [scrubbed]"),
        (r#"body {"password":"a \" b","user":"bob"}"#, r#"body {"password":"[scrubbed]","user":"bob"}"#),
        (r#""{\"apiKey\": \"k1\", \"n\": 1}""#, r#""{\"apiKey\": \"[scrubbed]\", \"n\": 1}""#),
        ("{'client_secret': 'x y'}", "{'client_secret': '[scrubbed]'}"),
        (r#"{"password"=>"x"}"#, r#"{"password"=>"[scrubbed]"}"#),
        ("access token: ab12", "access token: [scrubbed]"),
        ("client ip = 192.0.2.1;", "client ip = [scrubbed];"),
        ("AWS_SECRET_ACCESS_KEY=wJalr/K7MDENG", "AWS_SECRET_ACCESS_KEY=[scrubbed]"),
        (r#"{"authorizer":{"claims":{"sub":"1"}},"a":1}"#, r#"{"authorizer":[scrubbed],"a":1}"#),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn what_only_looks_alike_is_left_alone() {
    for text in [
        "Bearer authentication failed",
        "Basic authentication is on; basic healthCheck passed",
        "author: Ada Lovelace, authFailures=3, auth: failed",
        "Invalid credentials: user not found",
        "password=null password= password: , isSecret: true",
        "token: 12, tokens=34",
        "ts=1795260759000 id=4111111111111112 0.4111111111111111",
        "4111111111111111a 8286a188-ba32-4475-8077-530cd35c09a9 2026-11-21T11:12:39.123Z",
        "1-58406520-a006649127e371903a2de979 Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        "https://example.com:8080/a?b=c#d user@example.com mailto:bob@example.com",
        "AKIAIOSFODNN7EXAMPLES eyJub3QgYSB0b2tlbg sk-SK a_snake_case_name_of_some_length x--y",
        "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
        "if password == other { } secret::module password: [] creds={}",
        "[scrubbed] password=[scrubbed] \"secret\": \"[scrubbed-0123456789abcdef]\"",
    ] {
        assert_eq!(scrubbed(text), text);
    }
}

#[test]
fn e_mail_addresses_are_found_when_a_team_wants_it() {
    let rule = Rule::default().with_patterns(Patterns::NONE.with(Reason::Email));
    let mut text = "from <ada.l+x@mail.example.org>, to bob@example.com. Not a@b, @x, x@.".to_owned();
    assert_eq!(rule.scrub_text(&mut text).of(Reason::Email), 2);
    assert_eq!(text, "from <[scrubbed]>, to [scrubbed]. Not a@b, @x, x@.");
}

/// Texts that are nothing but beginnings. Quadratic work on them would take half a minute; linear work takes
/// milliseconds, also unoptimised, so that there is room for a machine that does other things.
#[test]
fn no_text_takes_more_than_linear_time() {
    for part in [
        "eyJ",
        "sk-",
        "-----BEGIN ",
        "://",
        ":",
        "=",
        "a:",
        "auth:",
        "password=\"[scrubbed]",
        "password=",
        "xoxb-",
        "4111 ",
        "SG.",
        "@",
        "a@",
        "ghp_",
        "Bearer ",
        "basic a",
        "_",
        "4",
        "\\\"",
        "token:",
        "auth: a ",
        "http://a:",
        "secret=[",
        "auth=\\",
        "-----BEGIN PRIVATE KEY-----",
    ] {
        let mut text = part.repeat((1 << 18) / part.len());
        let started = Instant::now();
        Rule::default().scrub_text(&mut text);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{part:?} took {took:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_secret_survives_between_other_words(
        parts in prop::collection::vec((between(), secret()), 1..4),
        last in "([ ,;)].{0,20})?",
    ) {
        let text: String = parts.iter().map(|(before, (secret, _))| format!("{before}{secret}")).collect();
        let result = scrubbed(&(text + &last));
        for (_, (_, part)) in &parts {
            prop_assert!(!result.contains(part.as_str()), "{part:?} in {result:?}");
        }
    }

    #[test]
    fn text_without_secrets_stays_as_it_is(
        words in prop::collection::vec(
            prop_oneof![
                "[A-Z]?[a-z]{1,12}",
                "[0-9]{1,9}",
                "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z",
                "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}",
                "(user|count|item_id|authorName|tokens)[:=] ?\"?[a-z0-9]{1,10}\"?",
                "https://[a-z]{3,8}\\.com/[a-z]{0,8}\\?q=[0-9]{0,3}",
                "[é日—]{1,4}",
            ],
            0..12,
        ),
    ) {
        let text = words.join(" ");
        prop_assert_eq!(scrubbed(&text), text);
    }

    #[test]
    fn a_second_time_changes_nothing_and_no_text_is_too_strange(text in rubble(), hash in any::<bool>(), all in any::<bool>()) {
        let action = if hash { Action::Hash(HashKey::new(b"k")) } else { Action::Mask };
        let patterns = Patterns::default();
        let patterns = if all { patterns.with(Reason::Email) } else { patterns };
        let rule = Rule::default().with_action(action).with_patterns(patterns);
        let mut once = text.clone();
        let found = rule.scrub_text(&mut once).total();
        prop_assert_eq!(found == 0, once == text);
        let mut twice = once.clone();
        prop_assert_eq!(rule.scrub_text(&mut twice).total(), 0, "{:?} -> {:?} -> {:?}", text, once, twice);
    }

    #[test]
    fn any_text_is_taken(text in "\\PC*") {
        scrubbed(&text);
    }
}
