//! Batches that the second destination has not taken yet, oldest first, bounded in bytes; the oldest one taken apart
//! into its requests.

use std::collections::VecDeque;
use std::sync::Arc;

use pipeline::batch::Sealed;
use wire::Limits;

use super::request::Parcel;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    batches: VecDeque<Sealed>,
    bytes: usize,
    bytes_max: usize,
    /// What is left to send of the batch that is being sent.
    parcels: VecDeque<Arc<Parcel>>,
    open: bool,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { batches: VecDeque::new(), bytes: 0, bytes_max, parcels: VecDeque::new(), open: false }
    }

    /// Takes a new batch; where there is no room the oldest go. Returns those that had to.
    pub(super) fn push(&mut self, batch: Sealed) -> Vec<Sealed> {
        let mut dropped = Vec::new();
        while self.bytes + batch.bytes() > self.bytes_max {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.bytes();
            dropped.push(oldest);
        }
        self.bytes += batch.bytes();
        self.batches.push_back(batch);
        dropped
    }

    /// The next request of the batch at the front; none at the batch's end, and without one. It comes back by
    /// [`Self::put_back`] or not at all.
    pub(super) fn parcel(&mut self) -> Option<Arc<Parcel>> {
        if !self.open {
            let batch = self.batches.pop_front()?;
            self.bytes -= batch.bytes();
            self.open = true;
            // Our own bytes are always readable.
            let requests = wire::copy::requests(&batch.data, pipeline::parse::printed, &Limits::default())
                .unwrap_or_default();
            // Events are counted with the batch's first request: how many are in which only a reader could tell.
            let mut events = batch.events;
            self.parcels.extend(requests.into_iter().map(|(signal, plain)| {
                let body = wire::compress(&plain);
                Arc::new(Parcel { signal, body, events: std::mem::take(&mut events) })
            }));
        }
        self.parcels.pop_front()
    }

    /// True, once, for a batch whose last request is gone.
    pub(super) fn finish_batch(&mut self) -> bool {
        self.parcels.is_empty() && std::mem::take(&mut self.open)
    }

    /// What was not taken comes first.
    pub(super) fn put_back(&mut self, parcel: Arc<Parcel>) {
        self.parcels.push_front(parcel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BatchId;
    use pipeline::batch::Worth;

    fn batch(sequence: u64, bytes: usize) -> Sealed {
        let id = BatchId { sandbox: "5a".repeat(16), sequence };
        Sealed { id, events: 1, worth: Worth::Mixed, data: vec![0; bytes - 32] }
    }

    #[test]
    fn the_oldest_go_where_there_is_no_room() {
        let mut queue = Queue::new(200);
        assert_eq!([queue.push(batch(0, 100)), queue.push(batch(1, 100))], [[], []]);
        assert_eq!(queue.push(batch(2, 150)), [batch(0, 100), batch(1, 100)]);
    }

    #[test]
    fn a_batch_without_requests_is_finished_once() {
        let mut queue = Queue::new(200);
        queue.push(batch(0, 100));
        assert!(queue.parcel().is_none());
        assert!(queue.finish_batch());
        assert!(!queue.finish_batch());
    }
}
