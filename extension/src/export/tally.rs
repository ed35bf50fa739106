//! What became of each batch, in the two counts that others live by: settled batches, for whoever waits, and events
//! by fate, for the account. Batches of a former life are in neither: they stand in that life's account.

use pipeline::account::Delivery;
use pipeline::batch::{Sealed, Worth};

/// Counts of one exporter.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// This sandbox, and what it was called before it was made from a snapshot.
    sandboxes: Vec<String>,
    /// Of our own: batches and events that were handed over.
    taken: (u64, u64),
    /// Our own batches that are done with.
    pub(super) settled: u64,
    /// Events by fate.
    pub(super) delivery: Delivery,
}

impl Tally {
    pub(super) fn new(sandbox: String) -> Self {
        Self { sandboxes: vec![sandbox], ..Self::default() }
    }

    /// The sandbox has another name from now on; batches under the old one are still its own.
    pub(super) fn renamed(&mut self, sandbox: String) {
        self.sandboxes.push(sandbox);
    }

    fn is_ours(&self, batch: &Sealed) -> bool {
        self.sandboxes.contains(&batch.id.sandbox)
    }

    /// It is ours to deliver now.
    pub(super) fn taken(&mut self, batch: &Sealed) {
        self.taken.0 += 1;
        self.taken.1 = self.taken.1.saturating_add(batch.events);
    }

    /// The stream has it.
    pub(super) fn acknowledged(&mut self, batch: &Sealed) {
        if self.settle(batch) {
            self.delivery.acknowledged += batch.events;
        } else {
            self.delivery.replayed += batch.events;
        }
    }

    /// The stream will never take it.
    pub(super) fn refused(&mut self, batch: &Sealed) {
        if self.settle(batch) {
            self.delivery.lost_refused += batch.events;
        }
    }

    /// There was no room for it.
    pub(super) fn dropped(&mut self, batch: &Sealed) {
        if !self.settle(batch) {
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

    /// It goes once more.
    pub(super) fn repeated(&mut self, batch: &Sealed) {
        self.delivery.retried += batch.events;
    }

    /// After a panic these are all that is left: what is neither settled nor among them is gone.
    pub(super) fn remaining<'a>(&mut self, batches: impl Iterator<Item = &'a Sealed>) {
        let ours = batches.filter(|batch| self.is_ours(batch));
        let (left, events) = ours.fold((0, 0), |(count, events), batch| (count + 1, events + batch.events));
        let known =
            self.delivery.acknowledged.saturating_add(self.delivery.given_up()).saturating_add(events);
        self.delivery.lost_panic += self.taken.1.saturating_sub(known);
        self.settled = self.taken.0.saturating_sub(left);
    }

    /// Whether it is one of our own.
    fn settle(&mut self, batch: &Sealed) -> bool {
        let ours = self.is_ours(batch);
        self.settled += u64::from(ours);
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BatchId;

    fn batch(sandbox: &str, worth: Worth) -> Sealed {
        Sealed {
            id: BatchId { sandbox: sandbox.to_owned(), sequence: 0 },
            events: 10,
            worth,
            data: Vec::new(),
        }
    }

    #[test]
    fn every_fate_settles_a_batch_and_has_its_own_count() {
        let mut tally = Tally::new("a".to_owned());
        for worth in [Worth::Debug, Worth::Info, Worth::Warn, Worth::Mixed, Worth::Vital] {
            tally.taken(&batch("a", worth));
            tally.dropped(&batch("a", worth));
        }
        tally.refused(&batch("a", Worth::Mixed));
        tally.acknowledged(&batch("a", Worth::Mixed));
        let Delivery { shed_debug, shed_info, shed_warn, lost_backlog, lost_refused, acknowledged, .. } =
            tally.delivery;
        assert_eq!([shed_debug, shed_info, shed_warn, lost_backlog], [10, 10, 10, 20]);
        assert_eq!((lost_refused, acknowledged, tally.settled), (10, 10, 7));
    }

    #[test]
    fn a_former_lifes_batch_is_only_replayed() {
        let mut tally = Tally::new("a".to_owned());
        tally.acknowledged(&batch("b", Worth::Mixed));
        tally.dropped(&batch("b", Worth::Mixed));
        tally.refused(&batch("b", Worth::Mixed));
        assert_eq!((tally.settled, tally.delivery.replayed, tally.delivery.given_up()), (0, 10, 0));
    }

    #[test]
    fn a_sandbox_that_was_renamed_still_owns_its_batches() {
        let mut tally = Tally::new("a".to_owned());
        tally.renamed("b".to_owned());
        tally.acknowledged(&batch("a", Worth::Mixed));
        tally.acknowledged(&batch("b", Worth::Mixed));
        assert_eq!((tally.settled, tally.delivery.acknowledged), (2, 20));
    }

    #[test]
    fn what_a_panic_made_away_with_is_counted() {
        let mut tally = Tally::new("a".to_owned());
        let batches = [const { Worth::Mixed }; 4].map(|worth| batch("a", worth));
        batches.iter().for_each(|batch| tally.taken(batch));
        tally.acknowledged(&batches[0]);
        tally.remaining(batches[1..3].iter().chain([&batch("b", Worth::Mixed)]));
        assert_eq!((tally.settled, tally.delivery.lost_panic), (2, 10));
    }
}
