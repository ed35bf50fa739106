//! A JSON text's strings: where one ends, what it says, and where in its writing a part of what it says stands.

use std::ops::Range;

use super::escape;

/// The inside of a string as it is written.
#[derive(Debug, Clone)]
pub(super) struct Quoted<'t> {
    pub(super) raw: &'t str,
    /// Where it begins in the whole text.
    start: usize,
    pub(super) is_escaped: bool,
}

impl<'t> Quoted<'t> {
    #[inline]
    pub(super) fn new(text: &'t str, range: Range<usize>, is_escaped: bool) -> Self {
        Self { start: range.start, raw: text.get(range).unwrap_or_default(), is_escaped }
    }

    /// What it says. Where that is not what is written, it is put into `room`: one for all strings of a text, so that
    /// most cost no allocation.
    #[inline]
    pub(super) fn plain<'r>(&self, room: &'r mut String) -> &'r str
    where
        't: 'r,
    {
        if self.is_escaped { self.unescape(room) } else { self.raw }
    }

    #[inline(never)]
    fn unescape<'r>(&self, room: &'r mut String) -> &'r str {
        room.clear();
        // What is said is never longer than how it is written.
        room.reserve(self.raw.len());
        let mut rest = self.raw;
        while let Some(backslash) = rest.find('\\') {
            let (before, escape) = rest.split_at(backslash);
            room.push_str(before);
            let (letter, bytes) = escape::letter(escape);
            room.push(letter);
            rest = escape.get(bytes..).unwrap_or_default();
        }
        room.push_str(rest);
        room
    }

    /// Where a part of how it is written stands in the whole text.
    pub(super) fn at(&self, written: Range<usize>) -> Range<usize> {
        self.start + written.start..self.start + written.end
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
                Some('\\') => escape::letter(rest),
                Some(letter) => (letter, letter.len_utf8()),
                None => break,
            };
            self.said += letter.len_utf8();
            self.at += bytes;
        }
        self.at
    }
}

/// The next quote, backslash or control character from `at` on; the end of the text if there is none. Looks at eight
/// bytes at a time.
#[inline(always)]
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

/// The highest bit of the first of eight bytes that ends plain text. Bits above it say nothing: a byte that is found
/// borrows from the next.
#[inline]
fn ends(eight: u64) -> u64 {
    let each = |byte: u8| ONES * u64::from(byte);
    let below = |bytes: u64, limit: u8| bytes.wrapping_sub(each(limit)) & !bytes;
    // With this bit turned, a quote (0x22) stands right behind the control characters (0x00 to 0x1f), and nothing else.
    let controls = below(eight ^ each(0b10), 0x21);
    let backslashes = below(eight ^ each(b'\\'), 1);
    (controls | backslashes) & each(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_ends_at_a_quote_a_backslash_or_a_control_character_and_nowhere_else() {
        for byte in 0..=255 {
            let ends = matches!(byte, b'"' | b'\\' | 0..0x20);
            for place in 0..20 {
                let mut text = [b'a'; 20];
                text[place] = byte;
                assert_eq!(plain_end(&text, 0), if ends { place } else { 20 }, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn a_part_of_what_is_said_is_found_in_how_it_is_written() {
        let written = r#"\ud83d\ude00\u00e9é\"\q\ud800x"#;
        let quoted = Quoted::new(written, 0..written.len(), true);
        assert_eq!(quoted.plain(&mut String::new()), "😀éé\"\\q\u{fffd}x");
        let mut places = quoted.places();
        for (said, expected) in
            [(0..4, r"\ud83d\ude00"), (4..6, r"\u00e9"), (6..9, r#"é\""#), (10..14, r"q\ud800")]
        {
            assert_eq!(&written[places.written(said)], expected);
        }
    }
}
