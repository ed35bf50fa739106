//! What goes wrong with a request, drawn from a seed, and how often it did.

use chance::Chance;

use std::collections::BTreeMap;
use std::time::Duration;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Entries are throttled, each with this chance; the others are taken.
    EntriesThrottled(f64),
    /// The whole request is throttled.
    Throttled,
    /// 500, and nothing is taken.
    ServerError,
    /// No answer ever, and nothing is taken.
    Hang,
    /// The connection is reset, and nothing is taken.
    Reset,
    /// Everything is taken, and the connection is reset before the answer.
    AnswerLost,
    /// The request arrives up to so long after it was sent, also when its sender has given it up.
    HeldBefore(Duration),
    /// The answer comes up to so long after everything was taken.
    HeldAfter(Duration),
}

impl Fault {
    /// For tables of people.
    pub fn word(self) -> &'static str {
        match self {
            Self::EntriesThrottled(_) => "entries throttled",
            Self::Throttled => "throttled",
            Self::ServerError => "500",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::AnswerLost => "answer lost",
            Self::HeldBefore(_) => "request held",
            Self::HeldAfter(_) => "answer held",
        }
    }
}

/// How often each fault struck.
pub type Tally = BTreeMap<&'static str, u64>;

/// Faults with their chances: the first that happens strikes.
#[derive(Debug)]
pub struct Plan {
    faults: Vec<(Fault, f64)>,
    chance: Chance,
    tally: Tally,
}

impl Plan {
    pub fn new(faults: &[(Fault, f64)], chance: Chance) -> Self {
        Self { faults: faults.to_vec(), chance, tally: Tally::new() }
    }

    /// A proxy that only passes on and remembers.
    pub fn faultless() -> Self {
        Self::new(&[], Chance::new(0))
    }

    /// What strikes the next request.
    pub(super) fn draw(&mut self) -> Option<Fault> {
        // All are drawn, so that one's chance does not shift the others'.
        let Self { faults, chance, .. } = self;
        let drawn: Vec<Fault> =
            faults.iter().filter(|(_, often)| chance.happens(*often)).map(|(fault, _)| *fault).collect();
        let fault = drawn.first().copied();
        if let Some(fault) = fault {
            *self.tally.entry(fault.word()).or_default() += 1;
        }
        fault
    }

    pub(super) fn throttles(&mut self, share: f64) -> bool {
        self.chance.happens(share)
    }

    pub(super) fn pause(&mut self, longest: Duration) -> Duration {
        Duration::from_millis(self.chance.below(u64::try_from(longest.as_millis()).unwrap_or(u64::MAX)))
    }

    pub(super) fn heal(&mut self) {
        self.faults.clear();
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}
