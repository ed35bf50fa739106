//! Sealed batches that the stream has not taken yet, oldest first, bounded in bytes and count. What is on its way
//! counts as well: it is still in memory.

use std::collections::VecDeque;

use pipeline::batch::Sealed;

/// Kinesis API, PutRecords: entries of one request.
const REQUEST_ENTRIES_MAX: usize = 500;
/// Ten batches a second make this an outage of a quarter of an hour.
const BATCHES_MAX: usize = 8_192;
/// What a batch takes beside its bytes: small ones are mostly this.
const BATCH_BYTES: usize = 200;
/// From this share of its room on (a quarter) what comes next is packed so that the right part of it can go.
const STRAINED_DIVISOR: usize = 4;

/// The queue.
#[derive(Debug)]
pub struct Backlog {
    batches: VecDeque<Sealed>,
    /// Of everything that is not settled, also of what was taken for a request.
    bytes: usize,
    bytes_max: usize,
    request_bytes_max: usize,
    /// So many requests carry one batch only: one of these batches was refused together with others.
    singly: usize,
}

impl Backlog {
    /// Keeps up to `bytes_max`, and gives out up to `request_bytes_max` at a time.
    pub fn new(bytes_max: usize, request_bytes_max: usize) -> Self {
        Self { batches: VecDeque::new(), bytes: 0, bytes_max, request_bytes_max, singly: 0 }
    }

    /// Takes a new batch. When there is no room, batches go: those of the least worth first, of these the oldest,
    /// because who looks at the data of a broken time looks for its end first. The hole in the batches' numbers shows
    /// what is missing. Returns those that had to go. The sandbox's last word is small, and makes nobody go: what it
    /// tells would not be true any more.
    pub fn push(&mut self, batch: Sealed) -> Vec<Sealed> {
        let is_account = batch.is_account();
        self.bytes += weight(&batch);
        self.batches.push_back(batch);
        let mut dropped = Vec::new();
        if is_account {
            return dropped;
        }
        while self.batches.len() > BATCHES_MAX || (self.bytes > self.bytes_max && self.batches.len() > 1) {
            let least = self.batches.iter().enumerate().min_by_key(|(at, batch)| (batch.worth, *at));
            let Some((at, _)) = least else { break };
            let Some(batch) = self.batches.remove(at) else { break };
            self.bytes -= weight(&batch);
            dropped.push(batch);
        }
        dropped
    }

    /// What fits one request, at least one batch if there is one. Each of them comes back by [`Self::put_back`] or is
    /// [settled](Self::settle).
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
            request.extend(self.batches.pop_front());
        }
        request
    }

    /// One batch to try the stream with.
    pub fn take_one(&mut self) -> Vec<Sealed> {
        self.batches.pop_front().into_iter().collect()
    }

    /// A batch that was given out is done with.
    pub fn settle(&mut self, batch: &Sealed) {
        self.bytes = self.bytes.saturating_sub(weight(batch));
    }

    /// Repeats come first, in their order. They had their room before, so they are not dropped for lack of it now;
    /// the next new batch makes room.
    pub fn put_back(&mut self, batches: Vec<Sealed>) {
        batches.into_iter().rev().for_each(|batch| self.batches.push_front(batch));
    }

    /// The next `requests` requests carry one batch each.
    pub fn send_singly(&mut self, requests: usize) {
        self.singly = requests;
    }

    /// Whether nothing is left to be sent.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Of everything that is not settled, also of what was given out.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How much more may come until some of it may have to go.
    pub fn room_bytes(&self) -> usize {
        if self.batches.len() > BATCHES_MAX / STRAINED_DIVISOR {
            return 0;
        }
        (self.bytes_max / STRAINED_DIVISOR).saturating_sub(self.bytes)
    }

    /// All that waits, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Sealed> {
        self.batches.iter()
    }

    /// When nothing is given out: weighs everything anew.
    pub fn recount(&mut self) {
        self.bytes = self.batches.iter().map(weight).sum();
    }
}

fn weight(batch: &Sealed) -> usize {
    batch.bytes() + BATCH_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BatchId;
    use pipeline::batch::Worth;
    use proptest::prelude::*;

    fn batch(sequence: u64, bytes: usize) -> Sealed {
        worth(Worth::Mixed, sequence, bytes)
    }

    fn worth(worth: Worth, sequence: u64, bytes: usize) -> Sealed {
        let id = BatchId { sandbox: String::new(), sequence };
        Sealed { id, events: 10, worth, data: vec![0; bytes] }
    }

    fn sequences(batches: &[Sealed]) -> Vec<u64> {
        batches.iter().map(|batch| batch.id.sequence).collect()
    }

    #[test]
    fn the_oldest_go_when_there_is_no_room() {
        let mut backlog = Backlog::new(250 + 2 * BATCH_BYTES, 1_000);
        assert!(backlog.push(batch(0, 100)).is_empty());
        assert!(backlog.push(batch(1, 100)).is_empty());
        assert_eq!(sequences(&backlog.push(batch(2, 200))), [0, 1]);
        assert_eq!(sequences(&backlog.take_request()), [2]);
    }

    #[test]
    fn debug_goes_before_info_before_warnings_and_errors_last() {
        let mut backlog = Backlog::new(4 * (100 + BATCH_BYTES), 10_000);
        let worths = [Worth::Vital, Worth::Warn, Worth::Info, Worth::Debug, Worth::Vital, Worth::Info];
        let mut dropped = Vec::new();
        for (sequence, of) in (0..).zip(worths) {
            dropped.extend(backlog.push(worth(of, sequence, 100)));
        }
        assert_eq!(sequences(&dropped), [3, 2]);
        assert_eq!(sequences(&backlog.push(worth(Worth::Debug, 6, 100))), [6], "the new one itself");
        let vital = [7, 8, 9].map(|sequence| sequences(&backlog.push(worth(Worth::Vital, sequence, 100))));
        assert_eq!(vital.concat(), [5, 1, 0], "then the oldest of the vital ones");
        assert_eq!(sequences(&backlog.take_request()), [4, 7, 8, 9]);
    }

    #[test]
    fn what_is_on_its_way_takes_room_until_it_is_settled() {
        let mut backlog = Backlog::new(250 + 2 * BATCH_BYTES, 1_000);
        backlog.push(batch(0, 200));
        let request = backlog.take_request();
        assert_eq!(backlog.room_bytes(), 0);
        backlog.push(batch(1, 100));
        assert_eq!(sequences(&backlog.push(batch(2, 100))), [1]);
        backlog.settle(&request[0]);
        assert!(backlog.push(batch(3, 100)).is_empty());
    }

    #[test]
    fn the_last_word_makes_nobody_go_and_stays() {
        let mut backlog = Backlog::new(100 + BATCH_BYTES, 1_000);
        backlog.push(worth(Worth::Debug, 0, 100));
        let account = Sealed { events: 0, ..worth(Worth::Vital, 1, 50) };
        assert!(backlog.push(account).is_empty());
        assert_eq!(sequences(&backlog.take_request()), [0, 1]);
    }

    #[test]
    fn many_small_batches_are_bounded_too() {
        let mut backlog = Backlog::new(usize::MAX, 1_000);
        let batches = BATCHES_MAX as u64 + 100;
        let dropped: usize = (0..batches).map(|sequence| backlog.push(batch(sequence, 1)).len()).sum();
        assert_eq!(dropped, 100);
    }

    #[test]
    fn one_that_is_larger_than_the_backlog_is_still_tried() {
        let mut backlog = Backlog::new(10, 10);
        backlog.push(batch(0, 100));
        assert_eq!(sequences(&backlog.take_request()), [0]);
    }

    #[test]
    fn requests_are_bounded_in_bytes_and_entries() {
        let mut backlog = Backlog::new(1_000_000, 250);
        for sequence in 0..3 {
            backlog.push(batch(sequence, 100));
        }
        assert_eq!(sequences(&backlog.take_request()), [0, 1]);
        for sequence in 3..600 {
            backlog.push(batch(sequence, 0));
        }
        assert_eq!(backlog.take_request().len(), REQUEST_ENTRIES_MAX);
        assert_eq!(backlog.take_one().len(), 1);
    }

    #[test]
    fn what_failed_goes_first_in_its_order() {
        let mut backlog = Backlog::new(10_000, 10_000);
        for sequence in 0..3 {
            backlog.push(batch(sequence, 1));
        }
        let mut request = backlog.take_request();
        backlog.push(batch(3, 1));
        backlog.settle(&request.remove(1));
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

    /// What can happen to a backlog.
    #[derive(Debug, Clone)]
    enum Op {
        Push(Worth, usize),
        /// A request whose answer takes every n-th batch.
        Send(usize),
        Probe,
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let worths = [Worth::Debug, Worth::Info, Worth::Warn, Worth::Mixed, Worth::Vital];
        let push = (proptest::sample::select(worths.to_vec()), 0_usize..400);
        let op = prop_oneof![
            4 => push.prop_map(|(worth, bytes)| Op::Push(worth, bytes)),
            1 => (1_usize..4).prop_map(Op::Send),
            1 => Just(Op::Probe),
        ];
        proptest::collection::vec(op, 0..120)
    }

    proptest! {
        #[test]
        fn every_batch_is_here_settled_or_dropped_and_the_lesser_go_first(ops in ops()) {
            let bytes_max = 4 * (400 + BATCH_BYTES);
            let mut backlog = Backlog::new(bytes_max, 1_000);
            let (mut pushed, mut settled, mut dropped) = (0_u64, 0, 0);
            for op in ops {
                let (request, every) = match op {
                    Op::Push(of, bytes) => {
                        let gone = backlog.push(worth(of, pushed, bytes));
                        pushed += 1;
                        for batch in &gone {
                            prop_assert!(backlog.iter().all(|kept| kept.worth >= batch.worth));
                        }
                        dropped += gone.len() as u64;
                        prop_assert!(backlog.bytes <= bytes_max || backlog.batches.len() == 1);
                        continue;
                    }
                    Op::Send(every) => (backlog.take_request(), every),
                    Op::Probe => (backlog.take_one(), 1),
                };
                let (taken, failed): (Vec<_>, Vec<_>) =
                    request.into_iter().enumerate().partition(|(at, _)| at % every == 0);
                for (_, batch) in &taken {
                    backlog.settle(batch);
                    settled += 1;
                }
                backlog.put_back(failed.into_iter().map(|(_, batch)| batch).collect());
            }
            prop_assert_eq!(pushed, settled + dropped + backlog.iter().count() as u64);
            let (counted, weighed) = (backlog.bytes, backlog.iter().map(weight).sum::<usize>());
            prop_assert_eq!(counted, weighed);
            let order = sequences(&backlog.batches.iter().cloned().collect::<Vec<_>>());
            prop_assert!(order.is_sorted(), "repeats keep their place: {:?}", order);
        }
    }
}
