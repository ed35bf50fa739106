//! Sealed batches that the stream has not taken yet, oldest first, bounded in bytes.

use std::collections::VecDeque;

use pipeline::batch::Sealed;

/// Kinesis API, PutRecords: entries of one request.
const REQUEST_ENTRIES_MAX: usize = 500;

/// The queue.
#[derive(Debug)]
pub struct Backlog {
    batches: VecDeque<Sealed>,
    bytes: usize,
    bytes_max: usize,
    request_bytes_max: usize,
    /// So many requests carry one batch only: one of these batches was refused together with others.
    singly: usize,
}

/// What had to go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// How many batches.
    pub batches: u64,
    /// How many events were in them.
    pub events: u64,
}

impl Backlog {
    /// Keeps up to `bytes_max`, and gives out up to `request_bytes_max` at a time.
    pub fn new(bytes_max: usize, request_bytes_max: usize) -> Self {
        Self { batches: VecDeque::new(), bytes: 0, bytes_max, request_bytes_max, singly: 0 }
    }

    /// Takes a new batch. When there is no room, the oldest go: who looks at the data of a broken time looks for its
    /// end first, and the hole in the batches' numbers shows what is missing.
    pub fn push(&mut self, batch: Sealed) -> Dropped {
        let mut dropped = Dropped::default();
        while self.bytes + batch.bytes() > self.bytes_max {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.bytes();
            dropped.batches += 1;
            dropped.events += oldest.events;
        }
        self.bytes += batch.bytes();
        self.batches.push_back(batch);
        dropped
    }

    /// What fits one request, at least one batch if there is one. They come back by [`Self::put_back`] or not at all.
    pub fn take_request(&mut self) -> Vec<Sealed> {
        let entries_max = if self.singly > 0 { 1 } else { REQUEST_ENTRIES_MAX };
        self.singly = self.singly.saturating_sub(1);
        let mut request: Vec<Sealed> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.batches.front() {
            bytes += next.bytes();
            if !request.is_empty() && (bytes > self.request_bytes_max || request.len() == entries_max) {
                break;
            }
            self.bytes -= next.bytes();
            request.extend(self.batches.pop_front());
        }
        request
    }

    /// Repeats come first, in their order. They had their room before, so they are not dropped for lack of it now;
    /// the next new batch makes room.
    pub fn put_back(&mut self, batches: Vec<Sealed>) {
        for batch in batches.into_iter().rev() {
            self.bytes += batch.bytes();
            self.batches.push_front(batch);
        }
    }

    /// The next `requests` requests carry one batch each.
    pub fn send_singly(&mut self, requests: usize) {
        self.singly = requests;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BatchId;

    fn batch(sequence: u64, bytes: usize) -> Sealed {
        Sealed { id: BatchId { sandbox: String::new(), sequence }, events: 10, data: vec![0; bytes] }
    }

    fn sequences(batches: &[Sealed]) -> Vec<u64> {
        batches.iter().map(|batch| batch.id.sequence).collect()
    }

    #[test]
    fn the_oldest_go_when_there_is_no_room_and_are_counted() {
        let mut backlog = Backlog::new(250, 1_000);
        assert_eq!(backlog.push(batch(0, 100)), Dropped::default());
        assert_eq!(backlog.push(batch(1, 100)), Dropped::default());
        assert_eq!(backlog.push(batch(2, 200)), Dropped { batches: 2, events: 20 });
        assert_eq!(sequences(&backlog.take_request()), [2]);
    }

    #[test]
    fn one_that_is_larger_than_the_backlog_is_still_tried() {
        let mut backlog = Backlog::new(10, 10);
        backlog.push(batch(0, 100));
        assert_eq!(sequences(&backlog.take_request()), [0]);
    }

    #[test]
    fn requests_are_bounded_in_bytes_and_entries() {
        let mut backlog = Backlog::new(10_000, 250);
        for sequence in 0..3 {
            backlog.push(batch(sequence, 100));
        }
        assert_eq!(sequences(&backlog.take_request()), [0, 1]);
        for sequence in 3..600 {
            backlog.push(batch(sequence, 0));
        }
        assert_eq!(backlog.take_request().len(), REQUEST_ENTRIES_MAX);
    }

    #[test]
    fn what_failed_goes_first_in_its_order() {
        let mut backlog = Backlog::new(10_000, 10_000);
        for sequence in 0..3 {
            backlog.push(batch(sequence, 1));
        }
        let mut request = backlog.take_request();
        backlog.push(batch(3, 1));
        request.remove(1);
        backlog.put_back(request);
        assert_eq!(sequences(&backlog.take_request()), [0, 2, 3]);
    }

    #[test]
    fn after_a_refusal_batches_go_one_by_one_for_a_while() {
        let mut backlog = Backlog::new(10_000, 10_000);
        for sequence in 0..5 {
            backlog.push(batch(sequence, 1));
        }
        backlog.send_singly(2);
        assert_eq!(backlog.take_request().len(), 1);
        assert_eq!(backlog.take_request().len(), 1);
        assert_eq!(backlog.take_request().len(), 3);
    }
}
