//! A key's words: `xApi-Key` is `x`, `api`, `key`. Used by `rule`, which compares them with its entries.

/// The letters and digits of one key in lower case, without separators, and the places where words begin or end.
/// Made once and refilled for key after key, so that a key costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Words {
    letters: String,
    /// One flag per byte of `letters`, and one behind the last: true where a word begins (or the last one ends).
    boundary: Vec<bool>,
}

impl Words {
    /// Forgets the key before and takes `key` apart.
    pub(crate) fn fill(&mut self, key: &str) {
        self.letters.clear();
        self.boundary.clear();
        let mut before = Class::Separator;
        let mut chars = key.chars().peekable();
        while let Some(letter) = chars.next() {
            let class = Class::of(letter);
            if class != Class::Separator {
                let next = chars.peek().map_or(Class::Separator, |next| Class::of(*next));
                self.push(letter, begins_word(before, class, next));
            }
            before = class;
        }
        self.boundary.push(true);
    }

    fn push(&mut self, letter: char, begins: bool) {
        self.letters.extend(letter.to_lowercase());
        self.boundary.push(begins);
        self.boundary.resize(self.letters.len(), false);
    }

    /// The letters without separators.
    pub(crate) fn letters(&self) -> &str {
        &self.letters
    }

    /// True if a word begins at `index` of the letters, or the last one ends there.
    pub(crate) fn is_boundary(&self, index: usize) -> bool {
        self.boundary.get(index).copied().unwrap_or(false)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    Upper,
    /// Everything else of a word: lower case, digits, letters without case.
    Lower,
}

impl Class {
    fn of(letter: char) -> Self {
        match letter {
            letter if letter.is_uppercase() => Self::Upper,
            letter if letter.is_alphanumeric() => Self::Lower,
            _ => Self::Separator,
        }
    }
}

/// A word begins after a separator, at a hump (`sourceIp`), and at the last capital of an acronym (`APIKey`).
fn begins_word(before: Class, this: Class, next: Class) -> bool {
    match (before, this) {
        (Class::Separator, _) | (Class::Lower, Class::Upper) => true,
        (Class::Upper, Class::Upper) => next == Class::Lower,
        (Class::Upper | Class::Lower, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(key: &str) -> Vec<String> {
        let mut words = Words::default();
        words.fill(key);
        let mut split = Vec::new();
        for (index, letter) in words.letters().char_indices() {
            if words.is_boundary(index) {
                split.push(String::new());
            }
            if let Some(word) = split.last_mut() {
                word.push(letter);
            }
        }
        split
    }

    #[test]
    fn every_way_to_write_words_is_split() {
        assert_eq!(split("x-api-key"), ["x", "api", "key"]);
        assert_eq!(split("http.request.header.X_Api_Key"), ["http", "request", "header", "x", "api", "key"]);
        assert_eq!(split("sourceIPAddress"), ["source", "ip", "address"]);
        assert_eq!(split("APIKey"), ["api", "key"]);
        assert_eq!(split("password2"), ["password2"]);
        assert_eq!(split("ÄnderungsSchlüssel"), ["änderungs", "schlüssel"]);
        assert!(split("--..__").is_empty());
    }
}
