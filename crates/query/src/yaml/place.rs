//! Where the parts of a document stand in its text, by their paths (`slow.properties.parameters.filters[1]`).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;

/// The text, and the bytes of every part.
#[derive(Debug, Clone)]
pub(super) struct Places {
    text: Arc<str>,
    spans: HashMap<String, Range<usize>>,
}

/// Longer than the path of any part of a query. The places of a document cost so much for each of its parts at most;
/// what is nested under longer names has the place of the nearest part around it.
const PATH_BYTES_MAX: usize = 300;

/// The path of a key inside another one.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The path of a key inside another part, as long as it is short enough to be remembered.
pub(super) fn inside(path: Option<&str>, key: &str) -> Option<String> {
    Some(join(path.filter(|path| path.len() + key.len() < PATH_BYTES_MAX)?, key))
}

/// The same of an item of a list.
pub(super) fn item(path: Option<&str>, index: usize) -> Option<String> {
    Some(format!("{}[{index}]", path.filter(|path| path.len() < PATH_BYTES_MAX)?))
}

impl Places {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), spans: HashMap::new() }
    }

    /// Remembers where a part stands, in bytes of the text; a part without a path has no place of its own.
    pub(super) fn remember(&mut self, path: Option<&str>, span: &Range<usize>) {
        if let Some(path) = path {
            self.spans.insert(path.to_owned(), span.clone());
        }
    }

    /// The fault with the place of a part, or of the part that it is missing in.
    pub(super) fn put(&self, path: &str, fault: Diagnostic) -> Diagnostic {
        let span = self.nearest(path);
        let part = self.text.get(span.clone()).unwrap_or_default();
        // A part that was read on its own knows better where in it the fault is; its text stands here as it is, unless
        // YAML had to escape something in it.
        let inside = Some(&fault.source)
            .filter(|source| !source.is_empty())
            .and_then(|source| part.find(source.as_str()));
        let span = match inside {
            Some(at) => span.start + at + fault.span.start..span.start + at + fault.span.end,
            None => span,
        };
        self.at(span, fault)
    }

    /// The fault at these bytes of the text.
    pub(super) fn at(&self, span: Range<usize>, fault: Diagnostic) -> Diagnostic {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(line_start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let (start, end) = (span.start - line_start, span.end.saturating_sub(line_start).min(line.len()));
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        fault.within(line, start..end.max(start)).on_line(before.matches('\n').count() + 1, column)
    }

    /// The part, or the smallest known one that it would stand in.
    fn nearest(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return span.clone();
            }
            let Some(end) = path.rfind(['.', '[']) else {
                return self.spans.get("").cloned().unwrap_or(0..0);
            };
            path = &path[..end];
        }
    }
}
