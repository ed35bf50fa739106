//! The first words of a text line, where loggers put its level and its request id.

use model::Level;

/// A level and a request id stand near the beginning or not at all.
const WORDS_MAX: usize = 8;
const HEAD_BYTES_MAX: usize = 160;

/// The first words of a text's first line.
pub(super) struct Head<'a> {
    words: Vec<&'a str>,
    /// A time stood before them.
    after_time: bool,
}

impl<'a> Head<'a> {
    /// Of a text without the time that it begins with, if it does.
    pub(super) fn of(text: &'a str, after_time: bool) -> Self {
        let head = &text[..text.floor_char_boundary(HEAD_BYTES_MAX)];
        let head = head.lines().next().unwrap_or_default();
        let words = head.split([' ', '\t', '|']).filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
        Self { words, after_time }
    }

    /// The level word: `ERROR: …`, `[WARNING] …`, `app - INFO - …`, `level=error …`, `error: …`. Elsewhere in a
    /// sentence it is no level.
    pub(super) fn level(&self) -> Option<Level> {
        let (words, after_time) = (&self.words, self.after_time);
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

    /// The invocation that the line names: by a label, or bare where loggers put it (log4j's `%X{AWSRequestId}`
    /// behind the time, Ruby's behind the level). Whether it is one is the caller's to know.
    pub(super) fn request_id(&self) -> Option<&'a str> {
        let (words, after_time) = (&self.words, self.after_time);
        words.iter().enumerate().find_map(|(index, word)| {
            let (label, value) = word.split_once(['=', ':']).unwrap_or(("", word));
            let value = value.trim_matches(['"', '\'', '[', ']', '(', ')', '{', '}', ',', '<', '>']);
            let before = index.checked_sub(1).and_then(|before| words.get(before));
            let is_labelled =
                is_request_label(label) || before.is_some_and(|before| is_request_label(before));
            let is_placed = match before {
                None => after_time,
                Some(before) => before.ends_with(']') || shouted(before).is_some() || *before == "-",
            };
            (is_uuid(value) && (is_labelled || is_placed)).then_some(value)
        })
    }
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
