//! Lines of text into records: a stack trace that arrives as several lines becomes one. Called by the assembler with
//! every text that the function printed; knows nothing of requests and holds nothing for longer than [`HOLD`].
//!
//! The last line is always held, because the next one may show that it was the head of a trace. Lines are joined only
//! on evidence: a line that nobody but a stack trace has (`role`).

mod role;
mod trace;

use std::time::Duration;

use model::Timestamp;

use self::role::{Role, is_node_source};
use self::trace::Trace;
use crate::parse::names_error;

/// The platform delivers every 25 ms: a trace that was printed at once is here after one or two deliveries.
pub const HOLD: Duration = Duration::from_millis(100);
/// A Java trace without its overflowing stack has a few hundred lines of a hundred bytes. What is longer becomes
/// several records.
const BLOCK_BYTES_MAX: usize = 128 * 1024;
const BLOCK_LINES_MAX: u64 = 1_024;

/// One or more printed records that are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Their texts, with line breaks between them.
    pub text: String,
    /// When the first was printed.
    pub seen_at: Timestamp,
    /// How many printed records they were; blank ones between them do not count.
    pub records: u64,
}

/// What is complete, in order: at most a block and the line behind it.
pub type Released = [Option<Block>; 2];

/// Holds at most one block and one line behind it.
#[derive(Debug, Default)]
pub struct Joiner {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    block: Block,
    /// What the lines so far are known to be; none for a line of which nothing is known.
    trace: Option<Trace>,
    /// The exception's name behind a logger's line, the code behind its place: part of the block if a frame follows.
    doubtful: Option<Block>,
    /// A blank line came behind them.
    blank: bool,
    held_since: Timestamp,
}

impl Joiner {
    /// Takes one printed text; gives back what it is no part of, in order.
    pub fn push(&mut self, text: String, seen_at: Timestamp, now: Timestamp) -> Released {
        let first = text.lines().next().unwrap_or_default();
        let block = |text| Block { text, seen_at, records: 1 };
        if let Some(open) = &mut self.open {
            match open.place(first, text.len()) {
                Place::Inside => {
                    open.append(&text, 1, now);
                    return Released::default();
                }
                Place::Doubtful => {
                    open.doubtful = Some(block(text));
                    open.held_since = now;
                    return Released::default();
                }
                Place::Outside => {}
            }
        }
        let trace = Trace::opened_by(first);
        let before = self.finish();
        self.open = Some(Open { block: block(text), trace, doubtful: None, blank: false, held_since: now });
        before
    }

    /// A line without anything on it: part of a trace if the trace goes on.
    pub fn blank(&mut self) {
        if let Some(open) = &mut self.open {
            open.blank = true;
        }
    }

    /// Everything that is held: nothing more will come that belongs to it.
    pub fn finish(&mut self) -> Released {
        let Some(open) = self.open.take() else { return Released::default() };
        [Some(open.block), open.doubtful]
    }

    /// When to ask [`Self::release`]; none if nothing is held.
    pub fn due(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|open| open.held_since.plus(HOLD))
    }

    /// What has been held for [`HOLD`], or since before the clock was set back.
    pub fn release(&mut self, now: Timestamp) -> Released {
        let is_due = |open: &Open| now < open.held_since || now.since(open.held_since) >= HOLD;
        if self.open.as_ref().is_some_and(is_due) { self.finish() } else { Released::default() }
    }
}

/// What a line is to the open block.
enum Place {
    Inside,
    Doubtful,
    Outside,
}

impl Open {
    fn place(&mut self, line: &str, bytes: usize) -> Place {
        if self.block.text.len() + bytes > BLOCK_BYTES_MAX || self.block.records >= BLOCK_LINES_MAX {
            return Place::Outside;
        }
        if let Some(trace) = &mut self.trace {
            return if trace.goes_on(line, self.blank) { Place::Inside } else { Place::Outside };
        }
        match role::of(line) {
            Role::Frame(trace) if trace.may_follow(&self.block.text) => {
                self.trace = Some(trace);
                Place::Inside
            }
            // Logged with its exception: `ERROR … failed`, then the traceback.
            Role::Opens(trace) if trace.follows_its_message() && self.tells_an_error() => {
                self.trace = Some(trace);
                Place::Inside
            }
            Role::Other if self.doubtful.is_none() && self.may_lead_to(line) => Place::Doubtful,
            _ => Place::Outside,
        }
    }

    /// Whether a frame below `line` would make one trace of both.
    fn may_lead_to(&self, line: &str) -> bool {
        (names_error(line) && self.tells_an_error()) || is_node_source(&self.block.text)
    }

    /// A logger's line about an error. One that only names it is an error by itself.
    fn tells_an_error(&self) -> bool {
        self.block.records == 1
            && !names_error(&self.block.text)
            && crate::parse::is_error_text(&self.block.text)
    }

    fn append(&mut self, text: &str, records: u64, now: Timestamp) {
        if let Some(doubtful) = self.doubtful.take() {
            self.append(&doubtful.text, doubtful.records, now);
        }
        self.block.text.truncate(self.block.text.trim_end_matches(['\n', '\r']).len());
        self.block.text.push_str(if std::mem::take(&mut self.blank) { "\n\n" } else { "\n" });
        self.block.text.push_str(text);
        self.block.records += records;
        self.held_since = now;
    }
}

#[cfg(test)]
mod tests;
