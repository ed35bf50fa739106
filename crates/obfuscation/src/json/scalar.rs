//! Values without quotes and brackets: numbers, `null`, `true`, `false`, and what stands in their place in broken JSON.

use super::cursor::Cursor;
use crate::mark;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar<'t> {
    /// As it is written.
    Number(&'t str),
    /// Anything else.
    Word,
}

impl<'t> Cursor<'t> {
    /// Reads what has neither quotes nor brackets; none if nothing stands there.
    #[inline]
    pub(super) fn scalar(&mut self) -> Option<Scalar<'t>> {
        let rest = self.text.get(self.at..)?;
        let (whole, behind) = digits(rest.as_bytes());
        if whole == 0 || !behind.first().is_none_or(|byte| ends(*byte)) {
            return self.other_scalar(rest);
        }
        self.at += whole;
        let number = rest.get(..whole)?;
        self.is_sound &= !has_needless_zero(number);
        Some(Scalar::Number(number))
    }

    #[inline(never)]
    fn other_scalar(&mut self, rest: &'t str) -> Option<Scalar<'t>> {
        let end = match mark::leading(rest.as_bytes()) {
            0 => rest.bytes().position(ends).unwrap_or(rest.len()),
            mark => mark,
        };
        let scalar = rest.get(..end).filter(|scalar| !scalar.is_empty())?;
        self.at += end;
        if is_number(scalar.as_bytes()) {
            self.is_sound &= !has_needless_zero(scalar);
            return Some(Scalar::Number(scalar));
        }
        self.is_sound &= matches!(scalar, "null" | "true" | "false");
        Some(Scalar::Word)
    }
}

fn ends(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'{' | b'[')
}

/// RFC 8259, section 6, but that a number may begin with zeros.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, text) = digits(text);
    let (fraction, text) = match text.split_first() {
        Some((b'.', text)) => digits(text),
        _ => (1, text),
    };
    let (exponent, text) = match text.split_first() {
        Some((b'e' | b'E', text)) => {
            digits(text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text))
        }
        _ => (1, text),
    };
    whole > 0 && fraction > 0 && exponent > 0 && text.is_empty()
}

/// `007` is a number to people, who may have chosen it, and none to JSON.
fn has_needless_zero(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number).as_bytes();
    matches!(digits, [b'0', b'0'..=b'9', ..])
}

/// How many digits a text begins with, and what comes behind them.
#[inline]
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, text.get(count..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_however_it_is_written_and_nothing_else_is() {
        for text in ["0", "-1", "1.50", "1e5", "-1.5E+10", "2e-3", "12345678901234567890123"] {
            let mut cursor = Cursor::new(text);
            assert_eq!((cursor.scalar(), cursor.is_sound), (Some(Scalar::Number(text)), true), "{text}");
        }
        for (text, expected) in
            [("null", true), ("true", true), ("NaN", false), ("1.", false), ("-", false), ("1e", false)]
        {
            let mut cursor = Cursor::new(text);
            assert_eq!((cursor.scalar(), cursor.is_sound), (Some(Scalar::Word), expected), "{text}");
        }
        for text in ["007", "-01.5"] {
            let mut cursor = Cursor::new(text);
            assert_eq!((cursor.scalar(), cursor.is_sound), (Some(Scalar::Number(text)), false), "{text}");
        }
        assert_eq!(Cursor::new(",").scalar(), None);
    }
}
