//! Where a pass over a JSON text is, and the tokens it reads there. Broken tokens are read as far as they go, and
//! remembered: whoever reads telemetry meets cut lines, `NaN` and raw tabs, and secrets in them.

use std::ops::Range;

use crate::mark;

use super::string::{self, Quoted};

/// A place in a JSON text.
#[derive(Clone)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
    /// False if a token was read that JSON does not have.
    pub(super) is_sound: bool,
}

/// A value without quotes and brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar<'t> {
    /// As it is written.
    Number(&'t str),
    /// `null`, `true`, `false`, and what is no JSON.
    Word,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, is_sound: true }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes to what comes behind the blanks.
    pub(super) fn next(&mut self) -> Option<u8> {
        loop {
            match self.peek()? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Goes over this byte and the blanks before it; none if another one stands there.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// Reads a text, at its quote. One without an end goes to the end of everything.
    pub(super) fn string(&mut self) -> Quoted<'t> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let (mut end, mut is_escaped) = (start, false);
        loop {
            end = string::plain_end(bytes, end);
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.is_sound &= string::is_escape(bytes.get(end + 1..).unwrap_or_default());
                    end = (end + 2).min(bytes.len());
                }
                Some(_) => {
                    self.is_sound = false;
                    end += 1;
                }
                None => {
                    self.is_sound = false;
                    break;
                }
            }
        }
        self.at = (end + 1).min(bytes.len());
        Quoted::new(self.text, start..end, is_escaped)
    }

    /// Reads what has neither quotes nor brackets; none if nothing stands there.
    pub(super) fn scalar(&mut self) -> Option<Scalar<'t>> {
        let rest = self.text.get(self.at..)?;
        let end = match mark::leading(rest.as_bytes()) {
            0 => rest.bytes().position(ends_scalar).unwrap_or(rest.len()),
            mark => mark,
        };
        let scalar = rest.get(..end).filter(|scalar| !scalar.is_empty())?;
        self.at += end;
        if is_number(scalar.as_bytes()) {
            return Some(Scalar::Number(scalar));
        }
        self.is_sound &= matches!(scalar, "null" | "true" | "false");
        Some(Scalar::Word)
    }

    /// True at a mark without quotes: running text has such, and so has what was scrubbed as running text.
    pub(super) fn is_mark(&self) -> bool {
        self.text.as_bytes().get(self.at..).is_some_and(|rest| mark::leading(rest) > 0)
    }

    /// Goes over a list or an object, at its bracket; to the end of everything if it is not closed.
    pub(super) fn skip_bracketed(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// What stands between a place and this one.
    pub(super) fn range_from(&self, start: usize) -> Range<usize> {
        start..self.at
    }
}

fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'{' | b'[')
}

/// RFC 8259, section 6.
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

/// How many digits a text begins with, and what comes behind them.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, text.get(count..).unwrap_or_default())
}
