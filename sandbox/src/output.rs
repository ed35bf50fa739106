//! Lines that an environment's processes print, and where they go besides the subscribers: a terminal, a test's list.

use std::fmt;
use std::sync::Arc;

/// Who printed a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// The function's program, on either stream.
    Function,
    /// The extension of this name.
    Extension(String),
    /// The sandbox itself, as `START RequestId: …`.
    Platform,
}

/// A line that a sandbox's process printed, or that the platform writes into the function's log.
#[derive(Debug, Clone)]
pub struct OutputLine {
    /// The function's name.
    pub function: String,
    /// The log stream of the sandbox.
    pub stream: String,
    /// Who printed it.
    pub source: Source,
    /// Without its line break.
    pub text: String,
}

/// Where lines go besides the subscribers: a terminal, a test's list.
#[derive(Clone, Default)]
pub struct Output(Option<Arc<Sink>>);

type Sink = dyn Fn(&OutputLine) + Send + Sync;

impl Output {
    /// Nowhere.
    pub fn none() -> Self {
        Self(None)
    }

    /// To this function, which must not block.
    pub fn to(sink: impl Fn(&OutputLine) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    pub(crate) fn write(&self, line: &OutputLine) {
        if let Some(sink) = &self.0 {
            sink(line);
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Output(..)" } else { "Output(none)" })
    }
}
