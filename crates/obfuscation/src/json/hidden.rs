//! Values that must not leave for their key's sake: which they are, and what becomes of them.

use std::borrow::Cow;

use super::Pass;
use super::scalar::Scalar;
use crate::mark::{self, Action, MASK};
use crate::reason::Reason;

impl Pass<'_, '_, '_> {
    /// True if the value that begins with this byte must not leave. Null, booleans and what is empty tell nothing that
    /// is worth hiding, and a mark tells nothing more.
    #[inline]
    pub(super) fn hides(&mut self, key: &str, first: u8) -> bool {
        if matches!(first, b't' | b'f' | b'n') {
            return false;
        }
        // Nearly always none; what follows is for the few.
        let Some(holds) = self.walk.hides(key) else { return false };
        match first {
            b'"' => self.tells(),
            b'{' | b'[' => !self.is_empty() && !self.cursor.is_mark(),
            _ => holds.numbers() && matches!(self.cursor.clone().scalar(), Some(Scalar::Number(_))),
        }
    }

    /// True at a text that is neither empty nor a mark.
    fn tells(&self) -> bool {
        let mut room = String::new();
        let text = self.cursor.clone().string().plain(&mut room);
        !text.is_empty() && !mark::is_mark(text)
    }

    /// True at a bracket that is closed at once.
    fn is_empty(&self) -> bool {
        let mut ahead = self.cursor.clone();
        ahead.at += 1;
        matches!(ahead.next(), Some(b'}' | b']'))
    }

    /// Writes a mark for the value, or takes all away from `start` on: the key, and the comma before it if there is one.
    /// If there is none, the next key that is kept takes the comma before itself away.
    pub(super) fn hide(&mut self, first: u8, start: usize) {
        self.walk.counts.count(Reason::Key);
        self.is_first = false;
        let value = self.cursor.at;
        let mark = self.mark(first);
        if self.walk.rule.action == Action::Drop {
            self.rewrite.replace(start..self.cursor.at, "");
        } else {
            self.has_kept = true;
            self.replace_value(value, &mark);
        }
    }

    /// Reads a value; what to write for it. Only texts and numbers are worth comparing.
    fn mark(&mut self, first: u8) -> Cow<'static, str> {
        let action = &self.walk.rule.action;
        match first {
            b'"' => action.mark(self.cursor.string().plain(&mut self.room)).into(),
            b'{' | b'[' => {
                self.cursor.skip_bracketed();
                MASK.into()
            }
            _ => match self.cursor.scalar() {
                Some(Scalar::Number(number)) => action.mark(&as_in_a_tree(number)).into(),
                _ => MASK.into(),
            },
        }
    }
}

/// A number as a tree shows it, so that equal numbers get equal marks wherever they are found.
fn as_in_a_tree(number: &str) -> Cow<'_, str> {
    match (number.parse::<i64>(), number.parse::<f64>()) {
        (Err(_), Ok(float)) => float.to_string().into(),
        _ => number.into(),
    }
}
