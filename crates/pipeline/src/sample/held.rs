//! Invocations that wait for their end. Bounded in bytes, count and time.

use std::collections::VecDeque;
use std::time::Duration;

use model::{Timestamp, TraceId};

use super::Sifted;
use super::item::Item;
use crate::batch::Limits;

/// What a sandbox holds at most, estimated as for a batch: as much again as the open one. As values it takes some times
/// this in memory; hundreds of lines fit.
const BYTES_MAX: usize = Limits::PLAIN_BYTES_MAX;
/// Managed Instances run that many at a time at the most; elsewhere it is one, and one or two whose end was lost.
const HELD_MAX: usize = 1024;
/// Whoever watches a long invocation sees it with this delay at the most.
const AGE_MAX: Duration = Duration::from_secs(60);

/// One invocation's spans and logs so far.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) request_id: String,
    pub(super) trace_id: Option<TraceId>,
    pub(super) items: Vec<Item>,
    since: Timestamp,
    bytes: usize,
}

/// All that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Holder {
    held: VecDeque<Held>,
    bytes: usize,
}

impl Holder {
    /// Holds an item with its invocation, and says which one that is; what belongs to none passes.
    pub(super) fn hold(&mut self, item: Item, now: Timestamp, sifted: &mut Sifted) -> Option<String> {
        let Some(index) = self.index(&item, now) else {
            item.push_to(&mut sifted.passed);
            return None;
        };
        let held = self.held.get_mut(index)?;
        let bytes = item.bytes();
        held.trace_id = held.trace_id.or(item.trace_id());
        held.bytes += bytes;
        self.bytes += bytes;
        held.items.push(item);
        Some(held.request_id.clone())
    }

    /// An item without a request id belongs to the invocation of its trace, if one is held.
    fn index(&mut self, item: &Item, now: Timestamp) -> Option<usize> {
        let Some(request_id) = item.request_id() else {
            let trace_id = item.trace_id()?;
            return self.held.iter().position(|held| held.trace_id == Some(trace_id));
        };
        if let Some(index) = self.held.iter().rposition(|held| held.request_id == request_id) {
            return Some(index);
        }
        self.held.push_back(Held {
            request_id: request_id.to_owned(),
            trace_id: None,
            items: Vec::new(),
            since: now,
            bytes: 0,
        });
        Some(self.held.len() - 1)
    }

    pub(super) fn take(&mut self, request_id: &str) -> Option<Held> {
        let index = self.held.iter().rposition(|held| held.request_id == request_id)?;
        let held = self.held.remove(index)?;
        self.bytes -= held.bytes;
        Some(held)
    }

    pub(super) fn take_oldest(&mut self) -> Option<Held> {
        let held = self.held.pop_front()?;
        self.bytes -= held.bytes;
        Some(held)
    }

    /// The oldest, while there is too much.
    pub(super) fn over_bounds(&mut self) -> Option<Held> {
        let is_over = self.bytes > BYTES_MAX || self.held.len() > HELD_MAX;
        if is_over { self.take_oldest() } else { None }
    }

    /// The oldest, if it has waited too long; also if the clock was set back behind its beginning.
    pub(super) fn over_age(&mut self, now: Timestamp) -> Option<Held> {
        let oldest = self.held.front()?;
        let is_over = oldest.since.plus(AGE_MAX) <= now || oldest.since > now;
        if is_over { self.take_oldest() } else { None }
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        Some(self.held.front()?.since.plus(AGE_MAX))
    }
}
