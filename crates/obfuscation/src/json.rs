//! Scrubbing in the text of a JSON value, without making a tree of it: JSON → the same JSON without its secrets. Called
//! for every line that a function prints, so it walks the bytes once, copies nothing until something is found, and
//! takes no stack for depth. What it finds must be what `walk` finds in a tree of the same value: keys and texts are
//! judged as they are meant, however they are written.
//!
//! What is done for every key is inlined by hand: a call would cost as much as the work, and the layer is linked for size.

mod cursor;
mod escape;
mod string;
mod scalar;
mod nest;
mod hidden;

use crate::pattern::Scan;
use crate::reason::Reason;
use crate::rewrite::Rewrite;
use crate::walk::Walk;
use cursor::Cursor;
use nest::{Bracket, Nest};
use scalar::Scalar;
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
    /// True if a key before in the same object was kept: then the comma behind it is.
    has_kept: bool,
    /// For texts with escapes.
    room: String,
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
            room: String::new(),
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
        let key = (self.cursor.peek()? == b'"').then(|| self.cursor.string())?;
        let mut room = String::new();
        let key = key.plain(&mut room);
        self.cursor.take(b':')?;
        let first = self.cursor.next()?;
        let parent = self.walk.enter(key);
        if self.hides(key, first) {
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

    /// A value that is judged by its looks. The walk goes back to `parent` behind it.
    #[inline(always)]
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
                    self.replace_value(start, &self.walk.rule.action.mark(number));
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
    #[inline]
    fn text(&mut self, text: &Quoted<'t>) {
        if text.is_escaped {
            self.escaped_text(text);
        } else if let Some(scan) = Scan::new(text.raw, self.walk.rule.patterns) {
            let rewrite = &mut self.rewrite;
            self.walk.secrets(scan, |found, mark| rewrite.replace(text.at(found), mark));
        }
    }

    #[inline(never)]
    fn escaped_text(&mut self, text: &Quoted<'t>) {
        let plain = text.plain(&mut self.room);
        if let Some(scan) = Scan::new(plain, self.walk.rule.patterns) {
            let (rewrite, mut places) = (&mut self.rewrite, text.places());
            self.walk.secrets(scan, |found, mark| rewrite.replace(text.at(places.written(found)), mark));
        }
    }

    /// Writes a mark in the place of the value that was read from `start` on.
    fn replace_value(&mut self, start: usize, mark: &str) {
        self.rewrite.replace(start..self.cursor.at, &format!("\"{mark}\""));
    }
}
