//! Stack traces of Python, Node, Java, .NET, Ruby, Go and Rust: which of their lines says what went wrong.

use std::borrow::Cow;

use super::error::first_line;

/// The line with type and message, if the text is a stack trace.
pub(super) fn error(text: &str) -> Option<String> {
    // Most texts are one line; of those only a process's last words are an error's.
    if !text.contains('\n') {
        return last_words(text).map(first_line);
    }
    let telling = python(text)
        .map(Cow::Borrowed)
        .or_else(|| ruby(text))
        .or_else(|| frames(text).or_else(|| last_words(text)).map(Cow::Borrowed))?;
    Some(first_line(&telling))
}

/// Python: `Traceback …`, indented frames, then `ValueError: bad`. Lambda's client prints the error first instead:
/// `[ERROR] ValueError: bad`, then the traceback. Chained errors: the last one counts.
fn python(text: &str) -> Option<&str> {
    let (before, after) = text.rsplit_once("Traceback (most recent call last):")?;
    let group =
        || after.lines().find_map(|line| line.trim_start().strip_prefix("| ").filter(|rest| is_head(rest)));
    let last = after.lines().rfind(|line| starts_unindented(line)).or_else(group);
    last.or_else(|| before.lines().rfind(|line| starts_unindented(line)))
        .map(|line| line.strip_prefix("[ERROR] ").unwrap_or(line))
}

fn is_head(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_uppercase()) && line.contains(": ")
}

/// Ruby: `/var/task/app.rb:3:in 'charge': no card (RuntimeError)`, frames below; a logger's line has no place.
fn ruby(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(".rb:") {
        return None;
    }
    let head = text.lines().next()?;
    let (message, kind) = head.strip_suffix(')')?.rsplit_once(" (")?;
    let message = message
        .rsplit_once(":in ")
        .and_then(|(_, said)| said.split_once(": "))
        .map_or_else(|| message.rsplit_once(" -- : ").map_or(message, |(_, said)| said), |(_, said)| said);
    Some(Cow::Owned(format!("{kind}: {message}")))
}

/// Node, Java, .NET: `TypeError: bad` with frames `    at …` below.
fn frames(text: &str) -> Option<&str> {
    let mut before: Option<&str> = None;
    for line in text.lines() {
        if line.starts_with(char::is_whitespace) && line.trim_start().starts_with("at ") {
            return before.map(clean_head);
        }
        if starts_unindented(line) && (before.is_none() || names_error(line) || line.starts_with("Uncaught "))
        {
            before = Some(line);
        }
    }
    None
}

/// What a process says before it ends: Go's and Node's fatal errors, Rust's panics (the message stands on the next
/// line), Rust's allocator.
fn last_words(text: &str) -> Option<&str> {
    const STARTS: [&str; 4] = ["panic: ", "fatal error: ", "FATAL ERROR: ", "memory allocation of "];
    if let Some(line) = text.lines().find(|line| STARTS.iter().any(|start| line.starts_with(start))) {
        return Some(line);
    }
    let mut lines =
        text.lines().skip_while(|line| !(line.starts_with("thread '") && line.contains("panicked at")));
    let head = lines.next()?;
    Some(lines.next().filter(|line| starts_unindented(line)).unwrap_or(head))
}

fn clean_head(line: &str) -> &str {
    ["Uncaught ", "Unhandled exception. ", "Exception in thread \"main\" "]
        .iter()
        .fold(line, |line, prefix| line.strip_prefix(prefix).unwrap_or(line))
}

/// True for `some.pkg.BadError: …` and its like.
pub(crate) fn names_error(line: &str) -> bool {
    let kind = line.split([':', ' ', '\n']).next().unwrap_or_default();
    (kind.ends_with("Error") || kind.ends_with("Exception"))
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
}

fn starts_unindented(line: &str) -> bool {
    line.starts_with(|first: char| !first.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_is_found_in_every_language() {
        for (text, telling) in [
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\n    x()\nValueError: bad card",
                "ValueError: bad card",
            ),
            (
                "[ERROR] ValueError: bad card\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"a.py\", line 1",
                "ValueError: bad card",
            ),
            (
                "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1\n  | ExceptionGroup: two (2 sub-exceptions)\n  +-+--- 1 ---\n    | ValueError: a",
                "ExceptionGroup: two (2 sub-exceptions)",
            ),
            (
                "TypeError: x is not a function\n    at handler (/var/task/i.js:1:2)",
                "TypeError: x is not a function",
            ),
            ("Uncaught RangeError: no\n    at f (a.js:1:2)", "RangeError: no"),
            ("/var/task/i.js:3\n  throw e\n  ^\n\nRangeError: no\n    at f (a.js:1:2)", "RangeError: no"),
            (
                "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)",
                "java.lang.IllegalStateException: no",
            ),
            ("12:00 ERROR failed\na.BadException: no\n\tat a.B.c(B.java:1)", "a.BadException: no"),
            (
                "Unhandled exception. System.ArgumentException: no card\n   at Shop.F.H() in /src/F.cs:line 1",
                "System.ArgumentException: no card",
            ),
            ("app.rb:3:in `f': no card (RuntimeError)\n\tfrom app.rb:7:in `g'", "RuntimeError: no card"),
            ("E, [2026] ERROR -- : no card (RuntimeError)\napp.rb:3:in `f'", "RuntimeError: no card"),
            ("panic: boom\n\ngoroutine 1 [running]:", "panic: boom"),
            ("fatal error: runtime: out of memory\n\nruntime stack:", "fatal error: runtime: out of memory"),
            ("<--- Last few GCs --->\n\nFATAL ERROR: heap\n 1: 0x1", "FATAL ERROR: heap"),
            ("\nthread 'main' panicked at src/main.rs:2:5:\nbad card\nnote: run with", "bad card"),
        ] {
            assert_eq!(error(text).as_deref(), Some(telling), "{text}");
        }
        assert_eq!(error("look\n  here at once"), None);
        assert_eq!(error("all is well"), None);
    }
}
