//! Stack traces of Python, Node, Java, .NET, Go and Rust: which of their lines says what went wrong.

use super::error::first_line;

/// The line with type and message, if the text is a stack trace.
pub(super) fn error(text: &str) -> Option<String> {
    let telling = python(text).or_else(|| frames(text)).or_else(|| panic(text))?;
    Some(first_line(telling))
}

/// Python: `Traceback …`, indented frames, then `ValueError: bad`. Lambda's client prints the error first instead:
/// `[ERROR] ValueError: bad`, then the traceback. Chained errors: the last one counts.
fn python(text: &str) -> Option<&str> {
    let (before, after) = text.rsplit_once("Traceback (most recent call last):")?;
    let last = after.lines().rfind(|line| starts_unindented(line));
    last.or_else(|| before.lines().rfind(|line| starts_unindented(line)))
        .map(|line| line.strip_prefix("[ERROR] ").unwrap_or(line))
}

/// Node, Java, .NET: `TypeError: bad` with frames `    at …` below.
fn frames(text: &str) -> Option<&str> {
    let mut before: Option<&str> = None;
    for line in text.lines() {
        if line.starts_with(char::is_whitespace) && line.trim_start().starts_with("at ") {
            return before.map(clean_head);
        }
        if starts_unindented(line) && (before.is_none() || names_error(line)) {
            before = Some(line);
        }
    }
    None
}

/// Go and Rust: `panic: bad`, `thread 'main' panicked at src/main.rs:1:5:` with the message on the next line.
fn panic(text: &str) -> Option<&str> {
    if let Some(line) = text.lines().find(|line| line.starts_with("panic: ")) {
        return Some(line);
    }
    let mut lines =
        text.lines().skip_while(|line| !(line.starts_with("thread '") && line.contains("panicked at")));
    let head = lines.next()?;
    Some(lines.next().filter(|line| starts_unindented(line)).unwrap_or(head))
}

fn clean_head(line: &str) -> &str {
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    line.strip_prefix("Exception in thread \"main\" ").unwrap_or(line)
}

/// True for `some.pkg.BadError: …` and its like.
fn names_error(line: &str) -> bool {
    let kind = line.split([':', ' ']).next().unwrap_or_default();
    kind.ends_with("Error") || kind.ends_with("Exception") || line.starts_with("Uncaught ")
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
                "TypeError: x is not a function\n    at handler (/var/task/i.js:1:2)",
                "TypeError: x is not a function",
            ),
            ("Uncaught RangeError: no\n    at f (a.js:1:2)", "RangeError: no"),
            (
                "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)",
                "java.lang.IllegalStateException: no",
            ),
            ("panic: boom\n\ngoroutine 1 [running]:", "panic: boom"),
            ("\nthread 'main' panicked at src/main.rs:2:5:\nbad card\nnote: run with", "bad card"),
        ] {
            assert_eq!(error(text).as_deref(), Some(telling), "{text}");
        }
        assert_eq!(error("look\n  here at once"), None);
        assert_eq!(error("all is well"), None);
    }
}
