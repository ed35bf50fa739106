//! What is still to be sent, and how: which batches make the next request, who is tried again, how long to wait
//! between. Knows no stream and no clock.

use std::collections::VecDeque;
use std::time::Duration;

/// PutRecords' limits: records, and bytes with their partition keys.
const RECORDS_MAX: usize = 500;
const REQUEST_BYTES_MAX: usize = 5 * 1024 * 1024;
/// A shard that is throttled takes a megabyte a second: after so many tries with growing pauses it is not that.
const ATTEMPTS_MAX: u32 = 12;
/// The first pause; each one in a row is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A batch on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Its number in the file.
    pub(super) number: usize,
    /// Its data and partition key.
    pub(super) bytes: usize,
    attempts: u32,
    /// A request with others was refused because of one of them.
    alone: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
    /// Requests in a row of which something came back.
    setbacks: u32,
}

impl Outbox {
    /// With these batches: number and bytes, in the order in which they go out.
    pub(super) fn new(batches: impl Iterator<Item = (usize, usize)>) -> Self {
        let items = batches.map(|(number, bytes)| Item { number, bytes, attempts: 0, alone: false });
        Self { items: items.collect(), setbacks: 0 }
    }

    /// The next request; empty when all is done.
    pub(super) fn request(&mut self) -> Vec<Item> {
        let mut request: Vec<Item> = Vec::new();
        let mut bytes = 0;
        while let Some(item) = self.items.front() {
            bytes += item.bytes;
            let fits = request.len() < RECORDS_MAX && bytes <= REQUEST_BYTES_MAX;
            let joins = fits && !item.alone && !request.iter().any(|other| other.alone);
            if !request.is_empty() && !joins {
                break;
            }
            request.extend(self.items.pop_front());
        }
        request
    }

    /// The stream took something and gave nothing back.
    pub(super) fn went_well(&mut self) {
        self.setbacks = 0;
    }

    /// These come again, after the rest; those that came too often are given back.
    pub(super) fn again(&mut self, items: Vec<Item>) -> Vec<Item> {
        self.setbacks += 1;
        let tried = items.into_iter().map(|item| Item { attempts: item.attempts + 1, ..item });
        let (again, given_up) = tried.partition::<Vec<_>, _>(|item| item.attempts < ATTEMPTS_MAX);
        self.items.extend(again);
        given_up
    }

    /// A request was refused as a whole: each of its batches goes alone, so that one costs only itself. One that went
    /// alone already is given back.
    pub(super) fn alone(&mut self, mut items: Vec<Item>) -> Option<Item> {
        if items.len() == 1 {
            return items.pop();
        }
        self.items.extend(items.into_iter().map(|item| Item { alone: true, ..item }));
        None
    }

    /// How long to wait before the next request.
    pub(super) fn pause(&self) -> Option<Duration> {
        let doublings = self.setbacks.checked_sub(1)?;
        Some(PAUSE.saturating_mul(1 << doublings.min(16)).min(PAUSE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(sizes: &[usize]) -> Outbox {
        Outbox::new(sizes.iter().copied().enumerate())
    }

    fn numbers(request: &[Item]) -> Vec<usize> {
        request.iter().map(|item| item.number).collect()
    }

    #[test]
    fn requests_keep_the_limits_and_the_order() {
        let mut large = outbox(&[3 << 20, 2 << 20, 1, 6 << 20, 1]);
        let requests: Vec<_> =
            std::iter::from_fn(|| Some(large.request()).filter(|it| !it.is_empty())).collect();
        assert_eq!(
            requests.iter().map(|it| numbers(it)).collect::<Vec<_>>(),
            [vec![0, 1], vec![2], vec![3], vec![4]]
        );
        let mut many = outbox(&[1; 501]);
        assert_eq!((many.request().len(), many.request().len(), many.request().len()), (500, 1, 0));
    }

    #[test]
    fn what_comes_back_goes_again_after_the_rest_and_not_for_ever() {
        let mut outbox = outbox(&[1, 1, REQUEST_BYTES_MAX]);
        let request = outbox.request();
        assert!(outbox.again(request[1..].to_vec()).is_empty());
        assert_eq!(numbers(&outbox.request()), [2]);
        for _ in 2..ATTEMPTS_MAX {
            let request = outbox.request();
            assert!(outbox.again(request).is_empty());
        }
        let request = outbox.request();
        assert_eq!(numbers(&outbox.again(request)), [1]);
        assert!(outbox.request().is_empty());
    }

    #[test]
    fn one_that_is_refused_costs_only_itself() {
        let mut outbox = outbox(&[1, 1]);
        let request = outbox.request();
        assert_eq!(outbox.alone(request), None);
        let first = outbox.request();
        assert_eq!(numbers(&first), [0]);
        assert_eq!(outbox.alone(first).map(|item| item.number), Some(0));
        assert_eq!(numbers(&outbox.request()), [1]);
    }

    #[test]
    fn pauses_grow_with_each_setback_and_end_with_a_success() {
        let mut outbox = outbox(&[1; 3]);
        assert_eq!(outbox.pause(), None);
        outbox.again(Vec::new());
        assert_eq!(outbox.pause(), Some(PAUSE));
        for _ in 0..40 {
            outbox.again(Vec::new());
        }
        assert_eq!(outbox.pause(), Some(PAUSE_MAX));
        outbox.went_well();
        assert_eq!(outbox.pause(), None);
    }
}
