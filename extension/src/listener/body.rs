//! POST bodies in, their records out, one array element at a time: an element that cannot be read costs itself and
//! never its neighbours, and a record that was cut over two bodies is made whole. Called by the collector; time is an
//! argument.

mod text;
mod usual;
mod scan;
mod envelope;
mod salvage;
mod stitch;

use lambda_api::telemetry::{Payload, Record, kind};
use model::{Timestamp, Value};
use serde_json::value::RawValue;

use scan::Scan;
use stitch::{Join, Stitch};

/// A record whose content has been read, once for all who look at it.
pub type Told = Record<Payload<Value>>;

/// One element of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// A record, read by its kind.
    Record(Told),
    /// What is known of a record of which only a part came.
    Part(Record<Value>, Missing),
    /// Broken JSON, or no object: nobody knows what it said.
    Unreadable,
}

/// Which part of a cut record never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// What came first.
    Beginning,
    /// What should have come next.
    End,
}

/// Reads the bodies of one subscription, in the order in which they came.
#[derive(Debug, Default)]
pub struct Bodies {
    stitch: Stitch,
}

impl Bodies {
    /// The elements of a body, in order; to be taken to the end. One is in memory at a time: a body's records take
    /// many times the body's room. None if the body is no array at all: then nobody knows how many records are gone.
    pub fn read<'a>(&'a mut self, body: &'a [u8], now: Timestamp) -> Option<Elements<'a>> {
        let rest = body.trim_ascii_start().strip_prefix(b"[")?.trim_ascii_start();
        let (rest, stitched) = match self.stitch.join(rest, reads_alone) {
            Join::Whole(record, end) => (&rest[end..], Some(record)),
            Join::Further => (&rest[rest.len()..], None),
            Join::Stranger => (rest, None),
        };
        Some(Elements { stitch: &mut self.stitch, stitched, rest, room: Vec::new(), now })
    }

    /// When to ask [`Self::release`]; none if nothing is held.
    pub fn due(&self) -> Option<Timestamp> {
        self.stitch.due()
    }

    /// The part of a record whose other part has not come for too long.
    pub fn release(&mut self, now: Timestamp) -> Option<Element> {
        self.stitch.release(now)
    }

    /// The same, whatever its age: no body will come any more.
    pub fn close(&mut self) -> Option<Element> {
        self.stitch.close()
    }
}

/// See [`Bodies::read`].
#[derive(Debug)]
pub struct Elements<'a> {
    stitch: &'a mut Stitch,
    stitched: Option<Told>,
    rest: &'a [u8],
    /// For the texts of this body, one after another.
    room: Vec<u8>,
    now: Timestamp,
}

impl Iterator for Elements<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        if let Some(record) = self.stitched.take() {
            return Some(Element::Record(record));
        }
        loop {
            self.rest = self.rest.trim_ascii_start();
            match self.rest.first()? {
                b']' if self.rest[1..].trim_ascii().is_empty() => return None,
                // The end of a cut value may close an array of its own.
                b']' | b',' => self.rest = &self.rest[1..],
                _ => break,
            }
        }
        // The common case: reading it finds the element's end.
        if let Some((record, length)) = first(self.rest, &mut self.room) {
            self.rest = &self.rest[length..];
            return Some(Element::Record(record));
        }
        self.unusual()
    }
}

impl Elements<'_> {
    /// An element that does not read as it stands: its bytes are not all UTF-8, it is the first or the last part of a
    /// cut record, or it is broken.
    fn unusual(&mut self) -> Option<Element> {
        let end = Scan::default().element_end(self.rest);
        let element = &self.rest[..end.unwrap_or(self.rest.len()).max(1)];
        if end.is_some()
            && let Some(record) = record(element)
        {
            self.rest = &self.rest[element.len()..];
            return Some(Element::Record(record));
        }
        if let Some(next) = next_record(self.rest, element.len()) {
            let part = &self.rest[..next];
            self.rest = &self.rest[next..];
            return Some(last_part(part));
        }
        self.rest = &self.rest[element.len()..];
        match end {
            _ if is_last_part(element) => Some(last_part(element)),
            Some(_) => Some(Element::Unreadable),
            None => self.stitch.hold(element, self.now),
        }
    }
}

/// The record at the beginning of `bytes`, and its length.
fn first(bytes: &[u8], room: &mut Vec<u8>) -> Option<(Told, usize)> {
    usual::first(bytes, room).or_else(|| {
        let (record, length) = first_unread(bytes)?;
        Some((told(record)?, length))
    })
}

/// The same in any order, with its content as it is written.
fn first_unread(bytes: &[u8]) -> Option<(Record<Option<&RawValue>>, usize)> {
    let mut records = serde_json::Deserializer::from_slice(bytes).into_iter();
    let record = records.next()?.ok()?;
    Some((record, records.byte_offset()))
}

/// An object that was printed (Lambda's JSON log format) is a line, as it stands in the body; what the platform says is
/// read.
fn told(record: Record<Option<&RawValue>>) -> Option<Told> {
    let Record { time, kind, record } = record;
    let content = record.map_or("null", RawValue::get);
    let is_line = matches!(kind.as_str(), kind::FUNCTION | kind::EXTENSION) && content.starts_with('{');
    let payload = match is_line {
        true => Payload::as_it_came(&kind, Value::from(content)),
        false => Payload::read(&kind, content)?,
    };
    Some(Record { time, kind, record: payload })
}

/// True if a body (behind its bracket) begins with a record as the platform makes them, and goes on as an array does.
fn reads_alone(body: &[u8]) -> bool {
    first_unread(body).is_some_and(|(record, length)| {
        let is_usual = record.record.is_some_and(|content| content.get().starts_with(['"', '{']));
        let rest = body[length..].trim_ascii();
        is_usual && told(record).is_some() && matches!(rest, [b']'] | [b',', ..])
    })
}

fn read(element: &[u8]) -> Option<Told> {
    told(serde_json::from_slice(element).ok()?)
}

/// One record and nothing else. Text that is not UTF-8 is kept with replacement characters.
fn record(element: &[u8]) -> Option<Told> {
    read(element).or_else(|| read(String::from_utf8_lossy(element).as_bytes()))
}

/// A broken element must not cost more than a few looks.
const CANDIDATES_MAX: usize = 16;
/// Between two records. Inside a text it would be written with backslashes.
const BETWEEN: &[u8] = br#"},{"t"#;

/// Where, inside what was taken for one element, the next record begins: the last part of a cut record ends in a
/// quote that opens a string to who has not seen the first part.
fn next_record(bytes: &[u8], element_bytes: usize) -> Option<usize> {
    let places = bytes[..element_bytes].windows(BETWEEN.len()).enumerate();
    let mut commas =
        places.filter(|(_, window)| *window == BETWEEN).map(|(at, _)| at + 1).take(CANDIDATES_MAX);
    commas.find(|comma| {
        first(&bytes[comma + 1..], &mut Vec::new()).is_some_and(|(record, _)| !record.kind.is_empty())
    })
}

/// True if the content begins in the middle of a value.
fn is_last_part(element: &[u8]) -> bool {
    envelope::length(element)
        .is_some_and(|length| !matches!(element.get(length), Some(b'"' | b'{' | b'[') | None))
}

fn last_part(element: &[u8]) -> Element {
    let known = envelope::length(element).and_then(|length| {
        let (envelope, content) = element.split_at(length);
        Some(Record { record: salvage::end(content)?, ..envelope::read(envelope)? })
    });
    known.map_or(Element::Unreadable, |record| Element::Part(record, Missing::Beginning))
}

#[cfg(test)]
mod tests;
