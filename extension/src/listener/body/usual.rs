//! One element as the platform writes it: its time, its kind and its content, in this order and without spaces, so that
//! its kind is known when its content comes, and a line is a text. Every other order and shape is none here: the reader
//! of bodies has a longer way for those.

use lambda_api::telemetry::{Payload, Record, kind};
use model::Value;
use serde_json::value::RawValue;

use super::{Told, text};

/// The record at the beginning of `bytes`, and its length; none if it is not as usual. Texts are put together in `room`.
pub(super) fn first(bytes: &[u8], room: &mut Vec<u8>) -> Option<(Told, usize)> {
    let rest = bytes.strip_prefix(br#"{"time":""#)?;
    let (time, rest) = word(rest)?;
    let rest = rest.strip_prefix(br#","type":""#)?;
    let (kind, rest) = word(rest)?;
    let rest = rest.strip_prefix(br#","record":"#)?;
    let (record, rest) = content(kind, rest, room)?;
    let rest = rest.strip_prefix(b"}")?;
    let record = Record { time: time.to_owned(), kind: kind.to_owned(), record };
    Some((record, bytes.len() - rest.len()))
}

/// A text without escapes up to its quote, and what comes behind it.
fn word(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
    let rest = bytes[end..].strip_prefix(b"\"")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, rest))
}

fn content<'b>(name: &str, bytes: &'b [u8], room: &mut Vec<u8>) -> Option<(Payload<Value>, &'b [u8])> {
    if matches!(name, kind::FUNCTION | kind::EXTENSION) {
        let (text, length) = text::read(bytes.strip_prefix(b"\"")?, room)?;
        return Some((Payload::as_it_came(name, Value::from(text)), &bytes[length + 1..]));
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let written = values.next()?.ok()?;
    Some((Payload::read(name, written.get())?, &bytes[values.byte_offset()..]))
}
