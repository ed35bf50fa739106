//! What is wrong with a query, where, and what was probably meant. Made by the readers and the checks, shown by the
//! command and the HTTP API.

mod found;
mod slip;

pub(crate) use found::Found;
pub use slip::closest;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// All that is wrong with one query; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The key of a JSON query it stands under, as `parameters.filters[1]`; none for the text form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The text that was read: the whole line, or the string under `at`. Empty where there was no text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Bytes of `source`, always on character boundaries and inside it.
    pub span: Range<usize>,
    /// Where `span` begins in a document of several lines, of which `source` is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

/// A place in a document, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Which line.
    pub line: usize,
    /// Which of its characters.
    pub column: usize,
}

impl Diagnostics {
    /// One fault.
    pub fn one(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }

    /// The same, each of them changed.
    pub(crate) fn map(self, change: impl FnMut(Diagnostic) -> Diagnostic) -> Self {
        Self(self.0.into_iter().map(change).collect())
    }

    /// The faults in the order they were found; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }
}

impl Diagnostic {
    /// A fault without a place yet.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { message, hint: None, at: None, source: String::new(), span: 0..0, place: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the key of a JSON query it stands under.
    #[must_use]
    pub fn at(mut self, key: impl Into<String>) -> Self {
        self.at = Some(key.into());
        self
    }

    /// The same with its place in a document.
    #[must_use]
    pub(crate) fn on_line(mut self, line: usize, column: usize) -> Self {
        self.place = Some(Box::new(Place { line, column }));
        self
    }

    /// The same with its place in a text; a span that is outside or splits a character is moved to the nearest place.
    #[must_use]
    pub fn within(mut self, source: &str, span: Range<usize>) -> Self {
        let start = floor_boundary(source, span.start);
        let end = floor_boundary(source, span.end).max(start);
        self.source = source.to_owned();
        self.span = start..end;
        self
    }
}

fn floor_boundary(source: &str, index: usize) -> usize {
    let mut index = index.min(source.len());
    while !source.is_char_boundary(index) {
        index -= 1;
    }
    index
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// How much of a line stands on either side of the fault: a query may be very long, a terminal is not.
const CONTEXT_CHARS: usize = 60;

/// The message, the line with the place underlined, and the hint.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "line {}, column {}: ", place.line, place.column)?;
        }
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.source.is_empty() {
            self.underlined(f)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Diagnostic {
    fn underlined(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, rest) = self.source.split_at(floor_boundary(&self.source, self.span.start));
        let (fault, after) =
            rest.split_at(floor_boundary(rest, self.span.end.saturating_sub(self.span.start)));
        // Control characters would move the caret away from what it points at.
        let visible =
            |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let tail: Vec<char> = before.chars().rev().take(CONTEXT_CHARS).collect();
        let head = visible(&tail.into_iter().rev().collect::<String>());
        let fault = visible(&fault.chars().take(CONTEXT_CHARS).collect::<String>());
        let after = visible(&after.chars().take(CONTEXT_CHARS).collect::<String>());
        let indent = " ".repeat(head.chars().count());
        let carets = "^".repeat(fault.chars().count().max(1));
        write!(f, "\n  {head}{fault}{after}\n  {indent}{carets}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_underlined_and_the_hint_follows() {
        let found = Diagnostic::new("no calculation is called CUONT").within("FROM x CUONT as n", 7..12);
        assert_eq!(
            found.hint("did you mean COUNT?").to_string(),
            "no calculation is called CUONT\n  FROM x CUONT as n\n         ^^^^^\n  hint: did you mean COUNT?"
        );
    }

    #[test]
    fn a_place_inside_a_character_or_outside_the_text_does_no_harm() {
        let text = "é".repeat(3);
        for (start, end) in [(1, 3), (5, 2), (0, 999), (999, 1000)] {
            let shown = Diagnostic::new("wrong").within(&text, start..end).to_string();
            assert!(shown.contains('^'), "{shown}");
        }
    }
}
