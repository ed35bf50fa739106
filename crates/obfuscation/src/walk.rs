//! The walk over a map or a text with a rule in hand. Used by `rule`.

use model::{Map, Value};

use crate::mark;
use crate::pattern::{self, Scan};
use crate::reason::{Counts, Reason};
use crate::rule::Rule;
use crate::words::Words;

pub(crate) struct Walk<'r> {
    rule: &'r Rule,
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
        let parent = self.path.len();
        if self.rule.needs_paths() {
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
        }
        let hides = hides_something(value) && self.rule.hides(key, &self.path, value, &mut self.words);
        if hides {
            self.counts.count(Reason::Key);
            *value = self.mark(value);
        } else {
            self.value(value);
        }
        self.path.truncate(parent);
        !hides
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
            Value::String(text) => self.text(text),
            Value::Int(number) if self.is_card(*number) => {
                self.counts.count(Reason::Card);
                *value = self.mark(value);
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        }
    }

    fn is_card(&self, number: i64) -> bool {
        // The shortest card numbers have 14 digits.
        number >= 10_000_000_000_000
            && self.rule.patterns.has(Reason::Card)
            && pattern::is_card(number.to_string().as_bytes())
            && !self.rule.allows(&self.path)
    }

    pub(crate) fn text(&mut self, text: &mut String) {
        let (rule, words) = (self.rule, &mut self.words);
        let mut holds = |name: &str| rule.holds(name, words).filter(|_| !rule.allows(name));
        let mut scan = Scan::new(text, rule.patterns);
        let Some(first) = scan.next(&mut holds) else { return };
        if rule.allows(&self.path) {
            return;
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut copied = 0;
        let mut next = Some(first);
        while let Some(found) = next {
            scrubbed.push_str(text.get(copied..found.range.start).unwrap_or_default());
            scrubbed.push_str(&rule.action.mark(text.get(found.range.clone()).unwrap_or_default()));
            self.counts.count(found.reason);
            copied = found.range.end;
            next = scan.next(&mut holds);
        }
        scrubbed.push_str(text.get(copied..).unwrap_or_default());
        *text = scrubbed;
    }
}

/// Null, true, false and what is empty tell nothing that is worth hiding, and a mark tells nothing more.
pub(crate) fn hides_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Int(_) | Value::Float(_) => true,
        Value::String(text) => !text.is_empty() && !mark::is_mark(text),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
