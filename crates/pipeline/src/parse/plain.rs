//! Text without a runtime's prefix: prints, other loggers' text formats, stack traces.

use std::borrow::Cow;

use model::{Level, Map, Timestamp, Value};

use super::{Line, context, embedded, error, fields, stack, time};

/// A level and a request id stand near the beginning or not at all.
const WORDS_MAX: usize = 8;
const HEAD_BYTES_MAX: usize = 160;

/// Understands what can be understood; the text is kept.
pub(super) fn line(text: &str) -> Line {
    let seen = without_colours(text);
    let (time, rest) = leading_time(&seen);
    let head = head(rest);
    let written = level(&head, time.is_some());
    let thrown = stack::error(text);
    let level = written.or(thrown.as_ref().map(|_| Level::Error));
    let is_error = level.is_some_and(|level| level >= Level::Error);
    let (trace_id, span_id) = context::in_text(text);
    Line {
        time,
        level,
        request_id: request_id(&head, time.is_some()).map(str::to_owned),
        trace_id,
        span_id,
        error: is_error.then(|| thrown.unwrap_or_else(|| error::first_line(text))),
        body: body(text),
        ..Line::default()
    }
}

/// True for a logger's line of an error, by its level alone.
pub(crate) fn is_error(text: &str) -> bool {
    let (time, rest) = leading_time(text);
    level(&head(rest), time.is_some()).is_some_and(|level| level >= Level::Error)
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

/// The beginning without a terminal's colours, for who looks for words in it.
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    for piece in text[..text.floor_char_boundary(2 * HEAD_BYTES_MAX)].split('\u{1b}') {
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

/// The first words of the first line.
fn head(text: &str) -> Vec<&str> {
    let head = &text[..text.floor_char_boundary(HEAD_BYTES_MAX)];
    let head = head.lines().next().unwrap_or_default();
    head.split([' ', '\t', '|']).filter(|word| !word.is_empty()).take(WORDS_MAX).collect()
}

/// The level word: `ERROR: …`, `[WARNING] …`, `app - INFO - …`, `level=error …`, `error: …`. Elsewhere in a sentence
/// it is no level.
fn level(words: &[&str], after_time: bool) -> Option<Level> {
    words.iter().enumerate().find_map(|(index, word)| {
        let first = words[..index].iter().all(|before| *before == "-");
        let between = index > 0 && words[index - 1] == "-" && words.get(index + 1) == Some(&"-");
        if let Some((_, value)) =
            word.split_once('=').filter(|(key, _)| matches!(*key, "level" | "lvl" | "severity"))
        {
            return value.trim_matches('"').parse().ok();
        }
        let behind_bracket = index > 0 && index < 4 && words[index - 1].ends_with(']');
        let placed =
            first || between || behind_bracket || (after_time && words[..index].iter().all(is_prefix));
        match word.as_bytes().first() {
            Some(b'[' | b'<') => bracketed(word, first || after_time),
            _ if placed => shouted(word).or_else(|| if first { labelled(word) } else { None }),
            _ => None,
        }
    })
}

/// What loggers put between the time and the level: a thread, an id, a module; not the words of a sentence.
fn is_prefix(word: &&str) -> bool {
    let is_name = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name || word.contains(['[', ']', '.', '-', '#']) || word.bytes().any(|byte| byte.is_ascii_digit())
}

/// In capitals, as loggers print it; `Error: …` and `info` are how sentences begin.
fn shouted(word: &str) -> Option<Level> {
    let word = word.split(':').next().unwrap_or(word).trim_matches(['[', ']', '(', ')', '>']);
    let is_level = matches!(
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
    if is_level { word.parse().ok() } else { None }
}

/// `[ERROR]` anywhere, `[warning` (structlog pads it) and `<info>` where a level is expected.
fn bracketed(word: &str, expected: bool) -> Option<Level> {
    let word = word.trim_matches(['[', ']', '<', '>', ':']);
    let in_one_case = word.bytes().all(|byte| byte.is_ascii_lowercase());
    shouted(word).or_else(|| if expected && in_one_case && word != "log" { word.parse().ok() } else { None })
}

/// `error: …`, `warn: …`, as winston, npm and compilers print it.
fn labelled(word: &str) -> Option<Level> {
    let word = word.strip_suffix(':')?;
    let is_level = matches!(
        word,
        "error" | "warn" | "warning" | "info" | "debug" | "verbose" | "silly" | "fatal" | "critical"
            // .NET's simple console.
            | "fail" | "crit" | "dbug" | "trce"
    );
    match word {
        "trce" => Some(Level::Trace),
        _ if is_level => word.parse().ok(),
        _ => None,
    }
}

/// The invocation that the line names: by a label, or bare where loggers put it (log4j's `%X{AWSRequestId}` behind the
/// time, Ruby's behind the level). Whether it is one is the caller's to know.
fn request_id<'a>(words: &[&'a str], after_time: bool) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(index, word)| {
        let (label, value) = word.split_once(['=', ':']).unwrap_or(("", word));
        let value = value.trim_matches(['"', '\'', '[', ']', '(', ')', '{', '}', ',', '<', '>']);
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        let is_labelled = is_request_label(label) || before.is_some_and(|before| is_request_label(before));
        let is_placed = match before {
            None => after_time,
            Some(before) => before.ends_with(']') || shouted(before).is_some() || *before == "-",
        };
        (is_uuid(value) && (is_labelled || is_placed) && fields::is_id(value)).then_some(value)
    })
}

fn is_request_label(word: &str) -> bool {
    // `invoke{requestId="…"}`: `tracing` prints a span's fields so.
    let word = word.trim_end_matches([':', '=']).rsplit(['[', '(', '{', '"']).next().unwrap_or_default();
    let word = word.strip_prefix("AWS").or_else(|| word.strip_prefix("aws_")).unwrap_or(word);
    ["RequestId", "requestId", "RequestID", "request_id", "request-id", "reqId"].contains(&word)
}

/// Lambda's request ids: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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
