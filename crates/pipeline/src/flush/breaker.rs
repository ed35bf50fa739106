//! The circuit breaker in front of the stream: after failures only single batches probe it, with growing pauses; and
//! nobody waits for a stream that fails or is slower than the budget.

use std::time::Duration;

use model::Timestamp;

use super::backoff::{self, Cause, Urgency};

/// The first failure may be a connection that died of old age; two in a row are the stream's.
const FAILURES_OPEN: u32 = 2;
/// One slow answer is a matter of chance.
const OVERRUNS_SLOW: u32 = 2;
/// A stream that was slow is waited for again after so many answers that left room in the budget.
const PROMPT_ANSWERS: u32 = 2;

/// What may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// As much as fits a request.
    All,
    /// One batch, to see how the stream is.
    Probe,
    /// Nothing before this time.
    At(Timestamp),
}

/// One per destination.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    /// In a row.
    failures: u32,
    /// In a row.
    overruns: u32,
    /// Waiting was in vain so often that it is not tried; left by so many prompt answers in a row.
    slow: Option<u32>,
    pause: Option<Pause>,
}

/// Both ends, so that a clock that was set back does not make it endless.
#[derive(Debug, Clone, Copy)]
struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Breaker {
    /// Whether an answer can be expected in time.
    pub fn is_closed(&self) -> bool {
        self.failures < FAILURES_OPEN && self.slow.is_none()
    }

    /// Whether only probes are sent.
    pub fn is_open(&self) -> bool {
        self.failures >= FAILURES_OPEN
    }

    /// What may be sent at `now`.
    pub fn ready(&self, now: Timestamp) -> Ready {
        match self.pause {
            Some(pause) if pause.from <= now && now < pause.until => Ready::At(pause.until),
            _ if self.is_open() => Ready::Probe,
            _ => Ready::All,
        }
    }

    /// The stream took something and needed `took` for it; none if that cannot be told, because the sandbox was
    /// frozen meanwhile.
    pub fn answered(&mut self, took: Option<Duration>, budget: Duration) {
        (self.failures, self.pause) = (0, None);
        let Some(took) = took else { return };
        // What of the budget is left for the answer after the platform's own delay, at the least.
        let prompt = took <= budget / 2;
        if prompt {
            self.overruns = 0;
        }
        self.slow = match self.slow {
            Some(seen) if prompt && seen + 1 >= PROMPT_ANSWERS => None,
            Some(seen) if prompt => Some(seen + 1),
            Some(_) => Some(0),
            None => None,
        };
    }

    /// Nothing was taken. `entropy` spreads the pauses of many sandboxes.
    pub fn failed(&mut self, now: Timestamp, cause: Cause, urgency: Urgency, entropy: u64) {
        // What somebody has to mend is not worth a second try.
        let failures = if cause == Cause::Setup { FAILURES_OPEN } else { 1 };
        self.failures = self.failures.saturating_add(1).max(failures);
        self.pause(now, cause, urgency, entropy);
    }

    /// A part was taken and the rest has to wait: nothing is wrong, but the stream is busy.
    pub fn throttled(&mut self, now: Timestamp, urgency: Urgency, entropy: u64) {
        self.pause(now, Cause::Busy, urgency, entropy);
    }

    /// The sandbox was held to the end of its budget without an answer.
    pub fn overran(&mut self) {
        self.overruns = self.overruns.saturating_add(1);
        if self.overruns >= OVERRUNS_SLOW {
            self.overruns = 0;
            self.slow = Some(0);
        }
    }

    /// The world may be another one (a thaw, the sandbox's end): the pause is over.
    pub fn wake(&mut self) {
        self.pause = None;
    }

    fn pause(&mut self, now: Timestamp, cause: Cause, urgency: Urgency, entropy: u64) {
        let pause = backoff::pause(cause, self.failures.max(1), urgency, entropy);
        self.pause = Some(Pause { from: now, until: now.plus(pause) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_millis(50);
    const QUICK: Option<Duration> = Some(Duration::from_millis(10));
    const LATE: Option<Duration> = Some(Duration::from_millis(200));

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn fail(breaker: &mut Breaker, now: Timestamp) {
        breaker.failed(now, Cause::Busy, Urgency::Usual, 0);
    }

    fn open() -> Breaker {
        let mut breaker = Breaker::default();
        fail(&mut breaker, at(0));
        fail(&mut breaker, at(0));
        breaker
    }

    #[test]
    fn it_is_closed_until_failures_come_in_a_row() {
        let mut breaker = Breaker::default();
        assert!(breaker.is_closed() && breaker.ready(at(0)) == Ready::All);
        for _ in 0..5 {
            fail(&mut breaker, at(0));
            assert!(breaker.is_closed());
            breaker.answered(QUICK, BUDGET);
        }
        fail(&mut breaker, at(0));
        fail(&mut breaker, at(0));
        assert!(!breaker.is_closed());
    }

    #[test]
    fn open_it_pauses_then_lets_one_probe_through_whose_answer_closes_it() {
        let mut breaker = open();
        assert!(matches!(breaker.ready(at(0)), Ready::At(until) if until > at(0) && until <= at(80)));
        assert_eq!(breaker.ready(at(100)), Ready::Probe);
        fail(&mut breaker, at(100));
        assert!(matches!(breaker.ready(at(101)), Ready::At(_)), "half open, a failure pauses it again");
        breaker.answered(LATE, BUDGET);
        assert_eq!(breaker.ready(at(102)), Ready::All);
    }

    #[test]
    fn what_somebody_has_to_mend_opens_it_at_once() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), Cause::Setup, Urgency::Usual, 0);
        assert!(breaker.is_open());
    }

    #[test]
    fn a_slow_stream_is_not_waited_for_until_it_is_prompt_again() {
        let mut breaker = Breaker::default();
        for _ in 0..OVERRUNS_SLOW {
            assert!(breaker.is_closed());
            breaker.overran();
        }
        assert!(!breaker.is_closed());
        assert_eq!(breaker.ready(at(0)), Ready::All, "it takes what it is given");
        for took in [LATE, QUICK, LATE, QUICK, None] {
            breaker.answered(took, BUDGET);
            assert!(!breaker.is_closed());
        }
        breaker.answered(QUICK, BUDGET);
        assert!(breaker.is_closed());
    }

    #[test]
    fn overruns_between_prompt_answers_are_chance() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.overran();
            breaker.answered(QUICK, BUDGET);
        }
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_clock_that_jumps_ends_the_pause() {
        for now in [-3_600_000, 3_600_000] {
            assert_eq!(open().ready(at(now)), Ready::Probe);
        }
        let mut breaker = open();
        breaker.wake();
        assert_eq!(breaker.ready(at(0)), Ready::Probe);
    }
}
