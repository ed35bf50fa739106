//! What goes on from the assembler to the batch: lines below the wanted level are left out, secrets are scrubbed,
//! healthy invocations are sampled; and all of it is counted. The one gate that everything passes, whoever made it.
//! Called by the extension for each record's signals; knows no clock.

use model::{Level, Timestamp};
use obfuscation::Rule;

use crate::account::{Ledger, Shed};
use crate::sample::{Sampler, Sampling};
use crate::{Scrubber, Signals};

/// What a team wants to leave the sandbox, and how. The default is everything, scrubbed by the default rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// What is scrubbed; none for nothing.
    pub rule: Option<Rule>,
    /// The least grave lines that are kept; none for all.
    pub level_min: Option<Level>,
    /// Which healthy invocations are kept; none for all.
    pub sampling: Option<Sampling>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { rule: Some(Rule::default()), level_min: None, sampling: None }
    }
}

/// A selection at work in one sandbox.
#[derive(Debug)]
pub struct Select {
    level_min: Option<Level>,
    scrubber: Scrubber,
    sampler: Option<Sampler>,
}

impl Select {
    /// Before the first record.
    pub fn new(selection: Selection) -> Self {
        Self {
            level_min: selection.level_min,
            scrubber: Scrubber::new(selection.rule),
            sampler: selection.sampling.map(Sampler::new),
        }
    }

    /// Takes what was received; gives what is to be shipped now. The ledger is written last, so that it has not seen
    /// what a fault in here has cost.
    pub fn take(&mut self, mut signals: Signals, now: Timestamp, ledger: &mut Ledger) -> Signals {
        let received = count(signals.len());
        let too_low = self.level_min.map_or(0, |least| leave_out(&mut signals, least));
        let scrubbed = self.scrubber.scrub(&mut signals);
        let mut sampled = 0;
        if let Some(sampler) = &mut self.sampler {
            let sifted = sampler.take(signals, now);
            (signals, sampled) = (sifted.passed, sifted.left_out);
        }
        ledger.received(received);
        ledger.scrubbed(&scrubbed);
        ledger.shed(Shed::Level, too_low);
        ledger.shed(Shed::Sampled, sampled);
        signals
    }

    /// When [`Select::release`] will have something, if nothing else happens.
    pub fn due(&self) -> Option<Timestamp> {
        self.sampler.as_ref()?.due()
    }

    /// What has waited long enough for its invocation's end.
    pub fn release(&mut self, now: Timestamp) -> Signals {
        self.sampler.as_mut().map(|sampler| sampler.release(now)).unwrap_or_default()
    }

    /// Everything that still waits: the sandbox ends.
    pub fn close(&mut self) -> Signals {
        self.sampler.as_mut().map(Sampler::close).unwrap_or_default()
    }
}

/// Removes lines below a level, and says how many. What says no level, tells of an error or comes from the platform
/// stays: nobody meant those by a level.
fn leave_out(signals: &mut Signals, least: Level) -> u64 {
    let before = signals.logs.len();
    signals
        .logs
        .retain(|log| log.platform || log.error.is_some() || log.level.is_none_or(|level| level >= least));
    count(before - signals.logs.len())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Delivery;
    use model::{LogRecord, Map};

    fn log(level: Option<Level>, error: Option<&str>, platform: bool) -> LogRecord {
        LogRecord {
            level,
            error: error.map(str::to_owned),
            platform,
            body: Map::from([("message".to_owned(), "password=hunter2".into())]),
            ..LogRecord::default()
        }
    }

    fn signals() -> Signals {
        let logs = vec![
            log(Some(Level::Debug), None, false),
            log(Some(Level::Warn), None, false),
            log(Some(Level::Info), Some("TypeError"), false),
            log(None, None, false),
            log(Some(Level::Debug), None, true),
        ];
        Signals { logs, ..Signals::default() }
    }

    fn account(ledger: &Ledger) -> wire::Account {
        ledger.account(0, &Delivery::default())
    }

    #[test]
    fn by_default_everything_goes_on_scrubbed() {
        let mut ledger = Ledger::default();
        let passed = Select::new(Selection::default()).take(signals(), Timestamp::EPOCH, &mut ledger);
        assert_eq!(passed.logs.len(), 5);
        assert!(passed.logs.iter().all(|log| log.body["message"] == "password=[scrubbed]".into()));
        let account = account(&ledger);
        assert_eq!((account.received, account.scrubbed, account.shed.len()), (5, 5, 0));
        assert_eq!(account.scrubbed_by["assignment"], 5);
    }

    #[test]
    fn a_level_leaves_out_what_is_below_it_and_counts_it() {
        let mut ledger = Ledger::default();
        let selection = Selection { level_min: Some(Level::Warn), ..Selection::default() };
        let passed = Select::new(selection).take(signals(), Timestamp::EPOCH, &mut ledger);
        assert_eq!(passed.logs.len(), 4);
        assert!(passed.logs.iter().all(|log| log.level != Some(Level::Debug) || log.platform));
        let account = account(&ledger);
        assert_eq!((account.received, account.shed["level"], account.scrubbed), (5, 1, 4));
    }
}
