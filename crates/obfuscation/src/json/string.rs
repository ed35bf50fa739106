//! A JSON text's strings: where one ends, what it says, and where in its writing a part of what it says stands.

use std::borrow::Cow;
use std::ops::Range;

/// The inside of a string as it is written.
#[derive(Debug, Clone)]
pub(super) struct Quoted<'t> {
    raw: &'t str,
    /// Where it stands in the whole text.
    pub(super) range: Range<usize>,
    pub(super) is_escaped: bool,
}

impl<'t> Quoted<'t> {
    pub(super) fn new(text: &'t str, range: Range<usize>, is_escaped: bool) -> Self {
        Self { raw: text.get(range.clone()).unwrap_or_default(), range, is_escaped }
    }

    /// What it says.
    pub(super) fn plain(&self) -> Cow<'t, str> {
        if !self.is_escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut plain = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(backslash) = rest.find('\\') {
            let (before, escape) = rest.split_at(backslash);
            plain.push_str(before);
            let (letter, bytes) = unescaped(escape);
            plain.push(letter);
            rest = escape.get(bytes..).unwrap_or_default();
        }
        plain.push_str(rest);
        Cow::Owned(plain)
    }

    /// To find places of what it says in how it is written.
    pub(super) fn places(&self) -> Places<'t> {
        Places { raw: self.raw, at: 0, said: 0 }
    }
}

/// A walk over a string as it is written, beside the bytes of what it says.
pub(super) struct Places<'t> {
    raw: &'t str,
    at: usize,
    said: usize,
}

impl Places<'_> {
    /// Where the part of what is said is written. It must not stand in front of the one before.
    pub(super) fn written(&mut self, said: Range<usize>) -> Range<usize> {
        self.reach(said.start)..self.reach(said.end)
    }

    fn reach(&mut self, said: usize) -> usize {
        while self.said < said {
            let rest = self.raw.get(self.at..).unwrap_or_default();
            let (letter, bytes) = match rest.chars().next() {
                Some('\\') => unescaped(rest),
                Some(letter) => (letter, letter.len_utf8()),
                None => break,
            };
            self.said += letter.len_utf8();
            self.at += bytes;
        }
        self.at
    }
}

/// The letter of the escape that a text begins with, and the bytes it is written with. A backslash that begins none
/// stands for itself; half of a surrogate pair stands for a letter that cannot be shown.
fn unescaped(text: &str) -> (char, usize) {
    let letter = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'u') => return unescaped_unit(text.as_bytes()).unwrap_or(('\\', 1)),
        _ => return ('\\', 1),
    };
    (letter, 2)
}

fn unescaped_unit(text: &[u8]) -> Option<(char, usize)> {
    let first = unit(text)?;
    let second = text.get(6..).and_then(unit);
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
        let letter = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
        return Some((letter, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

/// The four digits behind `\u`.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// True if what stands behind a backslash makes an escape.
pub(super) fn is_escape(behind: &[u8]) -> bool {
    match behind {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => true,
        [b'u', digits @ ..] => {
            digits.first_chunk::<4>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        _ => false,
    }
}

/// The next quote, backslash or control character from `at` on; the end of the text if there is none. Looks at eight
/// bytes at a time.
pub(super) fn plain_end(text: &[u8], mut at: usize) -> usize {
    while let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = ends(u64::from_le_bytes(*eight));
        if found != 0 {
            return at + (found.trailing_zeros() >> 3) as usize;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

/// The highest bit of the first of eight bytes that ends plain text. Bits above it say nothing: a byte that is found
/// borrows from the next.
fn ends(eight: u64) -> u64 {
    let below = |bytes: u64, limit: u8| bytes.wrapping_sub(ONES * u64::from(limit)) & !bytes;
    let is = |byte: u8| below(eight ^ (ONES * u64::from(byte)), 1);
    (is(b'"') | is(b'\\') | below(eight, 0x20)) & HIGHS
}
