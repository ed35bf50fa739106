//! The delivery account: what a sandbox received, shipped, shed and lost so far, with reasons. The owner of the
//! pipeline counts here; a copy travels in every batch, so that a query can prove what is missing and why.

use obfuscation::Counts;
use wire::Account;

/// Why records never left the sandbox. The words are stored and queried (`lost.<word>`).
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
    /// No room was left for a copy of an event or a response; counted in copies.
    Payload,
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
            Self::Payload => "payload",
        }
    }
}

/// Why events were given up on purpose. The words are stored and queried (`shed.<word>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shed {
    /// Printed lines below the level that a team wants.
    Level,
    /// Parts of healthy invocations that sampling did not choose; the chosen ones say for how many they stand.
    Sampled,
    /// Trace and debug lines, to make room while the stream did not take enough.
    Debug,
    /// Info lines and lines without a level, when there were no debug lines left.
    Info,
    /// Warnings, when there was nothing less.
    Warn,
}

impl Shed {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Sampled => "sampled",
            Self::Debug => "pressure_debug",
            Self::Info => "pressure_info",
            Self::Warn => "pressure_warn",
        }
    }
}

/// The count of events that a sandbox has left behind.
const LEFT: &str = "left";

/// Counts. Totals only grow, and stop at `u64::MAX`.
///
/// Everything is counted in events (what a record turned into: a span, a log, a metric point), except what never
/// became one, which is counted as its [`Reason`] says. So `received = shipped + shed + lost + still here` holds at
/// every batch, with `lost` without `platform` and `unreadable_body`, which nobody has received.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    totals: Account,
}

impl Ledger {
    /// A record turned into so many events.
    pub fn received(&mut self, events: u64) {
        grow(&mut self.totals.received, events);
    }

    /// These values were replaced before anything left the sandbox.
    pub fn scrubbed(&mut self, counts: &Counts) {
        for (reason, values) in counts.iter() {
            grow(&mut self.totals.scrubbed, values);
            grow(self.totals.scrubbed_by.entry(reason.as_str().to_owned()).or_default(), values);
        }
    }

    /// These events were given up on purpose.
    pub fn shed(&mut self, policy: Shed, events: u64) {
        if events > 0 {
            grow(self.totals.shed.entry(policy.as_str().to_owned()).or_default(), events);
        }
    }

    /// Something is gone; what is counted is the [`Reason`]'s to say.
    pub fn lost(&mut self, reason: Reason, count: u64) {
        match reason {
            Reason::Unreadable | Reason::Panic | Reason::Payload => grow(&mut self.totals.received, count),
            Reason::Platform | Reason::UnreadableBody | Reason::Backlog | Reason::Refused => {}
        }
        add(&mut self.totals, reason, count);
    }

    /// Events that stand in [`Self::received`] already are gone: a fault of ours made away with them before they were
    /// sealed.
    pub fn lost_of_received(&mut self, events: u64) {
        add(&mut self.totals, Reason::Panic, events);
    }

    /// The account as a sandbox's last word has it, when everything that can be sent has been: what is neither
    /// acknowledged nor given up by then is told apart (`counts.left`). It may stand on the sandbox's disk.
    pub fn last_account(&self, numbered: u64, delivery: &Delivery) -> Account {
        let mut account = self.account(numbered, delivery);
        let left = account.shipped.saturating_sub(delivery.acknowledged);
        if left > 0 {
            account.counts.insert(LEFT.to_owned(), left);
        }
        account
    }

    /// The account as it stands in a batch. `numbered` events are in batches up to and with this one; `delivery` is
    /// what became of the earlier ones so far. An event in a batch on its way counts as shipped: whether it arrived
    /// shows at the reader, by the batch's number.
    pub fn account(&self, numbered: u64, delivery: &Delivery) -> Account {
        let mut account = self.totals.clone();
        account.shipped = numbered.saturating_sub(delivery.given_up());
        account.retried = delivery.retried;
        add(&mut account, Reason::Backlog, delivery.lost_backlog);
        add(&mut account, Reason::Refused, delivery.lost_refused);
        add(&mut account, Reason::Panic, delivery.lost_panic);
        shed(&mut account, Shed::Debug, delivery.shed_debug);
        shed(&mut account, Shed::Info, delivery.shed_info);
        shed(&mut account, Shed::Warn, delivery.shed_warn);
        let counts = [
            ("journalled", delivery.journalled),
            ("journal_failed", delivery.journal_failed),
            ("replayed", delivery.replayed),
            ("panics", delivery.panics),
            ("copies_lost", delivery.copies_lost),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        account.counts.extend(counts.map(|(word, count)| (word.to_owned(), count)));
        account
    }
}

/// The exporter's own totals, in events: it runs beside the pipeline and publishes them as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// In batches that the stream acknowledged.
    pub acknowledged: u64,
    /// Sent again, once for each time.
    pub retried: u64,
    /// Given up because the backlog was full.
    pub lost_backlog: u64,
    /// In batches that the stream refused for good.
    pub lost_refused: u64,
    /// In batches that a fault of ours made away with.
    pub lost_panic: u64,
    /// Given up to make room, see [`Shed::Debug`].
    pub shed_debug: u64,
    /// Given up to make room, see [`Shed::Info`].
    pub shed_info: u64,
    /// Given up to make room, see [`Shed::Warn`].
    pub shed_warn: u64,
    /// Written to the sandbox's disk while the stream did not take them.
    pub journalled: u64,
    /// Attempts, not events: the disk was full or could not be written.
    pub journal_failed: u64,
    /// Of an earlier life of this sandbox, read from its disk and acknowledged now. Nobody else counts them here: they
    /// stand in that life's account.
    pub replayed: u64,
    /// Faults of ours that ended or interrupted a task, not events: what they cost stands elsewhere.
    pub panics: u64,
    /// Events that the second destination will not get; the stream is not concerned.
    pub copies_lost: u64,
}

impl Delivery {
    /// What will not arrive, for any reason.
    pub fn given_up(&self) -> u64 {
        let all = [
            self.lost_backlog,
            self.lost_refused,
            self.lost_panic,
            self.shed_debug,
            self.shed_info,
            self.shed_warn,
        ];
        all.into_iter().fold(0, u64::saturating_add)
    }
}

fn add(account: &mut Account, reason: Reason, count: u64) {
    if count > 0 {
        grow(account.lost.entry(reason.as_str().to_owned()).or_default(), count);
    }
}

fn shed(account: &mut Account, reason: Shed, count: u64) {
    if count > 0 {
        grow(account.shed.entry(reason.as_str().to_owned()).or_default(), count);
    }
}

fn grow(total: &mut u64, by: u64) {
    *total = total.saturating_add(by);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_received_is_shipped_lost_or_still_here() {
        let mut ledger = Ledger::default();
        ledger.received(12);
        let mut text = "Bearer abcdef0123456789 password=x".to_owned();
        ledger.scrubbed(&obfuscation::Rule::default().scrub_text(&mut text));
        ledger.shed(Shed::Sampled, 2);
        ledger.shed(Shed::Level, 0);
        ledger.lost(Reason::Unreadable, 1);
        ledger.lost(Reason::Unreadable, 1);
        ledger.lost(Reason::Panic, 0);
        ledger.lost(Reason::Platform, 100);
        let delivery = Delivery {
            acknowledged: 4,
            retried: 3,
            lost_backlog: 4,
            shed_debug: 2,
            shed_warn: 1,
            ..Delivery::default()
        };
        let account = ledger.account(9, &delivery);
        assert_eq!((account.scrubbed, account.shipped, account.retried), (2, 2, 3));
        let (still_here, shed, lost) = (12 - 2 - 9, 2 + 3, 4 + 2);
        assert_eq!(account.received, account.shipped + shed + lost + still_here);
        let shed: Vec<_> = account.shed.into_iter().collect();
        let expected = [("pressure_debug", 2), ("pressure_warn", 1), ("sampled", 2)];
        assert_eq!(shed, expected.map(|(word, count)| (word.to_owned(), count)));
        let scrubbed: Vec<_> = account.scrubbed_by.into_iter().collect();
        assert_eq!(scrubbed, [("assignment".to_owned(), 1), ("bearer".to_owned(), 1)]);
        let lost: Vec<_> = account.lost.into_iter().collect();
        assert_eq!(
            lost,
            [("backlog".to_owned(), 4), ("platform".to_owned(), 100), ("unreadable".to_owned(), 2)]
        );
    }

    #[test]
    fn the_last_word_tells_what_is_left_behind() {
        let ledger = Ledger::default();
        let delivery = Delivery { acknowledged: 5, lost_refused: 1, ..Delivery::default() };
        assert_eq!(ledger.last_account(9, &delivery).counts["left"], 3);
        assert!(ledger.last_account(6, &delivery).counts.is_empty());
    }

    #[test]
    fn totals_stop_at_the_end_of_their_range() {
        let mut ledger = Ledger::default();
        ledger.received(u64::MAX);
        ledger.received(1);
        assert_eq!(ledger.account(0, &Delivery::default()).received, u64::MAX);
    }
}
