//! A record that the platform cut over two POSTs (or more) is made whole again.
//!
//! The first POST ends inside the record's content, closed with `}]` as if nothing were missing; the next one begins
//! with the record's envelope again and goes on where the content was cut. Neither is JSON. Source: the payloads in
//! <https://github.com/DataDog/datadog-lambda-extension/pull/1357>.

use std::time::Duration;

use lambda_api::telemetry::Record;
use model::Timestamp;

use super::scan::Scan;
use super::{Element, Missing, Told, envelope, salvage};

/// As much as one POST may bring. No log line is larger: Lambda's JSON lines end at 1 MB.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The other part is the very next POST, and the platform sends that every 25 ms.
const HELD_MAX: Duration = Duration::from_secs(1);
/// The collector looks every [`HELD_MAX`] while it holds something. If it was away for longer, the sandbox was frozen,
/// and the other part is still to come.
const AWAY: Duration = Duration::from_secs(3);

/// What the platform puts behind the first part.
const FRAMING: &[u8] = b"}]";

/// The first part of a cut record, at most one.
#[derive(Debug, Default)]
pub(super) struct Stitch {
    head: Option<Head>,
}

#[derive(Debug)]
struct Head {
    bytes: Vec<u8>,
    envelope_bytes: usize,
    /// Where in the record the bytes end.
    scan: Scan,
    since: Timestamp,
    looked_at: Timestamp,
}

/// What the beginning of a body is to the part that is held.
#[derive(Debug)]
pub(super) enum Join {
    /// Something else.
    Stranger,
    /// The rest of it: the record, and where in the body it ends.
    Whole(Told, usize),
    /// All of the body is a further part, and still not the last.
    Further,
}

impl Stitch {
    /// Keeps the unfinished element that ends a body. Gives back what cannot be kept: an element without an envelope,
    /// or the part that was held before, whose rest did not come.
    pub(super) fn hold(&mut self, element: &[u8], now: Timestamp) -> Option<Element> {
        let Some(envelope_bytes) = envelope::length(element) else { return Some(Element::Unreadable) };
        let bytes = element.strip_suffix(FRAMING).unwrap_or(element);
        let mut scan = Scan::default();
        if bytes.len() < envelope_bytes || scan.element_end(bytes).is_some() {
            return Some(Element::Unreadable);
        }
        let bytes = bytes.to_vec();
        let head = Head { bytes, envelope_bytes, scan, since: now, looked_at: now };
        self.head.replace(head).map(Head::give_up)
    }

    /// Whether the body (behind its opening bracket) goes on with what is held. `reads_alone` tells whether its first
    /// element is a record by itself.
    pub(super) fn join(&mut self, body: &[u8], reads_alone: impl Fn(&[u8]) -> bool) -> Join {
        let Some(head) = &mut self.head else { return Join::Stranger };
        let Some(rest) = body.strip_prefix(&head.bytes[..head.envelope_bytes]) else { return Join::Stranger };
        let mut scan = head.scan;
        match scan.element_end(rest) {
            Some(end) => {
                let whole = [&head.bytes, &rest[..end]].concat();
                let Some(record) = super::record(&whole) else { return Join::Stranger };
                let end = head.envelope_bytes + end;
                self.head = None;
                Join::Whole(record, end)
            }
            None if reads_alone(body) || head.bytes.len() + rest.len() > HELD_BYTES_MAX => Join::Stranger,
            None => {
                let part = rest.strip_suffix(FRAMING).unwrap_or(rest);
                head.scan.element_end(part);
                head.bytes.extend_from_slice(part);
                Join::Further
            }
        }
    }

    /// When to ask [`Self::release`]; none if nothing is held.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.head.as_ref().map(|head| head.since.plus(HELD_MAX))
    }

    /// What has been held too long.
    pub(super) fn release(&mut self, now: Timestamp) -> Option<Element> {
        let head = self.head.as_mut()?;
        let away = now.since(head.looked_at) > AWAY || now < head.looked_at;
        head.looked_at = now;
        if away {
            head.since = now;
        }
        if now.since(head.since) < HELD_MAX { None } else { self.close() }
    }

    /// What is held, whatever its age.
    pub(super) fn close(&mut self) -> Option<Element> {
        self.head.take().map(Head::give_up)
    }
}

impl Head {
    fn give_up(self) -> Element {
        let (envelope, content) = self.bytes.split_at(self.envelope_bytes);
        match (envelope::read(envelope), salvage::beginning(content)) {
            (Some(record), Some(content)) => {
                Element::Part(Record { record: content, ..record }, Missing::End)
            }
            _ => Element::Unreadable,
        }
    }
}
