//! What became of each batch, in the two counts that others live by: settled batches, for whoever waits, and events
//! by fate, for the account. Batches of a former life are in neither: they stand in that life's account.

use std::collections::BTreeSet;

use model::BatchId;
use pipeline::account::Delivery;
use pipeline::batch::{Sealed, Worth};

/// Counts of one exporter.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// This sandbox, and before it what it was called before it was made from a snapshot.
    sandboxes: Vec<String>,
    /// Batches of all of them that were handed over.
    handed_over: u64,
    /// Batches of all of them that nobody waits for any more: acknowledged, given up, or on the disk alone.
    pub(super) settled: u64,
    /// Batches of all of them that are on the disk alone.
    pub(super) put_away: u64,
    /// Read from the disk again: nobody waits for these a second time.
    lent: BTreeSet<BatchId>,
    /// Events of this sandbox that were handed over, and those of them that are on the disk alone.
    events: (u64, u64),
    /// Events of this sandbox by fate.
    pub(super) delivery: Delivery,
}

impl Tally {
    pub(super) fn new(sandbox: String) -> Self {
        Self { sandboxes: vec![sandbox], ..Self::default() }
    }

    /// The sandbox has another name from now on, and an account of its own. Batches under the old one are still ours to
    /// deliver; what becomes of them is the old one's, whose end nobody tells.
    pub(super) fn renamed(&mut self, sandbox: String) {
        self.sandboxes.push(sandbox);
        (self.events, self.delivery) = ((0, 0), Delivery::default());
    }

    /// It is ours to deliver now.
    pub(super) fn taken(&mut self, batch: &Sealed) {
        self.handed_over += 1;
        if self.is_current(batch) {
            self.events.0 = self.events.0.saturating_add(batch.events);
        }
    }

    /// The stream has it.
    pub(super) fn acknowledged(&mut self, batch: &Sealed) {
        self.settle(batch);
        if self.is_current(batch) {
            self.delivery.acknowledged += batch.events;
        } else if !self.is_ours(batch) {
            self.delivery.replayed += batch.events;
        }
    }

    /// The stream will never take it.
    pub(super) fn refused(&mut self, batch: &Sealed) {
        self.settle(batch);
        if self.is_current(batch) {
            self.delivery.lost_refused += batch.events;
        }
    }

    /// There was no room for it.
    pub(super) fn dropped(&mut self, batch: &Sealed) {
        self.settle(batch);
        self.give_up(batch);
    }

    /// It is on the disk and not in memory.
    pub(super) fn put_away(&mut self, batch: &Sealed) {
        self.settle(batch);
        self.put_away += u64::from(self.is_ours(batch));
        if self.is_current(batch) {
            self.events.1 += batch.events;
        }
    }

    /// It is in memory again.
    pub(super) fn taken_back(&mut self, batch: &Sealed) {
        if self.is_ours(batch) {
            self.leave_disk(batch);
            self.lent.insert(batch.id.clone());
        }
    }

    /// It was on the disk alone, and there is no room for it, or the disk has lost it.
    pub(super) fn dropped_from_disk(&mut self, batch: &Sealed) {
        if self.is_ours(batch) {
            self.leave_disk(batch);
            self.give_up(batch);
        }
    }

    /// It goes once more.
    pub(super) fn repeated(&mut self, batch: &Sealed) {
        self.delivery.retried += batch.events;
    }

    /// After a panic these are all that is left in memory: what is neither settled nor among them is gone.
    pub(super) fn remaining<'a>(&mut self, batches: impl Iterator<Item = &'a Sealed>) {
        let (mut waited_for, mut events) = (0, 0);
        for batch in batches {
            waited_for += u64::from(self.is_ours(batch) && !self.lent.contains(&batch.id));
            events += if self.is_current(batch) { batch.events } else { 0 };
        }
        let known = [self.delivery.acknowledged, self.delivery.given_up(), events, self.events.1];
        let known = known.into_iter().fold(0, u64::saturating_add);
        self.delivery.lost_panic += self.events.0.saturating_sub(known);
        self.settled = self.handed_over.saturating_sub(waited_for);
    }

    fn give_up(&mut self, batch: &Sealed) {
        if !self.is_current(batch) {
            return;
        }
        let events = match batch.worth {
            Worth::Debug => &mut self.delivery.shed_debug,
            Worth::Info => &mut self.delivery.shed_info,
            Worth::Warn => &mut self.delivery.shed_warn,
            Worth::Mixed | Worth::Vital => &mut self.delivery.lost_backlog,
        };
        *events += batch.events;
    }

    /// Nobody waits for it any more.
    fn settle(&mut self, batch: &Sealed) {
        self.settled += u64::from(self.is_ours(batch) && !self.lent.remove(&batch.id));
    }

    fn leave_disk(&mut self, batch: &Sealed) {
        self.put_away = self.put_away.saturating_sub(1);
        if self.is_current(batch) {
            self.events.1 = self.events.1.saturating_sub(batch.events);
        }
    }

    fn is_ours(&self, batch: &Sealed) -> bool {
        self.sandboxes.contains(&batch.id.sandbox)
    }

    fn is_current(&self, batch: &Sealed) -> bool {
        self.sandboxes.last() == Some(&batch.id.sandbox)
    }
}

#[cfg(test)]
mod tests;
