//! What a single line is to a stack trace, by its own shape: it opens one, it can only be inside one, or neither.

use super::trace::Trace;

/// See [`of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A trace begins here.
    Opens(Trace),
    /// Part of a trace whose head stands before it.
    Frame(Trace),
    /// Anything.
    Other,
}

/// The role of a line.
pub(super) fn of(line: &str) -> Role {
    if let Some(trace) = Trace::opened_by(line) {
        return Role::Opens(trace);
    }
    if is_caret(line) {
        return Role::Frame(Trace::NodeSource);
    }
    if is_frame(line) || line == "Caused by:" { Role::Frame(Trace::frames(line)) } else { Role::Other }
}

/// True for what nobody but a stack trace prints.
pub(super) fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let is_indented = text.len() < line.len();
    let by_its_beginning = match text.as_bytes().first() {
        // Node, Java, .NET, Rust: `at f (a.js:1:2)`, `at a.B.c(B.java:1)`, `at Ns.C.M() in C.cs:line 3`, `at src/a.rs:1`
        Some(b'a') => is_indented && text.strip_prefix("at ").is_some_and(is_code_place),
        // Python: `File "a.py", line 1, in f`
        Some(b'F') => is_indented && text.starts_with("File \"") && text.contains(", line "),
        // Ruby: `from a.rb:1:in 'f'`
        Some(b'f') => is_indented && text.starts_with("from ") && text.contains(":in "),
        // Java, logback, Node: `... 12 more`, `... 3 common frames omitted`, `... 4 lines matching cause stack trace ...`
        Some(b'.') => is_elision(text),
        // .NET: `---> System.Exception: x`, `--- End of inner exception stack trace ---`
        Some(b'-') => (is_indented && text.starts_with("---> ")) || text.starts_with("--- End of "),
        Some(b'S') => is_indented && text.starts_with("Suppressed: "),
        Some(b'C') => is_indented && text.starts_with("Caused by: "),
        _ => false,
    };
    by_its_beginning || is_ruby_place(text)
}

/// What stands behind `at`: a call or a file, not the words of a sentence.
fn is_code_place(text: &str) -> bool {
    text.contains(['(', '/', '<']) || text.contains(".rs:") || text.contains(".js:") || !text.contains(' ')
}

fn is_elision(text: &str) -> bool {
    let count = text.strip_prefix("... ").unwrap_or_default();
    count.starts_with(|first: char| first.is_ascii_digit())
        && [" more", " omitted", "stack trace ..."].iter().any(|end| text.ends_with(end))
}

/// `/var/task/app.rb:12:in 'charge'`; with a message behind it, in `(RuntimeError)`, it is a head.
fn is_ruby_place(text: &str) -> bool {
    text.contains(".rb:") && text.contains(":in ") && !text.ends_with(')')
}

/// `      ^`, below the code that Node shows.
fn is_caret(line: &str) -> bool {
    let marks = line.trim();
    line.starts_with([' ', '\t', '^']) && !marks.is_empty() && marks.bytes().all(|mark| mark == b'^')
}

/// Where Node's uncaught errors begin: `/var/task/index.js:12`, `file:///var/task/index.mjs:12`,
/// `node:internal/modules/cjs/loader:1078`.
pub(super) fn is_node_source(line: &str) -> bool {
    let Some((file, number)) = line.trim_end().rsplit_once(':') else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_script = [".js", ".mjs", ".cjs", ".ts"].iter().any(|end| file.ends_with(end));
    is_number && !file.contains(' ') && (is_script || file.starts_with("node:internal/"))
}
