//! The delivery account: what a sandbox received, shipped, shed and lost so far, with reasons. The owner of the
//! pipeline counts here; a copy travels in every batch, so that a query can prove what is missing and why.

use wire::Account;

/// Why records never left the sandbox. The words are stored and queried (`account.lost.<word>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The platform dropped them before delivery (`platform.logsDropped`); counted in records.
    Platform,
    /// An array element that is no record: broken JSON, a wrong type; counted in elements.
    Unreadable,
    /// A delivered body that is no array at all, so nobody knows how many records it held; counted in bodies.
    UnreadableBody,
    /// Handling them panicked: a fault of ours; counted in records.
    Panic,
    /// No room was left for batches that the stream did not take; counted in events.
    Backlog,
    /// The stream refused the batch for good (too large, not valid); counted in events.
    Refused,
    /// The sandbox ended before the stream took them; counted in events.
    Shutdown,
}

impl Reason {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Unreadable => "unreadable",
            Self::UnreadableBody => "unreadable_body",
            Self::Panic => "panic",
            Self::Backlog => "backlog",
            Self::Refused => "refused",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Counts. Totals only grow, and stop at `u64::MAX`.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    totals: Account,
}

impl Ledger {
    /// The platform delivered these records, readable or not.
    pub fn received(&mut self, records: u64) {
        grow(&mut self.totals.received, records);
    }

    /// These values were replaced before anything left the sandbox.
    pub fn scrubbed(&mut self, values: u64) {
        grow(&mut self.totals.scrubbed, values);
    }

    /// Records or events (see [`Reason`]) are gone.
    pub fn lost(&mut self, reason: Reason, count: u64) {
        if count > 0 {
            grow(self.totals.lost.entry(reason.as_str().to_owned()).or_default(), count);
        }
    }

    /// The account to send now: what was counted here, and what the exporter has counted on its side.
    pub fn with(&self, delivery: &Delivery) -> Account {
        let mut account = self.totals.clone();
        grow(&mut account.shipped, delivery.shipped);
        grow(&mut account.retried, delivery.retried);
        for (reason, count) in [(Reason::Backlog, delivery.lost_backlog), (Reason::Refused, delivery.lost_refused)] {
            if count > 0 {
                grow(account.lost.entry(reason.as_str().to_owned()).or_default(), count);
            }
        }
        account
    }
}

/// The exporter's own totals: it runs beside the pipeline and publishes them as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Events in batches that the stream acknowledged.
    pub shipped: u64,
    /// Batches sent more than once, one for each time.
    pub retried: u64,
    /// Events given up because the backlog was full.
    pub lost_backlog: u64,
    /// Events in batches that the stream refused for good.
    pub lost_refused: u64,
}

fn grow(total: &mut u64, by: u64) {
    *total = total.saturating_add(by);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_counts_meet_in_one_account() {
        let mut ledger = Ledger::default();
        ledger.received(10);
        ledger.scrubbed(2);
        ledger.lost(Reason::Unreadable, 1);
        ledger.lost(Reason::Unreadable, 1);
        ledger.lost(Reason::Panic, 0);
        let account = ledger.with(&Delivery { shipped: 7, retried: 3, lost_backlog: 4, lost_refused: 0 });
        assert_eq!((account.received, account.scrubbed, account.shipped, account.retried), (10, 2, 7, 3));
        let lost: Vec<_> = account.lost.into_iter().collect();
        assert_eq!(lost, [("backlog".to_owned(), 4), ("unreadable".to_owned(), 2)]);
    }

    #[test]
    fn totals_stop_at_the_end_of_their_range() {
        let mut ledger = Ledger::default();
        ledger.received(u64::MAX);
        ledger.received(1);
        assert_eq!(ledger.with(&Delivery::default()).received, u64::MAX);
    }
}
