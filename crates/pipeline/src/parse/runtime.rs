//! The prefixes that Lambda's runtime clients put before a text line: time, request id and level between tabs.
//! Both get the reference's discovered keys.

use model::{Level, Map, Timestamp, Value};

use super::{Line, embedded, error, fields, json_object, object, plain, time};

/// The line, if it has a runtime's prefix.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim_start();
    if text.starts_with('[') { python(text) } else { node(text) }
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
fn node(text: &str) -> Option<Line> {
    let mut parts = text.splitn(4, '\t');
    let (stamp, id, word, message) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let prefix = Prefix { stamp, time: time::text(stamp)?, id, word, level: word.parse().ok()? };
    let mut line = prefixed(&prefix);
    match json_object(message) {
        Some(map) => {
            let inner = object(map.clone());
            line.body.insert("@message".to_owned(), Value::Object(map));
            line.learn(inner);
        }
        None => {
            line.error = text_error(message, prefix.level);
            line.body.insert("@message".to_owned(), message.into());
        }
    }
    Some(line)
}

/// Python's logging: `[LEVEL]\t<ISO time>\t<request id>\t<message>`. The message is a line of its own: JSON gives its
/// keys, text its `message`.
fn python(text: &str) -> Option<Line> {
    let mut parts = text.splitn(4, '\t');
    let (word, stamp, id, message) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let word = word.strip_prefix('[')?.strip_suffix(']')?;
    let prefix = Prefix { stamp, time: time::text(stamp)?, id, word, level: word.parse().ok()? };
    let mut line = prefixed(&prefix);
    let mut inner = match json_object(message) {
        Some(map) => object(map),
        None => Line { body: plain::body(message), ..Line::default() },
    };
    line.error = inner.error.take().or_else(|| text_error(message, prefix.level));
    for (key, value) in std::mem::take(&mut inner.body) {
        line.body.entry(key).or_insert(value);
    }
    line.learn(inner);
    Some(line)
}

fn prefixed(prefix: &Prefix<'_>) -> Line {
    let mut body = Map::from([
        ("@timestamp".to_owned(), prefix.stamp.into()),
        ("LogLevel".to_owned(), prefix.word.into()),
    ]);
    let id = Some(prefix.id).filter(|id| fields::is_id(id)).map(str::to_owned);
    if let Some(id) = &id {
        body.insert("@requestId".to_owned(), id.as_str().into());
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
