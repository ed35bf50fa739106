//! The words that give a key away: the automatic list and a team's own, and whether a key contains one. Called for
//! every key of every event, and for every `key=` in running text: nearly all keys must be let go at the first look.

use std::borrow::Cow;

use crate::letters::{Demands, Letters};
use crate::pairs::Pairs;
use crate::words::Words;

/// Where in a key's words an entry may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// From a word's beginning to a word's end: `auth` is not in `oauth`, `sourceip` not in `resource_ip`.
    Word,
    /// So distinctive that it also counts at the end of a longer word (`dbpassword`) and before digits (`password2`).
    Compound,
}

/// What can be secret under such a key; the least forgiving first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holds {
    /// Numbers too, and in running text plain words too: people choose passwords.
    Anything,
    /// Numbers too, but in running text no plain word: `credentials: missing` tells a fault, not a credential.
    Code,
    /// No number either: `authFailures: 3` is a count.
    Text,
}

/// One word of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Lower case, letters and digits only.
    letters: Cow<'static, str>,
    reach: Reach,
    holds: Holds,
}

/// All words of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    /// For the first look.
    demands: Demands,
    /// Of each entry its pairs of letters, beside each other for the second look.
    pairs: Vec<Pairs>,
}

/// The words of the reference's automatic scrubbing (2023 and 2024), without separators, and some of ours: the
/// singular of `credentials`, and what AWS and key files call their secrets. `api_key` and `x-api-key` are `apikey`.
const DEFAULT_ENTRIES: [(&str, Reach, Holds); 19] = [
    ("password", Reach::Compound, Holds::Anything),
    ("passwd", Reach::Compound, Holds::Anything),
    ("pwd", Reach::Word, Holds::Anything),
    ("secret", Reach::Compound, Holds::Anything),
    ("apikey", Reach::Compound, Holds::Code),
    ("auth", Reach::Word, Holds::Text),
    ("authorizer", Reach::Word, Holds::Text),
    ("authorization", Reach::Word, Holds::Text),
    ("credentials", Reach::Compound, Holds::Code),
    ("credential", Reach::Compound, Holds::Code),
    ("creds", Reach::Word, Holds::Code),
    ("accesstoken", Reach::Compound, Holds::Code),
    ("refreshtoken", Reach::Compound, Holds::Code),
    ("sessiontoken", Reach::Compound, Holds::Code),
    ("securitytoken", Reach::Compound, Holds::Code),
    ("privatekey", Reach::Compound, Holds::Code),
    ("secretkey", Reach::Compound, Holds::Code),
    ("sourceip", Reach::Word, Holds::Code),
    ("clientip", Reach::Word, Holds::Code),
];

impl Holds {
    /// True if a number may be secret too.
    pub(crate) fn numbers(self) -> bool {
        self != Self::Text
    }
}

impl Entry {
    /// What a team denies; its separators and case do not matter. None without letters and digits.
    pub(crate) fn of_team(name: &str) -> Option<Self> {
        let mut words = Words::default();
        words.fill(name);
        let letters = words.letters().to_owned();
        (!letters.is_empty()).then(|| Self {
            letters: letters.into(),
            reach: Reach::Word,
            holds: Holds::Anything,
        })
    }

    /// True if the entry stands in the key where its reach allows it.
    fn is_in(&self, words: &Words) -> bool {
        words.letters().match_indices(&*self.letters).any(|(start, _)| {
            (self.reach == Reach::Compound || words.is_boundary(start))
                && self.ends_word(words, start + self.letters.len())
        })
    }

    /// True if a word ends at `index`, give or take a plural `s` and, where allowed, digits.
    fn ends_word(&self, words: &Words, index: usize) -> bool {
        let rest = words.letters().get(index..).unwrap_or_default();
        let plural = index + usize::from(rest.starts_with('s'));
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        words.is_boundary(index)
            || words.is_boundary(plural)
            || (self.reach == Reach::Compound && words.is_boundary(index + digits))
    }
}

impl Default for Entries {
    /// The automatic list.
    fn default() -> Self {
        let mut entries = Self { entries: Vec::new(), demands: Demands::default(), pairs: Vec::new() };
        for (letters, reach, holds) in DEFAULT_ENTRIES {
            entries.push(Entry { letters: letters.into(), reach, holds });
        }
        entries
    }
}

impl Entries {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.demands.push(Letters::demanded(&entry.letters));
        self.pairs.push(Pairs::demanded(&entry.letters));
        self.entries.push(entry);
    }

    /// False if the letters of the key alone say that no entry is in it.
    #[inline]
    pub(crate) fn may_be_in(&self, key: &str) -> bool {
        self.demands.may_be_in(Letters::of(key))
    }

    /// What the least forgiving entry says that the key may hold; none if no entry is in the key.
    pub(crate) fn holds(&self, key: &str, words: &mut Words) -> Option<Holds> {
        if self.may_be_in(key) { self.holds_by_words(key, words) } else { None }
    }

    /// On its own, so that the first look needs no room for it.
    #[inline(never)]
    fn holds_by_words(&self, key: &str, words: &mut Words) -> Option<Holds> {
        let of_key = Pairs::of(key);
        if !self.pairs.iter().any(|entry| of_key.covers(*entry)) {
            return None;
        }
        words.fill(key);
        let possible = self.pairs.iter().zip(&self.entries).filter(|(entry, _)| of_key.covers(**entry));
        possible.filter(|(_, entry)| entry.is_in(words)).map(|(_, entry)| entry.holds).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn default_holds(key: &str) -> Option<Holds> {
        Entries::default().holds(key, &mut Words::default())
    }

    #[test]
    fn listed_words_are_found_however_they_are_written() {
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
            "X-Amz-Security-Token",
            "privateKey",
            "to\u{212a}en_secret",
        ] {
            assert!(default_holds(key).is_some(), "{key} must be found");
        }
    }

    #[test]
    fn words_that_only_look_alike_pass() {
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
            assert_eq!(default_holds(key), None, "{key} must pass");
        }
    }

    #[test]
    fn the_least_forgiving_entry_decides() {
        assert_eq!(default_holds("authFailures"), Some(Holds::Text));
        assert_eq!(default_holds("auth_access_token"), Some(Holds::Code));
        assert_eq!(default_holds("auth_secret"), Some(Holds::Anything));
    }

    proptest! {
        #[test]
        fn a_listed_word_between_separators_is_always_found(
            before in "[a-z]{0,5}[-_. ]",
            (entry, _, _) in prop::sample::select(DEFAULT_ENTRIES.to_vec()),
            behind in "([-_. ][a-z]{0,5})?",
        ) {
            let key = format!("{before}{entry}{behind}");
            prop_assert!(default_holds(&key).is_some());
            prop_assert!(default_holds(&key.to_uppercase()).is_some());
        }

        #[test]
        fn no_key_is_too_strange(key in "\\PC*") {
            default_holds(&key);
        }

        #[test]
        fn the_first_look_never_hides_an_entry(key in "\\PC{0,4}[a-zA-Z_.-]{0,20}\\PC{0,4}", name in "\\PC{1,8}") {
            let key = format!("{key}.{name}");
            if let Some(entry) = Entry::of_team(&name) {
                let mut words = Words::default();
                words.fill(&key);
                let slowly = entry.is_in(&words);
                let mut entries = Entries { entries: Vec::new(), demands: Demands::default(), pairs: Vec::new() };
                entries.push(entry);
                prop_assert_eq!(entries.holds(&key, &mut words).is_some(), slowly);
            }
        }
    }
}
