//! What is wrong with a query, where, and what was probably meant. Made by the readers and the checks, shown by the
//! command and the HTTP API.

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

    /// `Ok` if there is nothing wrong, else everything that is.
    pub(crate) fn or_ok<T>(found: Vec<Diagnostic>, good: T) -> Result<T, Self> {
        if found.is_empty() { Ok(good) } else { Err(Self(found)) }
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

/// The candidate that `word` is most probably a slip of, if any is near enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // Half of a short word may be wrong and it is still a guess; of a long one, a third.
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be changed, added, removed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    // Far longer than any key that a person mistypes; keeps the cost of a hostile one bounded.
    const LENGTH_MAX: usize = 200;
    let left: Vec<char> = left.chars().take(LENGTH_MAX).collect();
    let right: Vec<char> = right.chars().take(LENGTH_MAX).collect();
    let mut rows = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[left.len()][right.len()]
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

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let words = ["COUNT", "COUNT_DISTINCT", "SUM"];
        assert_eq!(closest("cuont", words), Some("COUNT"));
        assert_eq!(closest("COUNTDISTINCT", words), Some("COUNT_DISTINCT"));
        assert_eq!(closest("elephant", words), None);
    }
}
