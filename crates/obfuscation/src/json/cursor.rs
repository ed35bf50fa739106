//! Where a pass over a JSON text is, and the tokens it reads there. Broken tokens are read as far as they go, and
//! remembered: whoever reads telemetry meets cut lines, `NaN` and raw tabs, and secrets in them.

use super::escape;
use super::string::{self, Quoted};
use crate::mark;

/// A place in a JSON text.
#[derive(Clone)]
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// False if a token was read that JSON does not have.
    pub(super) is_sound: bool,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, is_sound: true }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes to what comes behind the blanks.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Goes over this byte and the blanks before it; none if another one stands there.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// Reads a text, at its quote. One without an end goes to the end of everything.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Quoted<'t> {
        let start = self.at + 1;
        let end = string::plain_end(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return self.escaped_string(start, end);
        }
        self.at = end + 1;
        Quoted::new(self.text, start..end, false)
    }

    /// Goes on at the first byte of a string that is no plain text.
    #[inline(never)]
    fn escaped_string(&mut self, start: usize, mut end: usize) -> Quoted<'t> {
        let bytes = self.text.as_bytes();
        let mut is_escaped = false;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.is_sound &= escape::is_whole(bytes.get(end + 1..).unwrap_or_default());
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
            end = string::plain_end(bytes, end);
        }
        self.at = (end + 1).min(bytes.len());
        Quoted::new(self.text, start..end, is_escaped)
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
}
