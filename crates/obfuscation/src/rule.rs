//! Which keys are scrubbed, and the walk over a map that does it. Called by the pipeline before anything is shipped.

use std::collections::BTreeSet;

use model::{Map, Value};

use crate::words::Words;

/// What stands in the place of a masked value.
pub const MASK: &str = "[scrubbed]";

/// The words of the reference's automatic scrubbing (2023 and 2024), without separators, and some of ours: the
/// singular of `credentials`, and what AWS and key files call their secrets. `api_key` and `x-api-key` are `apikey`.
const DEFAULT_ENTRIES: [(&str, Reach); 18] = [
    ("password", Reach::Compound),
    ("passwd", Reach::Compound),
    ("pwd", Reach::Word),
    ("secret", Reach::Compound),
    ("apikey", Reach::Compound),
    ("auth", Reach::Word),
    ("authorizer", Reach::Word),
    ("authorization", Reach::Word),
    ("credentials", Reach::Compound),
    ("credential", Reach::Compound),
    ("creds", Reach::Word),
    ("accesstoken", Reach::Compound),
    ("refreshtoken", Reach::Compound),
    ("sessiontoken", Reach::Compound),
    ("privatekey", Reach::Compound),
    ("secretkey", Reach::Compound),
    ("sourceip", Reach::Word),
    ("clientip", Reach::Word),
];

/// Where in a word an entry may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// From a word's beginning to a word's end: `auth` is not in `oauth`, `sourceip` not in `resource_ip`.
    Word,
    /// So distinctive that it also counts at the end of a longer word (`dbpassword`) and before digits (`password2`).
    Compound,
}

/// What happens to a value that must not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// The key stays, [`MASK`] stands for the value.
    #[default]
    Mask,
    /// Key and value are removed.
    Drop,
}

/// Decides by key name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    action: Action,
    /// Lower case, letters and digits only.
    entries: Vec<(String, Reach)>,
    /// Keys that pass, in lower case, otherwise exactly as written.
    allowed: BTreeSet<String>,
}

impl Default for Rule {
    /// The default list, masked, nothing allowed.
    fn default() -> Self {
        Self {
            action: Action::default(),
            entries: DEFAULT_ENTRIES.iter().map(|(letters, reach)| ((*letters).to_owned(), *reach)).collect(),
            allowed: BTreeSet::new(),
        }
    }
}

impl Rule {
    /// The default list with another action.
    pub fn with_action(action: Action) -> Self {
        Self { action, ..Self::default() }
    }

    /// Lets a key pass whatever its words are. The whole key counts, in any case: `auth_type` does not allow `auth`.
    #[must_use]
    pub fn allow(mut self, key: &str) -> Self {
        self.allowed.insert(key.to_lowercase());
        self
    }

    /// Adds an entry; its separators and case do not matter. One without letters and digits is ignored.
    #[must_use]
    pub fn deny(mut self, entry: &str) -> Self {
        let mut words = Words::default();
        words.fill(entry);
        if !words.letters().is_empty() {
            self.entries.push((words.letters().to_owned(), Reach::Word));
        }
        self
    }

    /// True if a value under this key must not leave.
    pub fn matches(&self, key: &str) -> bool {
        self.matches_with(key, &mut Words::default())
    }

    /// Scrubs a map at any depth; returns how many keys were masked or dropped. A second time finds nothing.
    pub fn apply(&self, map: &mut Map) -> u64 {
        self.walk(map, &mut Words::default())
    }

    fn matches_with(&self, key: &str, words: &mut Words) -> bool {
        words.fill(key);
        self.entries.iter().any(|(letters, reach)| contains(words, letters, *reach))
            && !self.allowed.contains(&key.to_lowercase())
    }

    fn walk(&self, map: &mut Map, words: &mut Words) -> u64 {
        let mut count = 0;
        map.retain(|key, value| {
            if !hides_something(value) || !self.matches_with(key, words) {
                count += self.walk_value(value, words);
                return true;
            }
            count += 1;
            *value = Value::from(MASK);
            self.action == Action::Mask
        });
        count
    }

    fn walk_value(&self, value: &mut Value, words: &mut Words) -> u64 {
        match value {
            Value::Object(map) => self.walk(map, words),
            Value::Array(items) => items.iter_mut().map(|item| self.walk_value(item, words)).sum(),
            _ => 0,
        }
    }
}

/// Null, true, false and what is empty tell nothing that is worth hiding, and what is masked already tells nothing more.
fn hides_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Int(_) | Value::Float(_) => true,
        Value::String(text) => !text.is_empty() && text != MASK,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// True if the entry stands in the key where its reach allows it.
fn contains(words: &Words, entry: &str, reach: Reach) -> bool {
    words.letters().match_indices(entry).any(|(start, _)| {
        (reach == Reach::Compound || words.is_boundary(start)) && ends_word(words, start + entry.len(), reach)
    })
}

/// True if a word ends at `index`, give or take a plural `s` and, where allowed, digits.
fn ends_word(words: &Words, index: usize, reach: Reach) -> bool {
    let rest = words.letters().get(index..).unwrap_or_default();
    let plural = index + usize::from(rest.starts_with('s'));
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    words.is_boundary(index)
        || words.is_boundary(plural)
        || (reach == Reach::Compound && words.is_boundary(index + digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn object(json: &[(&str, Value)]) -> Map {
        json.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn listed_words_are_found_however_they_are_written() {
        let rule = Rule::default();
        for key in [
            "password",
            "Password",
            "user_password",
            "passwords",
            "password2",
            "dbpassword",
            "DB_PASSWORD",
            "secret",
            "clientSecret",
            "AWS_SECRET_ACCESS_KEY",
            "passwd",
            "pwd",
            "api_key",
            "apiKey",
            "apikey",
            "APIKey",
            "x-api-key",
            "X-Api-Key",
            "XApiKeys",
            "access_token",
            "accessToken",
            "refresh-token",
            "auth",
            "user.auth",
            "authType",
            "authorization",
            "Authorization",
            "http.request.header.authorization",
            "proxy-authorization",
            "authorizer",
            "credentials",
            "awsCredentials",
            "creds",
            "sourceip",
            "sourceIp",
            "sourceIPAddress",
            "sourceIPs",
            "clientIp",
            "client.ip",
            "CLIENT_IP",
            "aws_session_token",
            "privateKey",
        ] {
            assert!(rule.matches(key), "{key} must be scrubbed");
        }
    }

    #[test]
    fn words_that_only_look_alike_pass() {
        let rule = Rule::default();
        for key in [
            "author",
            "authors",
            "authority",
            "authenticated",
            "authentication",
            "oauth",
            "auth0",
            "coauthor",
            "passwordless",
            "secretary",
            "resource_ip",
            "key",
            "api",
            "keyboard",
            "token",
            "tokens",
            "compass",
            "credit",
            "ip",
            "source",
            "message",
            "@type",
            "faas.coldstart",
            "",
            "…",
            "日本語",
        ] {
            assert!(!rule.matches(key), "{key} must pass");
        }
    }

    #[test]
    fn a_match_takes_everything_below_it_and_is_counted_once() {
        let inner = object(&[("principalId", "user".into()), ("password", "x".into())]);
        let mut map = object(&[
            ("authorizer", Value::Object(inner.clone())),
            ("author", Value::Object(inner)),
            ("items", Value::Array(vec![Value::Object(object(&[("apiKey", Value::Int(7))]))])),
        ]);
        assert_eq!(Rule::default().apply(&mut map), 3);
        assert_eq!(map["authorizer"], Value::from(MASK));
        let author = map["author"].as_object().unwrap();
        assert_eq!(author["principalId"], Value::from("user"));
        assert_eq!(author["password"], Value::from(MASK));
        assert_eq!(map["items"], Value::Array(vec![Value::Object(object(&[("apiKey", MASK.into())]))]));
    }

    #[test]
    fn drop_takes_the_key_too_and_nothing_is_hidden_where_nothing_is() {
        let mut map = object(&[
            ("secret", "x".into()),
            ("password", Value::Null),
            ("isAuth", true.into()),
            ("creds", "".into()),
        ]);
        assert_eq!(Rule::with_action(Action::Drop).apply(&mut map), 1);
        assert_eq!(map.keys().collect::<Vec<_>>(), ["creds", "isAuth", "password"]);
    }

    #[test]
    fn a_team_can_allow_and_deny() {
        let rule = Rule::default().allow("Auth_Type").deny("credit-card").deny("--");
        assert!(!rule.matches("auth_type"));
        assert!(rule.matches("auth"));
        assert!(rule.matches("creditCardNumber"));
        assert!(!rule.matches("credit"));
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

    /// Every key with something to hide that is left, at any depth.
    fn left_over(rule: &Rule, value: &Value) -> bool {
        match value {
            Value::Object(map) => map
                .iter()
                .any(|(key, value)| (rule.matches(key) && hides_something(value)) || left_over(rule, value)),
            Value::Array(items) => items.iter().any(|item| left_over(rule, item)),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn after_scrubbing_nothing_is_left_and_a_second_time_changes_nothing(
            value in any_value(),
            drop in any::<bool>(),
        ) {
            let rule = Rule::with_action(if drop { Action::Drop } else { Action::Mask });
            let mut map = Map::from([("root".to_owned(), value)]);
            rule.apply(&mut map);
            prop_assert!(!left_over(&rule, &Value::Object(map.clone())));
            let scrubbed = map.clone();
            prop_assert_eq!(rule.apply(&mut map), 0);
            prop_assert_eq!(map, scrubbed);
        }

        #[test]
        fn a_listed_word_between_separators_is_always_found(
            before in "[a-z]{0,5}[-_. ]",
            (entry, _) in prop::sample::select(DEFAULT_ENTRIES.to_vec()),
            behind in "([-_. ][a-z]{0,5})?",
        ) {
            let key = format!("{before}{entry}{behind}");
            prop_assert!(Rule::default().matches(&key));
            prop_assert!(Rule::default().matches(&key.to_uppercase()));
        }

        #[test]
        fn no_key_is_too_strange(key in "\\PC*") {
            Rule::default().matches(&key);
        }
    }
}
