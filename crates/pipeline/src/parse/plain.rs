//! Text without a runtime's prefix: prints, other loggers' text formats, stack traces.

use model::{Level, Map, Timestamp, Value};

use super::{Line, embedded, error, stack, time};

/// A level stands near the beginning or not at all.
const WORDS_MAX: usize = 8;
const HEAD_BYTES_MAX: usize = 160;

/// Understands what can be understood; the text is kept.
pub(super) fn line(text: &str) -> Line {
    let (time, rest) = leading_time(text);
    let written = level(rest);
    let thrown = stack::error(text);
    let level = written.or(thrown.as_ref().map(|_| Level::Error));
    let is_error = level.is_some_and(|level| level >= Level::Error);
    Line {
        time,
        level,
        error: is_error.then(|| thrown.unwrap_or_else(|| error::first_line(text))),
        body: body(text),
        ..Line::default()
    }
}

/// `message`, or `message` and `data` where one JSON object stands in the text. A text of several lines is a stack
/// trace, a table, code: braces in it are its own.
pub(super) fn body(text: &str) -> Map {
    let embedded = if text.contains('\n') { None } else { embedded::split(text) };
    match embedded {
        Some(found) => Map::from([
            ("message".to_owned(), Value::String(found.message)),
            ("data".to_owned(), Value::Object(found.data)),
        ]),
        None => Map::from([("message".to_owned(), text.into())]),
    }
}

/// A time at the beginning, of one word or two (`2026-11-20 13:52:00,123`), bracketed or not.
fn leading_time(text: &str) -> (Option<Timestamp>, &str) {
    let text = text.trim_start();
    if !text.trim_start_matches('[').starts_with(|first: char| first.is_ascii_digit()) {
        return (None, text);
    }
    let ends = text.match_indices([' ', '\t']).map(|(end, _)| end).take(2).collect::<Vec<_>>();
    for end in ends.into_iter().rev() {
        let (head, rest) = text.split_at(end);
        if let Some(time) = time::text(head.trim_matches(['[', ']'])) {
            return (Some(time), rest);
        }
    }
    (None, text)
}

/// The level word: `ERROR: …`, `[WARNING] …`, `app - INFO - …`, `level=error …`. Elsewhere in a sentence it is no
/// level.
fn level(text: &str) -> Option<Level> {
    let head = &text[..text.floor_char_boundary(HEAD_BYTES_MAX)];
    let head = head.lines().next().unwrap_or_default();
    let words: Vec<&str> =
        head.split([' ', '\t', '|']).filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
    words.iter().enumerate().find_map(|(index, word)| {
        let first = words[..index].iter().all(|before| *before == "-");
        let between = index > 0 && words[index - 1] == "-" && words.get(index + 1) == Some(&"-");
        let bracketed = word.starts_with(['[', '<']);
        if let Some((_, value)) =
            word.split_once('=').filter(|(key, _)| matches!(*key, "level" | "lvl" | "severity"))
        {
            return value.trim_matches('"').parse().ok();
        }
        if first || between || bracketed { level_word(word) } else { None }
    })
}

/// In capitals, as loggers print it; `Error: …` and `info` are how sentences begin.
fn level_word(word: &str) -> Option<Level> {
    let word = word.split(':').next().unwrap_or(word).trim_matches(['[', ']', '<', '>', '(', ')']);
    let shouted = matches!(
        word,
        "TRACE"
            | "DEBUG"
            | "INFO"
            | "NOTICE"
            | "WARN"
            | "WARNING"
            | "ERROR"
            | "SEVERE"
            | "FATAL"
            | "CRITICAL"
    );
    if shouted { word.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_where_loggers_put_it() {
        for (text, expected) in [
            ("ERROR: disk full", Level::Error),
            ("ERROR:root:disk full", Level::Error),
            ("[WARNING] slow", Level::Warn),
            ("2026-11-20 13:52:00,123 - app.db - INFO - connected", Level::Info),
            ("2026-11-20T13:52:00Z DEBUG app: x", Level::Debug),
            ("app [ERROR] no", Level::Error),
            ("time=2026-11-20T13:52:00Z level=warn msg=slow", Level::Warn),
            ("INFO | started", Level::Info),
        ] {
            assert_eq!(line(text).level, Some(expected), "{text}");
        }
    }

    #[test]
    fn a_sentence_has_no_level() {
        for text in
            ["No ERROR found", "the INFO desk", "Informational", "error handling done", "", "ERRORS: 0"]
        {
            assert_eq!(line(text).level, None, "{text}");
            assert_eq!(line(text).error, None, "{text}");
        }
    }

    #[test]
    fn a_time_at_the_beginning_is_read() {
        let line = line("2026-11-20 13:52:00,123 - app - ERROR - no card");
        assert_eq!(line.time, "2026-11-20T13:52:00.123Z".parse().ok());
        assert_eq!(line.error.as_deref(), Some("2026-11-20 13:52:00,123 - app - ERROR - no card"));
    }
}
