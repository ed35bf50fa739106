//! The first look at a key: which letters are in it. Called by `entry` for every key of every event; knows no word of
//! the list.

/// The letters of a text, each a bit, whatever their case and order. Digits and separators share bits with letters, so
/// that nothing but the lowest five bits of a byte is looked at: a text may seem to have more letters than it has, and
/// never less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Letters(u32);

impl Letters {
    /// Of a text with anything but ASCII everything is believed: letters like the Kelvin sign have an ASCII lower case.
    pub(crate) fn of(text: &str) -> Self {
        let (bits, all) = text.bytes().fold((0, 0), |(bits, all), byte| (bits | bit(byte), all | byte));
        if all.is_ascii() { Self(bits) } else { Self(u32::MAX) }
    }

    /// Of an entry. One with letters that are not ASCII may be in any key.
    pub(crate) fn demanded(letters: &str) -> Self {
        if letters.is_ascii() { Self::of(letters) } else { Self(0) }
    }

    /// Whether a key with these letters may have an entry with those.
    fn covers(self, entry: u32) -> bool {
        entry & !self.0 == 0
    }
}

/// What is asked of a key before anything else: the letters of the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Demands {
    /// Without those that have all letters of another one: `password` adds nothing to `pwd`.
    entries: Vec<u32>,
    /// Of each entry its most seldom letter. Half of all keys have none of them.
    seldom: u32,
}

/// The letters as seldom as they are in keys, the most seldom first; an estimate, for speed alone.
const SELDOM: &[u8] = b"qjzxkwvhfbgycumpldsrnoitae";

impl Demands {
    pub(crate) fn push(&mut self, entry: Letters) {
        if self.entries.iter().any(|less| entry.covers(*less)) {
            return;
        }
        self.entries.retain(|more| !Letters(*more).covers(entry.0));
        self.entries.push(entry.0);
        let seldom = SELDOM.iter().map(|letter| bit(*letter)).find(|bit| entry.0 & bit != 0);
        self.seldom |= seldom.unwrap_or(u32::MAX);
    }

    /// Whether a key with these letters may have an entry. All are compared: that is quicker than to stop at the first.
    #[inline]
    pub(crate) fn may_be_in(&self, key: Letters) -> bool {
        key.0 & self.seldom != 0 && self.entries.iter().fold(false, |any, entry| any | key.covers(*entry))
    }
}

fn bit(byte: u8) -> u32 {
    1_u32.wrapping_shl(u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_all_letters_of_an_entry_may_have_it() {
        let mut demands = Demands::default();
        assert!(!demands.may_be_in(Letters::of("secret")));
        for entry in ["secretkey", "authorizer", "auth", "secret"] {
            demands.push(Letters::demanded(entry));
        }
        assert_eq!(demands.entries.len(), 2);
        for (key, expected) in [
            ("user_Auth", true),
            ("AUTH", true),
            ("customer", true),
            ("author", true),
            ("user", false),
            ("", false),
        ] {
            assert_eq!(demands.may_be_in(Letters::of(key)), expected, "{key}");
        }
        assert!(demands.may_be_in(Letters::of("\u{212a}")));
        demands.push(Letters::demanded("é"));
        assert!(demands.may_be_in(Letters::of("x")));
    }
}
