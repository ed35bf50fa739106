//! What is scrubbed and how: the settings of the whole crate, and the way in. Built once by whoever reads settings,
//! used by the pipeline for everything before it is shipped.

use std::ops::Range;

use model::Map;

use crate::entry::{Entries, Entry, Holds};
use crate::mark::Action;
use crate::path::Paths;
use crate::pattern::Patterns;
use crate::reason::Counts;
use crate::walk::Walk;
use crate::words::Words;

/// Decides by key name and by pattern. The default is the automatic list and the default patterns, masked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    pub(crate) action: Action,
    pub(crate) patterns: Patterns,
    entries: Entries,
    allowed: Paths,
    denied: Paths,
}

impl Rule {
    /// With another action.
    #[must_use]
    pub fn with_action(self, action: Action) -> Self {
        Self { action, ..self }
    }

    /// With other patterns.
    #[must_use]
    pub fn with_patterns(self, patterns: Patterns) -> Self {
        Self { patterns, ..self }
    }

    /// Leaves a key's value as it is, whatever its name and whatever it looks like. A name means all keys of that
    /// name, a dotted path only those at its end; keys inside an object are judged for themselves. In any case;
    /// the whole name counts: `auth_type` does not allow `auth`.
    #[must_use]
    pub fn allow(mut self, path: &str) -> Self {
        self.allowed.push(path);
        self
    }

    /// Scrubs more keys. A name is found like those of the list (its separators and case do not matter, and it may be
    /// one of several words of a key), a dotted path as [`Rule::allow`] does. What has no letters is ignored.
    #[must_use]
    pub fn deny(mut self, path: &str) -> Self {
        if path.contains('.') {
            self.denied.push(path);
        } else {
            Entry::of_team(path).into_iter().for_each(|entry| self.entries.push(entry));
        }
        self
    }

    /// Scrubs a map at any depth; says how many values were scrubbed, and why. A second time finds nothing.
    pub fn scrub(&self, map: &mut Map) -> Counts {
        let mut walk = Walk::new(self);
        walk.map(map);
        walk.counts
    }

    /// Scrubs a text that has no key (a span's status, an error).
    pub fn scrub_text(&self, text: &mut String) -> Counts {
        self.rewrite(text, |walk, text| walk.text(text))
    }

    /// Scrubs a JSON value in its own text: the same as [`Rule::scrub`] on what it says, and everything else stays byte
    /// for byte. If a key stands there twice, both are judged. What is no JSON, or nested deeper than
    /// [`NESTED_MAX`](crate::NESTED_MAX), is scrubbed as far as it can be read, and then as running text.
    pub fn scrub_json(&self, text: &mut String) -> Counts {
        self.rewrite(text, |walk, text| walk.json(text))
    }

    /// Scrubs a printed line with a JSON object in it, at a range of bytes: the object as [`Rule::scrub_json`], what
    /// stands before and behind it as [`Rule::scrub_text`]. A name before the object may give it away as a whole
    /// (`Authorization: {…}`). Without an object, and if none can stand at the range, all of it is running text.
    pub fn scrub_line(&self, text: &mut String, json: Option<Range<usize>>) -> Counts {
        self.rewrite(text, |walk, text| walk.line(text, json))
    }

    fn rewrite(
        &self,
        text: &mut String,
        scrub: impl FnOnce(&mut Walk<'_>, &str) -> Option<String>,
    ) -> Counts {
        let mut walk = Walk::new(self);
        if let Some(scrubbed) = scrub(&mut walk, text) {
            *text = scrubbed;
        }
        walk.counts
    }

    /// What may be secret behind this name in running text; none if nothing is.
    pub(crate) fn holds_in_text(&self, name: &str, words: &mut Words) -> Option<Holds> {
        self.entries.holds(name, words).filter(|_| !self.allows(name))
    }

    /// False if a key's letters alone say that nothing is secret under it; so it is for nearly all keys.
    #[inline]
    pub(crate) fn may_hide(&self, name: &str) -> bool {
        self.entries.may_be_in(name) || !self.denied.is_empty()
    }

    /// What must not leave under this key for its name's or its path's sake; none if all of it may.
    pub(crate) fn hides(&self, name: &str, path: &str, words: &mut Words) -> Option<Holds> {
        let holds =
            if self.denied.contains(path) { Some(Holds::Anything) } else { self.entries.holds(name, words) };
        holds.filter(|_| !self.allowed.contains(path))
    }

    /// True if the key at the end of this path is left as it is.
    pub(crate) fn allows(&self, path: &str) -> bool {
        self.allowed.contains(path)
    }

    /// True if anything depends on where a key stands.
    pub(crate) fn needs_paths(&self) -> bool {
        !self.allowed.is_empty() || !self.denied.is_empty()
    }
}
