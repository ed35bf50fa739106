//! When a batch is ready: at its item, byte or time limit, whichever comes first. Time is an argument.

use std::time::{Duration, Instant};

use lambda_api::telemetry::Buffering;

/// One record as it will stand in a POST's array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// `{"time":…,"type":…,"record":`
    pub(crate) envelope: String,
    /// The value after it; the closing brace is added on the wire.
    pub(crate) value: String,
}

impl Item {
    /// Bytes on the wire, without the comma.
    pub(crate) fn bytes(&self) -> usize {
        self.envelope.len() + self.value.len() + 1
    }
}

/// Records that wait for their POST.
#[derive(Debug)]
pub(crate) struct Buffer {
    items_max: usize,
    bytes_max: usize,
    timeout: Duration,
    items: Vec<Item>,
    bytes: usize,
    opened: Option<Instant>,
}

impl Buffer {
    pub(crate) fn new(limits: &Buffering) -> Self {
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            items_max: whole(limits.items()),
            bytes_max: whole(limits.bytes()),
            timeout: Duration::from_millis(limits.timeout_ms()),
            items: Vec::new(),
            bytes: 0,
            opened: None,
        }
    }

    /// Adds a record. The size is checked after the append, so a batch is over its limit by up to one record.
    pub(crate) fn push(&mut self, now: Instant, item: Item) {
        self.opened.get_or_insert(now);
        self.bytes += item.bytes();
        self.items.push(item);
    }

    /// Whether a limit other than time is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= self.items_max || self.bytes >= self.bytes_max
    }

    /// When the batch is to be sent if nothing more comes: `now` or earlier if it is full, never if it is empty.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let opened = self.opened?;
        Some(if self.is_full() { now } else { opened + self.timeout })
    }

    /// Takes all records; the next one opens a new batch.
    pub(crate) fn take(&mut self) -> Vec<Item> {
        self.bytes = 0;
        self.opened = None;
        std::mem::take(&mut self.items)
    }

    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer() -> Buffer {
        Buffer::new(&Buffering { max_items: Some(1_000), max_bytes: None, timeout_ms: Some(100) })
    }

    fn record(bytes: usize) -> Item {
        Item { envelope: String::new(), value: "x".repeat(bytes - 1) }
    }

    #[test]
    fn an_empty_buffer_is_never_due() {
        assert_eq!(buffer().due(Instant::now()), None);
    }

    #[test]
    fn the_first_record_starts_the_clock() {
        let mut buffer = buffer();
        let start = Instant::now();
        buffer.push(start, record(10));
        buffer.push(start + Duration::from_millis(90), record(10));
        assert_eq!(buffer.due(start), Some(start + Duration::from_millis(100)));
        assert_eq!(buffer.take().len(), 2);
        assert_eq!(buffer.due(start), None);
    }

    #[test]
    fn the_thousandth_record_makes_it_due_at_once() {
        let mut buffer = buffer();
        let now = Instant::now();
        for _ in 0..999 {
            buffer.push(now, record(10));
        }
        assert!(!buffer.is_full());
        buffer.push(now, record(10));
        assert_eq!((buffer.is_full(), buffer.due(now)), (true, Some(now)));
    }

    #[test]
    fn the_byte_limit_is_overshot_by_one_record() {
        let mut buffer = buffer();
        let now = Instant::now();
        buffer.push(now, record(262_143));
        assert!(!buffer.is_full());
        buffer.push(now, record(50_000));
        assert!(buffer.is_full());
    }
}
