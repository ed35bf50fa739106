//! When a batch is ready: by count, by bytes or by the batching window, whatever comes first.
//!
//! Time is an argument; the shard's task asks and sleeps.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::record::{PAYLOAD_BYTES_MAX, Record};

/// Bytes of an event around its records: `{"Records":[]}`.
const ENVELOPE_BYTES: usize = 16;

/// What ends a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) records_max: usize,
    /// From the first waiting record on; zero takes what is there.
    pub(super) window: Duration,
}

/// Whether a batch can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Nothing waits.
    Empty,
    /// Records wait; they are a batch at this moment at the latest.
    At(Instant),
    /// Take one.
    Now,
}

/// Records read and not yet invoked with. Filled only while [`Buffer::room`] says so, so that it holds at most
/// one answer of `GetRecords` (10 MB) more than a batch.
#[derive(Debug)]
pub(super) struct Buffer {
    limits: Limits,
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    record: Record,
    event_bytes: usize,
    since: Instant,
}

impl Buffer {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, waiting: VecDeque::new(), bytes: 0 }
    }

    /// How many records may still be read before the next batch is full.
    pub(super) fn room(&self) -> usize {
        if self.is_full() { 0 } else { self.limits.records_max.saturating_sub(self.waiting.len()) }
    }

    /// Adds a record that needs up to `event_bytes` in the event.
    pub(super) fn push(&mut self, now: Instant, record: Record, event_bytes: usize) {
        self.bytes = self.bytes.saturating_add(event_bytes);
        self.waiting.push_back(Waiting { record, event_bytes, since: now });
    }

    /// Whether the next batch is ready. The window runs from the oldest record that waits.
    pub(super) fn poll(&self, now: Instant) -> Readiness {
        let Some(oldest) = self.waiting.front() else { return Readiness::Empty };
        let due = oldest.since + self.limits.window;
        if self.is_full() || due <= now { Readiness::Now } else { Readiness::At(due) }
    }

    /// The next batch in order: as many records as fit, at least one if any waits.
    pub(super) fn take(&mut self) -> Vec<Record> {
        let mut batch = Vec::new();
        let mut bytes = ENVELOPE_BYTES;
        while let Some(next) = self.waiting.front() {
            let fits = bytes.saturating_add(next.event_bytes) <= PAYLOAD_BYTES_MAX;
            if batch.len() >= self.limits.records_max || !(fits || batch.is_empty()) {
                break;
            }
            let Some(next) = self.waiting.pop_front() else { break };
            bytes = bytes.saturating_add(next.event_bytes);
            self.bytes = self.bytes.saturating_sub(next.event_bytes);
            batch.push(next.record);
        }
        batch
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= self.limits.records_max
            || self.bytes.saturating_add(ENVELOPE_BYTES) >= PAYLOAD_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_source::fixture::records;

    fn buffer(records_max: usize, window_ms: u64) -> Buffer {
        Buffer::new(Limits { records_max, window: Duration::from_millis(window_ms) })
    }

    fn fill(buffer: &mut Buffer, now: Instant, count: usize, event_bytes: usize) {
        for record in records(count) {
            buffer.push(now, record, event_bytes);
        }
    }

    #[test]
    fn without_a_window_what_is_there_is_a_batch() {
        let (mut buffer, now) = (buffer(100, 0), Instant::now());
        assert_eq!(buffer.poll(now), Readiness::Empty);
        fill(&mut buffer, now, 3, 500);
        assert_eq!(buffer.poll(now), Readiness::Now);
        assert_eq!(buffer.take().len(), 3);
        assert_eq!(buffer.poll(now), Readiness::Empty);
    }

    #[test]
    fn the_window_runs_from_the_oldest_record() {
        let (mut buffer, start) = (buffer(100, 1_000), Instant::now());
        fill(&mut buffer, start, 1, 500);
        fill(&mut buffer, start + Duration::from_millis(900), 1, 500);
        let due = start + Duration::from_millis(1_000);
        assert_eq!(buffer.poll(start + Duration::from_millis(999)), Readiness::At(due));
        assert_eq!(buffer.poll(due), Readiness::Now);
    }

    #[test]
    fn a_full_batch_does_not_wait_and_leaves_the_rest() {
        let (mut buffer, now) = (buffer(2, 60_000), Instant::now());
        fill(&mut buffer, now, 5, 500);
        assert_eq!(buffer.room(), 0);
        assert_eq!(buffer.poll(now), Readiness::Now);
        assert_eq!(
            buffer.take().iter().map(|record| record.sequence.as_str()).collect::<Vec<_>>(),
            ["100", "101"]
        );
        assert_eq!((buffer.take().len(), buffer.take().len()), (2, 1));
    }

    #[test]
    fn six_megabytes_end_a_batch() {
        let (mut buffer, now) = (buffer(100, 60_000), Instant::now());
        fill(&mut buffer, now, 4, 2 * 1024 * 1024);
        assert_eq!(buffer.poll(now), Readiness::Now);
        assert_eq!(buffer.take().len(), 2);
        assert_eq!(buffer.take().len(), 2);
    }

    #[test]
    fn a_record_too_large_for_any_batch_comes_alone() {
        let (mut buffer, now) = (buffer(100, 0), Instant::now());
        fill(&mut buffer, now, 2, PAYLOAD_BYTES_MAX + 1);
        assert_eq!(buffer.take().len(), 1);
        assert_eq!(buffer.take().len(), 1);
    }
}
