//! Where a value stands inside an event.

use std::fmt;

/// The keys from the event's root to a value, outermost first; never empty.
///
/// A key may itself hold a dot (`http.route` is one key in OpenTelemetry), so segments and dotted text are not the
/// same: [`Path::dotted`] is what a person writes in a query, and several paths may share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    /// A path of one key.
    pub fn root(key: impl Into<String>) -> Self {
        Self(vec![key.into()])
    }

    /// None without segments.
    pub fn from_segments(segments: Vec<String>) -> Option<Self> {
        (!segments.is_empty()).then_some(Self(segments))
    }

    /// This path with one more key inside.
    #[must_use]
    pub fn child(&self, key: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(key.into());
        Self(segments)
    }

    /// The keys, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The text by which a query names it: segments joined with dots.
    pub fn dotted(&self) -> String {
        self.0.join(".")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dotted())
    }
}
