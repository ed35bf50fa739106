//! The walk over a map or a text with a rule in hand. Used by `rule`; `json` and `line` go on from here.

use std::ops::Range;

use model::{Map, Value};

use crate::entry::Holds;
use crate::mark;
use crate::pattern::{self, Scan};
use crate::reason::{Counts, Reason};
use crate::rewrite::Rewrite;
use crate::rule::Rule;
use crate::words::Words;

pub(crate) struct Walk<'r> {
    pub(crate) rule: &'r Rule,
    words: Words,
    /// Of the key that is looked at; stays empty if the rule does not depend on it.
    path: String,
    pub(crate) counts: Counts,
}

impl<'r> Walk<'r> {
    pub(crate) fn new(rule: &'r Rule) -> Self {
        Self { rule, words: Words::default(), path: String::new(), counts: Counts::default() }
    }

    pub(crate) fn map(&mut self, map: &mut Map) {
        if self.rule.action == mark::Action::Drop {
            map.retain(|key, value| self.entry(key, value));
        } else {
            for (key, value) in map {
                self.entry(key, value);
            }
        }
    }

    /// One key with its value; false if it has to go.
    fn entry(&mut self, key: &str, value: &mut Value) -> bool {
        let parent = self.enter(key);
        let is_number = matches!(value, Value::Int(_) | Value::Float(_));
        let hides =
            hides_something(value) && self.hides(key).is_some_and(|holds| !is_number || holds.numbers());
        if hides {
            self.counts.count(Reason::Key);
            *value = self.mark(value);
        } else {
            self.value(value);
        }
        self.leave(parent);
        !hides
    }

    /// Goes to a key below the present one; gives what [`Walk::leave`] needs.
    pub(crate) fn enter(&mut self, key: &str) -> usize {
        let parent = self.path.len();
        if self.rule.needs_paths() {
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
        }
        parent
    }

    /// What [`Walk::leave`] needs to stay at the present key.
    pub(crate) fn depth(&self) -> usize {
        self.path.len()
    }

    #[inline]
    pub(crate) fn leave(&mut self, parent: usize) {
        if self.path.len() > parent {
            self.path.truncate(parent);
        }
    }

    /// What must not leave of the key that was entered.
    #[inline]
    pub(crate) fn hides(&mut self, key: &str) -> Option<Holds> {
        if self.rule.may_hide(key) { self.rule.hides(key, &self.path, &mut self.words) } else { None }
    }

    /// A mark for a whole value. Only texts and numbers are worth comparing.
    fn mark(&self, value: &Value) -> Value {
        Value::from(match value {
            Value::String(text) => self.rule.action.mark(text),
            Value::Int(number) => self.rule.action.mark(&number.to_string()),
            Value::Float(number) => self.rule.action.mark(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => mark::MASK.to_owned(),
        })
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => self.map(map),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::String(text) => {
                if let Some(scrubbed) = self.text(text) {
                    *text = scrubbed;
                }
            }
            // The shortest card numbers have 14 digits.
            Value::Int(number) if *number >= 10_000_000_000_000 && self.is_card(&number.to_string()) => {
                self.counts.count(Reason::Card);
                *value = self.mark(value);
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        }
    }

    /// True if this number, which is a value of its own, is a card's and has to go.
    pub(crate) fn is_card(&self, digits: &str) -> bool {
        self.rule.patterns.has(Reason::Card)
            && pattern::is_card(digits.as_bytes())
            && !self.rule.allows(&self.path)
    }

    /// A text without its secrets; none if it has none.
    pub(crate) fn text(&mut self, text: &str) -> Option<String> {
        let scan = Scan::new(text, self.rule.patterns)?;
        let mut rewrite = Rewrite::new(text);
        self.secrets(scan, |range, mark| rewrite.replace(range, mark));
        rewrite.finish()
    }

    /// Counts the secrets of a text, and says for each where it is and what stands in its place, from left to right.
    pub(crate) fn secrets(&mut self, mut scan: Scan<'_>, mut replace: impl FnMut(Range<usize>, &str)) {
        let (rule, words) = (self.rule, &mut self.words);
        let mut holds = |name: &str| rule.holds_in_text(name, words);
        let Some(first) = scan.next(&mut holds) else { return };
        if rule.allows(&self.path) {
            return;
        }
        let mut next = Some(first);
        while let Some(found) = next {
            self.counts.count(found.reason);
            replace(found.range.clone(), &rule.action.mark(scan.slice(found.range)));
            next = scan.next(&mut holds);
        }
    }
}

/// Null, true, false and what is empty tell nothing that is worth hiding, and a mark tells nothing more.
fn hides_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Int(_) | Value::Float(_) => true,
        Value::String(text) => !text.is_empty() && !mark::is_mark(text),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
