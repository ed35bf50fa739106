//! Scrubbing in the text of a JSON value, without making a tree of it: JSON → the same JSON without its secrets. Called
//! for every line that a function prints, so it walks the bytes once, copies nothing until something is found, and
//! takes no stack for depth. What it finds must be what `walk` finds in a tree of the same value: keys and texts are
//! judged as they are meant, however they are written.

mod cursor;
mod nest;
mod string;

use std::borrow::Cow;

use crate::mark::{self, Action, MASK};
use crate::pattern::Scan;
use crate::reason::Reason;
use crate::rewrite::Rewrite;
use crate::walk::Walk;
use cursor::{Cursor, Scalar};
use nest::{Bracket, Nest};
use string::Quoted;

pub use nest::NESTED_MAX;

/// How often what is no JSON is looked at. What is scrubbed in it as running text can mend it, so that more of it can be
/// read; two times are rare, three are contrived.
const ROUNDS_MAX: usize = 4;

impl Walk<'_> {
    /// A JSON text without its secrets; none if it has none.
    pub(crate) fn json(&mut self, text: &str) -> Option<String> {
        let mut scrubbed: Option<String> = None;
        for _ in 0..ROUNDS_MAX {
            let mut pass = Pass::new(self, scrubbed.as_deref().unwrap_or(text));
            let is_json = pass.run().is_some() && pass.cursor.is_sound;
            scrubbed = pass.rewrite.finish().or(scrubbed);
            self.leave(0);
            if is_json {
                break;
            }
            let Some(running) = self.text(scrubbed.as_deref().unwrap_or(text)) else { break };
            scrubbed = Some(running);
        }
        scrubbed
    }
}

/// One pass over one text.
struct Pass<'w, 'r, 't> {
    walk: &'w mut Walk<'r>,
    cursor: Cursor<'t>,
    rewrite: Rewrite<'t>,
    nest: Nest,
    /// Of every open bracket what to leave the walk with; stays empty if the rule does not depend on paths.
    parents: Vec<usize>,
    /// True in front of the first value within a bracket.
    is_first: bool,
    /// True if a key before in the same object was kept: then the comma between is.
    has_kept: bool,
}

impl<'w, 'r, 't> Pass<'w, 'r, 't> {
    fn new(walk: &'w mut Walk<'r>, text: &'t str) -> Self {
        Self {
            walk,
            cursor: Cursor::new(text),
            rewrite: Rewrite::new(text),
            nest: Nest::new(),
            parents: Vec::new(),
            is_first: true,
            has_kept: false,
        }
    }

    /// To the end of the text; none if it cannot be followed so far.
    fn run(&mut self) -> Option<()> {
        self.cursor.next()?;
        self.value(0)?;
        while let Some(bracket) = self.nest.innermost() {
            if self.cursor.next()? == bracket.closing() {
                self.close();
                continue;
            }
            let comma = if self.is_first { None } else { Some(self.cursor.at) };
            if comma.is_some() {
                self.cursor.take(b',')?;
                self.cursor.next()?;
            }
            match bracket {
                Bracket::Object => self.entry(comma)?,
                Bracket::List => self.value(self.walk.depth())?,
            }
        }
        self.cursor.next().is_none().then_some(())
    }

    /// A key with its value, at the key.
    fn entry(&mut self, comma: Option<usize>) -> Option<()> {
        let start = self.cursor.at;
        let key = (self.cursor.peek()? == b'"').then(|| self.cursor.string())?.plain();
        self.cursor.take(b':')?;
        let first = self.cursor.next()?;
        let parent = self.walk.enter(&key);
        if self.hides(&key, first) {
            self.hide(first, comma.unwrap_or(start));
            self.walk.leave(parent);
            return Some(());
        }
        if let Some(comma) = comma
            && !self.has_kept
        {
            self.rewrite.replace(comma..start, "");
        }
        self.has_kept = true;
        self.value(parent)
    }

    /// True if the value that begins with this byte must not leave for its key's sake.
    fn hides(&mut self, key: &str, first: u8) -> bool {
        match first {
            b'"' => self.walk.hides(key).is_some() && tells(&self.cursor.clone().string().plain()),
            b'{' | b'[' => self.walk.hides(key).is_some() && !self.is_empty() && !self.cursor.is_mark(),
            b'-' | b'0'..=b'9' => {
                self.walk.hides(key).is_some_and(|holds| holds.numbers())
                    && matches!(self.cursor.clone().scalar(), Some(Scalar::Number(_)))
            }
            _ => false,
        }
    }

    /// True at a bracket that is closed at once.
    fn is_empty(&self) -> bool {
        let mut ahead = self.cursor.clone();
        ahead.at += 1;
        matches!(ahead.next(), Some(b'}' | b']'))
    }

    /// Puts a mark in the place of the value, or takes all away from `start` on.
    fn hide(&mut self, first: u8, start: usize) {
        self.walk.counts.count(Reason::Key);
        self.is_first = false;
        let value = self.cursor.at;
        let mark = self.mark(first);
        if self.walk.rule.action == Action::Drop {
            self.rewrite.replace(self.cursor.range_from(start), "");
        } else {
            self.has_kept = true;
            self.rewrite.replace(self.cursor.range_from(value), &format!("\"{mark}\""));
        }
    }

    /// Reads a value; what to write for it. Only texts and numbers are worth comparing.
    fn mark(&mut self, first: u8) -> Cow<'static, str> {
        let action = &self.walk.rule.action;
        match first {
            b'"' => action.mark(&self.cursor.string().plain()).into(),
            b'{' | b'[' => {
                self.cursor.skip_bracketed();
                MASK.into()
            }
            _ => match self.cursor.scalar() {
                Some(Scalar::Number(number)) => action.mark(&canonical(number)).into(),
                _ => MASK.into(),
            },
        }
    }

    /// A value that is judged by its looks. The walk goes back to `parent` behind it.
    fn value(&mut self, parent: usize) -> Option<()> {
        match self.cursor.peek()? {
            b'{' => return self.open(Bracket::Object, parent),
            b'[' if !self.cursor.is_mark() => return self.open(Bracket::List, parent),
            b'"' => {
                let text = self.cursor.string();
                self.text(&text);
            }
            _ => {
                let start = self.cursor.at;
                if let Scalar::Number(number) = self.cursor.scalar()?
                    && self.walk.is_card(number)
                {
                    self.walk.counts.count(Reason::Card);
                    let mark = self.walk.rule.action.mark(number);
                    self.rewrite.replace(self.cursor.range_from(start), &format!("\"{mark}\""));
                }
            }
        }
        self.is_first = false;
        self.walk.leave(parent);
        Some(())
    }

    fn open(&mut self, bracket: Bracket, parent: usize) -> Option<()> {
        self.nest.open(bracket)?;
        if self.walk.rule.needs_paths() {
            self.parents.push(parent);
        }
        self.cursor.at += 1;
        self.is_first = true;
        self.has_kept = false;
        Some(())
    }

    fn close(&mut self) {
        self.nest.close();
        self.walk.leave(self.parents.pop().unwrap_or(0));
        self.cursor.at += 1;
        self.is_first = false;
        self.has_kept = true;
    }

    /// Marks stand where the secrets are written; the letters between stay as they are written.
    fn text(&mut self, text: &Quoted<'t>) {
        let start = text.range.start;
        let plain = text.plain();
        let scan = Scan::new(&plain, self.walk.rule.patterns);
        let rewrite = &mut self.rewrite;
        let mut places = text.places();
        self.walk.secrets(scan, |found, mark| {
            let written = if text.is_escaped { places.written(found) } else { found };
            rewrite.replace(start + written.start..start + written.end, mark);
        });
    }
}

/// What is empty tells nothing that is worth hiding, and a mark tells nothing more.
fn tells(text: &str) -> bool {
    !text.is_empty() && !mark::is_mark(text)
}

/// A number as a tree would show it, so that equal numbers get equal marks wherever they are found.
fn canonical(number: &str) -> Cow<'_, str> {
    match (number.parse::<i64>(), number.parse::<f64>()) {
        (Err(_), Ok(float)) => float.to_string().into(),
        _ => number.into(),
    }
}
