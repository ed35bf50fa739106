//! What happens to keys and what is below them.

use model::{Map, Value};
use obfuscation::{Action, HashKey, MASK, Patterns, Reason, Rule};
use proptest::prelude::*;

fn object(json: &[(&str, Value)]) -> Map {
    json.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[test]
fn a_match_takes_everything_below_it_and_is_counted_once() {
    let inner = object(&[("principalId", "user".into()), ("password", "x".into())]);
    let mut map = object(&[
        ("authorizer", Value::Object(inner.clone())),
        ("author", Value::Object(inner)),
        ("items", Value::Array(vec![Value::Object(object(&[("apiKey", Value::Int(7))]))])),
    ]);
    let counts = Rule::default().scrub(&mut map);
    assert_eq!((counts.total(), counts.of(Reason::Key)), (3, 3));
    assert_eq!(map["authorizer"], Value::from(MASK));
    let author = map["author"].as_object().unwrap();
    assert_eq!(author["principalId"], Value::from("user"));
    assert_eq!(author["password"], Value::from(MASK));
    assert_eq!(map["items"], Value::Array(vec![Value::Object(object(&[("apiKey", MASK.into())]))]));
}

#[test]
fn a_number_under_auth_is_a_count_and_under_password_a_password() {
    let mut map = object(&[
        ("authFailures", Value::Int(3)),
        ("auth", "Basic dXNlcjpwYXNz".into()),
        ("password", Value::Int(123_456)),
        ("clientIp", Value::Int(3_221_225_985)),
    ]);
    Rule::default().scrub(&mut map);
    assert_eq!(map["authFailures"], Value::Int(3));
    for key in ["auth", "password", "clientIp"] {
        assert_eq!(map[key], Value::from(MASK), "{key}");
    }
}

#[test]
fn drop_takes_the_key_too_and_nothing_is_hidden_where_nothing_is() {
    let mut map = object(&[
        ("secret", "x".into()),
        ("password", Value::Null),
        ("isAuth", true.into()),
        ("creds", "".into()),
        ("message", "password=hunter2".into()),
    ]);
    assert_eq!(Rule::default().with_action(Action::Drop).scrub(&mut map).total(), 2);
    assert_eq!(map.keys().collect::<Vec<_>>(), ["creds", "isAuth", "message", "password"]);
    assert_eq!(map["message"], Value::from("password=[scrubbed]"));
}

#[test]
fn equal_values_can_be_told_to_be_equal_and_nothing_else() {
    let rule = Rule::default().with_action(Action::Hash(HashKey::new(b"of this deployment")));
    let mut map = object(&[
        ("sourceIp", "192.0.2.1".into()),
        ("clientIp", "192.0.2.1".into()),
        ("pwd", "192.0.2.2".into()),
        ("message", "sourceIp=192.0.2.1".into()),
    ]);
    rule.scrub(&mut map);
    assert_eq!(map["sourceIp"], map["clientIp"]);
    assert_ne!(map["sourceIp"], map["pwd"]);
    let mark = map["sourceIp"].as_str().unwrap();
    assert_eq!(map["message"], Value::from(format!("sourceIp={mark}")));
    assert!(mark.starts_with("[scrubbed-") && !mark.contains("192"));
}

#[test]
fn a_team_can_allow_and_deny_names_and_paths() {
    let headers = object(&[("cookie", "a=b".into()), ("x-api-key", "k1".into())]);
    let mut map = object(&[
        ("auth_type", "IAM".into()),
        ("auth", "IAM".into()),
        ("creditCardNumber", "1".into()),
        ("cookie", "vanilla".into()),
        ("orderId", "4111111111111111".into()),
        ("request", Value::Object(object(&[("headers", Value::Object(headers))]))),
    ]);
    let rule = Rule::default()
        .allow("Auth_Type")
        .allow("orderId")
        .allow("headers.X-Api-Key")
        .deny("credit-card")
        .deny("request.headers.cookie")
        .deny("--");
    assert_eq!(rule.scrub(&mut map).total(), 3);
    assert_eq!(map["auth_type"], Value::from("IAM"));
    assert_eq!(map["auth"], Value::from(MASK));
    assert_eq!(map["creditCardNumber"], Value::from(MASK));
    assert_eq!(map["cookie"], Value::from("vanilla"));
    assert_eq!(map["orderId"], Value::from("4111111111111111"));
    let headers = map["request"].as_object().unwrap()["headers"].as_object().unwrap();
    assert_eq!(headers["cookie"], Value::from(MASK));
    assert_eq!(headers["x-api-key"], Value::from("k1"));
}

#[test]
fn a_card_number_is_found_as_a_number_too() {
    let mut map =
        object(&[("pan", Value::Int(4_111_111_111_111_111)), ("at", Value::Int(1_795_000_000_000_000))]);
    let counts = Rule::default().scrub(&mut map);
    assert_eq!((counts.total(), counts.of(Reason::Card)), (1, 1));
    assert_eq!(map["pan"], Value::from(MASK));
}

#[test]
fn patterns_can_be_off() {
    let text = "Bearer abcdefgh12345678";
    let mut map = object(&[("message", text.into()), ("password", "x".into())]);
    let counts = Rule::default().with_patterns(Patterns::NONE).scrub(&mut map);
    assert_eq!((counts.total(), &map["message"]), (1, &Value::from(text)));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof!["\\PC{0,12}", Just("password".to_owned()), Just("authorId".to_owned())];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(Value::Object),
        ]
    })
}

/// True if something is left under a key `password`, at any depth.
fn left_over(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| match value {
            Value::Int(_) if key == "password" => true,
            Value::String(text) if key == "password" => !text.is_empty() && text != MASK,
            value => left_over(value),
        }),
        Value::Array(items) => items.iter().any(left_over),
        _ => false,
    }
}

proptest! {
    #[test]
    fn after_scrubbing_nothing_is_left_and_a_second_time_changes_nothing(
        value in any_value(),
        drop in any::<bool>(),
    ) {
        let rule = Rule::default().with_action(if drop { Action::Drop } else { Action::Mask });
        let mut map = Map::from([("root".to_owned(), value)]);
        rule.scrub(&mut map);
        prop_assert!(!left_over(&Value::Object(map.clone())));
        let scrubbed = map.clone();
        prop_assert_eq!(rule.scrub(&mut map).total(), 0);
        prop_assert_eq!(map, scrubbed);
    }
}
