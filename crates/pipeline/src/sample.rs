//! Tail-aware sampling: an invocation's spans and logs are held until its end says what it was. Failed, slow and cold
//! ones go on whole, healthy ones at a rate, which is written on each of their events so that counts can be corrected.
//! Called by `select`, after scrubbing; knows no clock.
//!
//! What is held is bounded in bytes, count and time; what is over a bound is kept. An error among the signals decides
//! at once, so that a crash never costs what would have been interesting. Metric points are never sampled: they are
//! counts already. What belongs to no invocation passes.

mod rate;
mod slow;
mod item;
mod held;

use std::collections::VecDeque;
use std::time::Duration;

use model::{Timestamp, TraceId};

use crate::Signals;
use held::{Held, Holder};
use item::{End, Item};
use slow::Slow;

pub use item::INTERVAL_KEY;
pub use rate::{Rate, RateError};

/// How to sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// How many of the healthy invocations are kept.
    pub rate: Rate,
    /// From which duration on an invocation is slow. None: if it takes longer than 95 % of the last ones.
    pub slow_from: Option<Duration>,
}

/// A report comes during the next invocation; reports of overlapping ones a little later.
const DECIDED_MAX: usize = 256;

/// What became of an invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    /// Remarkable, or over a bound: stands for itself alone.
    Kept,
    /// Healthy and chosen: stands for so many.
    Chosen(f64),
    /// Healthy and not chosen.
    LeftOut,
}

/// A decided invocation, for what comes late.
#[derive(Debug)]
struct Decided {
    request_id: String,
    trace_id: Option<TraceId>,
    verdict: Verdict,
}

/// What goes on, and how many never will.
#[derive(Debug, Default)]
pub(crate) struct Sifted {
    pub(crate) passed: Signals,
    pub(crate) left_out: u64,
}

/// The state of one sandbox.
#[derive(Debug)]
pub(crate) struct Sampler {
    rate: Rate,
    slow: Slow,
    holder: Holder,
    decided: VecDeque<Decided>,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self {
            rate: sampling.rate,
            slow: Slow::new(sampling.slow_from),
            holder: Holder::default(),
            decided: VecDeque::new(),
        }
    }

    /// Takes signals; gives those that are decided by now.
    pub(crate) fn take(&mut self, signals: Signals, now: Timestamp) -> Sifted {
        let Signals { spans, logs, metrics, folded } = signals;
        let mut sifted = Sifted { passed: Signals { metrics, folded, ..Signals::default() }, left_out: 0 };
        for item in spans.into_iter().map(Item::Span).chain(logs.into_iter().map(Item::Log)) {
            self.item(item, now, &mut sifted);
        }
        while let Some(held) = self.holder.over_bounds() {
            self.settle(held, Verdict::Kept, &mut sifted);
        }
        sifted
    }

    /// When something will have waited too long.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.holder.due()
    }

    /// What has waited too long is kept.
    pub(crate) fn release(&mut self, now: Timestamp) -> Signals {
        let mut sifted = Sifted::default();
        while let Some(held) = self.holder.over_age(now) {
            self.settle(held, Verdict::Kept, &mut sifted);
        }
        sifted.passed
    }

    /// Nothing more will be known of what is held: it is kept.
    pub(crate) fn close(&mut self) -> Signals {
        let mut sifted = Sifted::default();
        while let Some(held) = self.holder.take_oldest() {
            self.settle(held, Verdict::Kept, &mut sifted);
        }
        sifted.passed
    }

    fn item(&mut self, item: Item, now: Timestamp, sifted: &mut Sifted) {
        if item.tells_of_the_platform() {
            return item.push_to(&mut sifted.passed);
        }
        if let Some(decided) = self.decided.iter().rev().find(|decided| decided.owns(&item)) {
            return sifted.apply(decided.verdict, item);
        }
        let verdict = match item.end() {
            Some(end) => Some(self.verdict(end)),
            None => item.tells_an_error().then_some(Verdict::Kept),
        };
        let Some(request_id) = self.holder.hold(item, now, sifted) else { return };
        if let Some(verdict) = verdict
            && let Some(held) = self.holder.take(&request_id)
        {
            self.settle(held, verdict, sifted);
        }
    }

    fn verdict(&mut self, end: End) -> Verdict {
        let is_slow = self.slow.judge(end.duration);
        match self.rate.interval(end.trace_id) {
            _ if is_slow || end.is_remarkable => Verdict::Kept,
            Some(interval) => Verdict::Chosen(interval),
            None => Verdict::LeftOut,
        }
    }

    /// Lets a held invocation go by its verdict, and remembers that for what comes late.
    fn settle(&mut self, held: Held, verdict: Verdict, sifted: &mut Sifted) {
        for item in held.items {
            sifted.apply(verdict, item);
        }
        if self.decided.len() == DECIDED_MAX {
            self.decided.pop_front();
        }
        self.decided.push_back(Decided { request_id: held.request_id, trace_id: held.trace_id, verdict });
    }
}

impl Decided {
    /// By request id where the item has one: one trace can pass through a sandbox several times.
    fn owns(&self, item: &Item) -> bool {
        match item.request_id() {
            Some(request_id) => request_id == self.request_id,
            None => item.trace_id().is_some() && item.trace_id() == self.trace_id,
        }
    }
}

impl Sifted {
    fn apply(&mut self, verdict: Verdict, mut item: Item) {
        match verdict {
            // What says so late that there was an error was not known when the invocation was taken for healthy.
            Verdict::LeftOut if !item.tells_an_error() => self.left_out += 1,
            Verdict::LeftOut | Verdict::Kept => item.push_to(&mut self.passed),
            Verdict::Chosen(interval) => {
                item.stand_for(interval);
                item.push_to(&mut self.passed);
            }
        }
    }
}

#[cfg(test)]
mod tests;
