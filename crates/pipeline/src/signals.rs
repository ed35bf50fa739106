//! What one platform record turned into. Made by `assemble`, changed by `scrub`, counted and packed by the batcher.

use model::{LogRecord, Metric, Span};

/// Spans, logs and metric points, each list in the order in which they became known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signals {
    /// Finished spans only: a span is never sent twice.
    pub spans: Vec<Span>,
    /// Printed lines and platform events.
    pub logs: Vec<LogRecord>,
    /// Metric points (Embedded Metric Format).
    pub metrics: Vec<Metric>,
    /// Records that were understood and on purpose made no log of their own: a platform event's second copy as text,
    /// and our own extension's lines. They are not a loss.
    pub folded: u64,
}

impl Signals {
    /// True if there is nothing to ship.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.logs.is_empty() && self.metrics.is_empty()
    }

    /// How many spans, logs and metric points there are.
    pub fn len(&self) -> usize {
        self.spans.len() + self.logs.len() + self.metrics.len()
    }

    /// Puts `other` behind what is here.
    pub fn append(&mut self, other: Self) {
        append(&mut self.spans, other.spans);
        append(&mut self.logs, other.logs);
        append(&mut self.metrics, other.metrics);
        self.folded += other.folded;
    }
}

/// Most lists are appended to nothing: then they are taken over as they are.
fn append<T>(items: &mut Vec<T>, mut more: Vec<T>) {
    if items.capacity() == 0 {
        *items = more;
    } else {
        items.append(&mut more);
    }
}
