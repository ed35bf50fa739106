//! The prefixes that Lambda's runtime clients put before a text line: time, request id and level between tabs.
//! Both get the reference's discovered keys.

use model::{Level, Map, Timestamp, Value};

use super::{Keys, Line, embedded, error, fields, json_object, of_object, plain, time};

/// The line, if it has a runtime's prefix.
pub(super) fn line(text: &str, keys: Keys) -> Option<Line> {
    let text = text.trim_start();
    if text.starts_with('[') { python(text, keys) } else { node(text, keys) }
}

/// Where what was logged begins behind a runtime's prefix; 0 without one.
pub(super) fn message_at(text: &str) -> usize {
    let trimmed = text.trim_start();
    let mut parts = trimmed.splitn(4, '\t');
    let (Some(first), Some(second), Some(_), Some(message)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return 0;
    };
    let stamp = if first.starts_with('[') { second } else { first };
    if time::text(stamp).is_some() { text.len() - message.len() } else { 0 }
}

struct Prefix<'a> {
    stamp: &'a str,
    time: Timestamp,
    id: &'a str,
    word: &'a str,
    level: Level,
}

/// Node's console: `<ISO time>\t<request id>\t<LEVEL>\t<message>`. The message stays under `@message`, a JSON object
/// nested below it.
fn node(text: &str, keys: Keys) -> Option<Line> {
    let mut parts = text.splitn(4, '\t');
    let (stamp, id, word, message) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let prefix = Prefix { stamp, time: time::text(stamp)?, id, word, level: word.parse().ok()? };
    let mut line = prefixed(&prefix, keys);
    match json_object(message, keys) {
        Some(map) if keys == Keys::Telling => {
            let mut inner = of_object(map, keys);
            line.body = std::mem::take(&mut inner.body);
            line.learn(inner);
        }
        Some(map) => {
            let inner = of_object(map.clone(), keys);
            line.body.insert("@message".to_owned(), Value::Object(map));
            line.learn(inner);
        }
        None => {
            line.error = text_error(message, prefix.level);
            if keys == Keys::All {
                line.body.insert("@message".to_owned(), message.into());
            }
        }
    }
    Some(line)
}

/// Python's logging: `[LEVEL]\t<ISO time>\t<request id>\t<message>`. The message is a line of its own: JSON gives its
/// keys, text its `message`.
fn python(text: &str, keys: Keys) -> Option<Line> {
    let mut parts = text.splitn(4, '\t');
    let (word, stamp, id, message) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let word = word.strip_prefix('[')?.strip_suffix(']')?;
    let prefix = Prefix { stamp, time: time::text(stamp)?, id, word, level: word.parse().ok()? };
    let mut line = prefixed(&prefix, keys);
    let mut inner = match json_object(message, keys) {
        Some(map) => of_object(map, keys),
        None => Line { body: plain::body(message, keys), ..Line::default() },
    };
    line.error = inner.error.take().or_else(|| text_error(message, prefix.level));
    for (key, value) in std::mem::take(&mut inner.body) {
        line.body.entry(key).or_insert(value);
    }
    line.learn(inner);
    Some(line)
}

fn prefixed(prefix: &Prefix<'_>, keys: Keys) -> Line {
    let id = Some(prefix.id).filter(|id| fields::is_id(id)).map(str::to_owned);
    let mut body = Map::new();
    if keys == Keys::All {
        body.insert("@timestamp".to_owned(), prefix.stamp.into());
        body.insert("LogLevel".to_owned(), prefix.word.into());
        if let Some(id) = &id {
            body.insert("@requestId".to_owned(), id.as_str().into());
        }
    }
    Line {
        time: Some(prefix.time),
        level: Some(prefix.level),
        request_id_certain: id.is_some(),
        request_id: id,
        body,
        ..Line::default()
    }
}

/// What a text message of this level says went wrong: Lambda's clients append the error as JSON (`Invoke Error\t{…}`).
fn text_error(message: &str, level: Level) -> Option<String> {
    if level < Level::Error {
        return None;
    }
    let thrown = || {
        let data = embedded::split(message)?.data;
        data.contains_key("errorType").then(|| error::of(&data, None))?
    };
    Some(thrown().unwrap_or_else(|| error::of_text(message)))
}
