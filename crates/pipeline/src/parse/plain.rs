//! Text without a runtime's prefix: prints, other loggers' text formats, stack traces.

use std::borrow::Cow;
use std::ops::Range;

use model::{Level, Map, Timestamp, Value};

use super::head::Head;
use super::{Keys, Line, context, embedded, error, stack, time};

/// Colours are taken out as far as anybody looks for words.
const COLOURED_BYTES_MAX: usize = 320;

/// Understands what can be understood; the text is kept.
pub(super) fn line(text: &str, keys: Keys) -> Line {
    let seen = without_colours(text);
    let (time, rest) = leading_time(&seen);
    let head = Head::of(rest, time.is_some());
    let written = head.level();
    let thrown = stack::error(text);
    let level = written.or(thrown.as_ref().map(|_| Level::Error));
    let is_error = level.is_some_and(|level| level >= Level::Error);
    let (trace_id, span_id) = context::in_text(text);
    Line {
        time,
        level,
        request_id: head.request_id().map(str::to_owned),
        trace_id,
        span_id,
        error: is_error.then(|| thrown.unwrap_or_else(|| error::first_line(text))),
        body: body(text, keys),
        ..Line::default()
    }
}

/// True for a logger's line of an error, by its level alone.
pub(crate) fn is_error(text: &str) -> bool {
    let (time, rest) = leading_time(text);
    Head::of(rest, time.is_some()).level().is_some_and(|level| level >= Level::Error)
}

/// `message`, or `message` and `data` where one JSON object stands in the text. A text of several lines is a stack
/// trace, a table, code: braces in it are its own. Neither key tells anything about the line.
pub(super) fn body(text: &str, keys: Keys) -> Map {
    if keys == Keys::Telling {
        return Map::new();
    }
    let embedded = if text.contains('\n') { None } else { embedded::split(text) };
    match embedded {
        Some(found) => Map::from([
            ("message".to_owned(), Value::String(found.message)),
            ("data".to_owned(), Value::Object(found.data)),
        ]),
        None => Map::from([("message".to_owned(), text.into())]),
    }
}

/// Where the object stands that [`body`] takes for `data`.
pub(super) fn object_range(text: &str) -> Option<Range<usize>> {
    if text.contains('\n') { None } else { embedded::range(text) }
}

/// The beginning without a terminal's colours, for who looks for words in it.
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    for piece in text[..text.floor_char_boundary(COLOURED_BYTES_MAX)].split('\u{1b}') {
        let colour = piece.strip_prefix('[').and_then(|code| code.split_once('m'));
        let is_code = |code: &str| code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        plain.push_str(colour.filter(|(code, _)| is_code(code)).map_or(piece, |(_, rest)| rest));
    }
    Cow::Owned(plain)
}

/// A time at the beginning, of one word or two (`2026-11-20 13:52:00,123`), bracketed or not.
fn leading_time(text: &str) -> (Option<Timestamp>, &str) {
    let text = text.trim_start();
    if !text.trim_start_matches('[').starts_with(|first: char| first.is_ascii_digit()) {
        return (None, text);
    }
    let mut ends = text.match_indices([' ', '\t']).map(|(end, _)| end);
    let (one, two) = (ends.next(), ends.next());
    for end in [two, one].into_iter().flatten() {
        let (head, rest) = text.split_at(end);
        if let Some(time) = time::text(head.trim_matches(['[', ']'])) {
            return (Some(time), rest);
        }
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        super::line(text, Keys::All)
    }

    const ID: &str = "8286a188-ba32-4475-8077-530cd35c09a9";

    #[test]
    fn a_level_is_found_where_loggers_put_it() {
        for (text, expected) in [
            ("ERROR: disk full", Level::Error),
            ("ERROR:root:disk full", Level::Error),
            ("[WARNING] slow", Level::Warn),
            ("2026-11-20 13:52:00,123 - app.db - INFO - connected", Level::Info),
            ("2026-11-20T13:52:00Z DEBUG app: x", Level::Debug),
            ("2026-11-20 13:52:00.123 [main] ERROR app.Handler - no", Level::Error),
            ("2026-11-20T13:52:00.123Z [warning  ] slow        ms=7", Level::Warn),
            ("\u{1b}[2m2026-11-20T13:52:00Z\u{1b}[0m [\u{1b}[33mwarning  \u{1b}[0m] slow", Level::Warn),
            ("2026-11-20T13:52:00.123Z warn: slow", Level::Warn),
            ("error: no card {\"order\":7}", Level::Error),
            ("E, [2026-11-20T13:52:00.123456 #8] ERROR -- : no card", Level::Error),
            ("app [ERROR] no", Level::Error),
            ("time=2026-11-20T13:52:00Z level=warn msg=slow", Level::Warn),
            ("INFO | started", Level::Info),
            ("fail: Shop.Function[0]", Level::Error),
        ] {
            assert_eq!(line(text).level, Some(expected), "{text}");
        }
    }

    #[test]
    fn a_sentence_has_no_level() {
        for text in [
            "No ERROR found",
            "the INFO desk",
            "Informational",
            "error handling done",
            "Error: maybe",
            "",
            "ERRORS: 0",
            "[log] book",
            "it says error: none",
            "2026-11-20T13:52:00Z No ERROR found",
        ] {
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

    #[test]
    fn a_request_id_is_found_by_its_label_or_its_place() {
        for text in [
            format!("2026-11-20 13:52:00 {ID} INFO  Handler - paid"),
            format!("I, [2026-11-20T13:52:00.123456 #8]  INFO {ID} -- : paid"),
            format!("level=info requestId={ID} msg=paid"),
            format!("paid RequestId: {ID}"),
            format!("[requestId={ID}] paid"),
        ] {
            assert_eq!(line(&text).request_id.as_deref(), Some(ID), "{text}");
            assert!(!line(&text).request_id_certain);
        }
        for text in [format!("order {ID} paid"), ID.to_owned(), "requestId=7".to_owned()] {
            assert_eq!(line(&text).request_id, None, "{text}");
        }
    }
}
