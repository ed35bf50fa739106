//! A stack trace while it is being read: which lines it still takes, by the language that prints it.

use super::role::{is_frame, is_node_source};
use crate::parse::names_error;

/// Which language's rules apply, and how far the trace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// Frames below a head: Node, Java, .NET, Ruby.
    Frames,
    /// The same, where all indented lines belong to it: the properties that Node prints after `{`, the causes of
    /// Rust's `anyhow`, Python's groups.
    Properties,
    /// Python, between `Traceback …` and the line that names the error.
    Python,
    /// Python, after that line.
    PythonTold,
    /// Node's uncaught error after file, code and caret, before the error.
    NodeSource,
    /// Node's last words when its heap is full.
    NodeHeap,
    /// A Go program that ends.
    Go,
    /// Rust, before the panic's message.
    Rust,
    /// Rust, after it.
    RustTold,
}

impl Trace {
    /// The trace that a line begins, whatever stands before it.
    pub(super) fn opened_by(line: &str) -> Option<Self> {
        let text = line.trim_start();
        match text.as_bytes().first()? {
            b'T' if text.starts_with("Traceback (most recent call last):") => Some(Self::Python),
            b'+' if text.starts_with("+ Exception Group Traceback (most") => Some(Self::Properties),
            b'p' if line.starts_with("panic: ") => Some(Self::Go),
            b'f' if line.starts_with("fatal error: ") => Some(Self::Go),
            b'r' if line.starts_with("runtime: out of memory") => Some(Self::Go),
            // Before Rust 1.73 the message stood in this line.
            b't' if line.starts_with("thread '") && line.contains(" panicked at ") => {
                Some(if line.trim_end().ends_with(':') { Self::Rust } else { Self::RustTold })
            }
            b'<' if line.starts_with("<--- Last few GCs") => Some(Self::NodeHeap),
            b'F' if line.starts_with("FATAL ERROR: ") && line.contains("llocation failed") => {
                Some(Self::NodeHeap)
            }
            _ => None,
        }
    }

    /// The trace that a frame shows.
    pub(super) fn frames(line: &str) -> Self {
        match line.trim() {
            text if text.starts_with("File \"") => Self::Python,
            text if text.ends_with('{') || text == "Caused by:" => Self::Properties,
            _ => Self::Frames,
        }
    }

    /// Whether its first frame may stand below `head`, of which nothing else is known.
    pub(super) fn may_follow(self, head: &str) -> bool {
        match self {
            Self::NodeSource => is_node_source(head.lines().next().unwrap_or_default()),
            Self::Python | Self::Properties => head.contains("rror") || head.contains("xception"),
            _ => true,
        }
    }

    /// Loggers print Python's traceback behind their own line; a panic is nobody's message.
    pub(super) fn follows_its_message(self) -> bool {
        self == Self::Python
    }

    /// Whether the line belongs to the trace; `blank` tells of an empty line before it.
    pub(super) fn goes_on(&mut self, line: &str, blank: bool) -> bool {
        let next = self.after(line, blank);
        *self = next.unwrap_or(*self);
        next.is_some()
    }

    fn after(self, line: &str, blank: bool) -> Option<Self> {
        let is_indented = line.starts_with([' ', '\t', '\u{a0}']);
        match self {
            Self::Properties if is_indented => Some(self),
            Self::Properties if line.starts_with('}') => Some(Self::Frames),
            Self::Frames | Self::Properties => {
                let ends = blank && line.starts_with("Node.js v");
                (ends || is_frame(line) || line.starts_with("Caused by:")).then(|| Self::frames(line))
            }
            Self::Python if is_indented || is_chained(line) => Some(self),
            Self::Python => (!blank).then_some(Self::PythonTold),
            Self::PythonTold => is_chained(line).then_some(Self::Python),
            Self::NodeSource => {
                (names_error(line) || line.starts_with("Uncaught")).then(|| Self::frames(line))
            }
            Self::NodeHeap => is_node_heap(line).then_some(self),
            Self::Go => is_go(line, is_indented).then_some(self),
            Self::Rust => (!blank).then_some(Self::RustTold),
            Self::RustTold => {
                let belongs =
                    is_indented || line.starts_with("stack backtrace:") || line.starts_with("note: ");
                belongs.then_some(self)
            }
        }
    }
}

/// Between the tracebacks of an error that was raised while another was handled.
fn is_chained(line: &str) -> bool {
    [
        "During handling of the above exception",
        "The above exception was the direct cause",
        "Traceback (most recent",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

/// Garbage collections `[8:0x55d]  20123 ms: Mark-sweep …`, titles, native frames ` 1: 0xb09c10 node::Abort() …`.
fn is_node_heap(line: &str) -> bool {
    let is_frame = |(number, _): (&str, &str)| number.trim().bytes().all(|byte| byte.is_ascii_digit());
    line.starts_with("<---")
        || line.starts_with("FATAL ERROR: ")
        || line.starts_with("-----")
        || (line.starts_with('[') && line.contains(":0x"))
        || line.split_once(": 0x").is_some_and(is_frame)
}

fn is_go(line: &str, is_indented: bool) -> bool {
    const STARTS: [&str; 8] = [
        "goroutine ",
        "[signal ",
        "created by ",
        "runtime",
        "panic: ",
        "fatal error: ",
        "exit status ",
        "...additional frames",
    ];
    // Calls: `main.handler({0x1, 0x2})`; registers of a crash: `rax    0x0`.
    let is_call = line.ends_with(')') && line.contains('(') && line.contains('.') && !line.contains(": ");
    let is_register = line.split_once(' ').is_some_and(|(_, value)| value.trim_start().starts_with("0x"));
    is_indented || is_call || is_register || STARTS.iter().any(|start| line.starts_with(start))
}
