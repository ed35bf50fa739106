//! When to send, and how long to hold the sandbox for it. Pure rules over times that are passed in: the extension's
//! shell asks, sleeps until what it was told, and asks again. No clock, no socket, no task in here.
//!
//! Times are the wall clock's, because the platform's are, and a wall clock jumps both ways across a freeze: every
//! rule answers a time that lies in the future of `now` as if it were due.

pub mod invocation;
pub mod rhythm;
pub mod backoff;
pub mod breaker;
pub mod drain;

pub use breaker::{Breaker, Ready};
pub use drain::Drain;
pub use invocation::Invocation;
pub use rhythm::Rhythm;

use std::time::Duration;

use model::Timestamp;

/// What to do with the open batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Seal it and send it.
    Now,
    /// Ask again at this time, or when something changes before.
    At(Timestamp),
    /// There is nothing to send.
    Hold,
}

/// Whether the sandbox may go on to its next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Nothing keeps it.
    Release,
    /// Ask again at this time, or when something changes before.
    Until(Timestamp),
}

/// Whether a sandbox may ever be let go before its telemetry has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Where invocations follow each other closely, the sandbox is not held at all: what one of them printed is sent
    /// while the next one runs. See [`Rhythm`].
    Learned,
    /// Never: each invocation is held until its telemetry is acknowledged or the budget is used up.
    AtEnd,
}

/// The settings that the rules work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether to learn.
    pub timing: Timing,
    /// How old the oldest unsent record may grow while the sandbox runs.
    pub freshness: Duration,
    /// How long, after the function is done, the sandbox may be held for the stream's acknowledgement.
    pub budget: Duration,
    /// How long before the platform's deadline the sandbox is released, whatever is missing.
    pub margin: Duration,
    /// An open batch of this many bytes (estimated, before gzip) goes at once.
    pub batch_bytes_max: usize,
}

/// The open batch, as far as the rules need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// When its oldest record came in.
    pub since: Timestamp,
    /// Its estimated size before gzip.
    pub bytes: usize,
}

/// What the exporter has and how it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbound {
    /// Batches that the stream has not acknowledged yet.
    pub unacknowledged: usize,
    /// An answer can be expected within the budget ([`Breaker::is_closed`]). While it cannot, nobody waits for the
    /// stream: batches are kept, and tried in the background.
    pub prompt: bool,
}

/// The shortest time for which the platform buffers records, and the one that we ask for.
pub const BUFFERED: Duration = Duration::from_millis(25);

/// Being woken up and asking for the next event belong to the budget, too: 2 ms on a quiet machine, up to 6 ms beside others.
const LETTING_GO: Duration = Duration::from_millis(8);

impl Policy {
    /// Whether the sandbox is let go as soon as an invocation begins, because the next one will follow closely.
    pub fn bets(&self, rhythm: &Rhythm) -> bool {
        self.timing == Timing::Learned && rhythm.is_busy()
    }

    /// The longest pause between two invocations that still counts as "closely": what waits in the sandbox has then
    /// waited half the freshness for its batch and half for its invocation.
    pub fn pause_max(&self) -> Duration {
        self.freshness / 2
    }

    /// Whether deliveries are so late that the end of an invocation would be told after its budget: nobody is held for
    /// that any longer. `lag` is how long the first record of a delivery has been on its way; the platform buffers for
    /// up to [`BUFFERED`].
    pub fn is_too_late(&self, lag: Duration) -> bool {
        lag > self.budget.saturating_add(BUFFERED)
    }

    /// Whether the open batch goes now. Between invocations (`invocation` is none: before the first, after a thaw,
    /// on Managed Instances) only age and size count.
    pub fn flush(&self, now: Timestamp, pending: Option<Pending>, invocation: Option<&Invocation>) -> Flush {
        let Some(pending) = pending else { return Flush::Hold };
        let stale_at = pending.since.plus(self.freshness);
        let due = match invocation {
            Some(invocation) if invocation.is_bet() => pending.since.plus(self.freshness / 2),
            Some(invocation) if invocation.is_done() => now,
            Some(invocation) => stale_at.min(invocation.last_moment(self.margin)),
            None => stale_at,
        };
        let stepped_back = pending.since > now;
        if due <= now || stepped_back || pending.bytes >= self.batch_bytes_max {
            Flush::Now
        } else {
            Flush::At(due)
        }
    }

    /// Whether the sandbox is still held for `invocation`. It is released at once when this one is a bet or nothing
    /// can be won by waiting; else when the function is done and the stream has everything; when the budget for that
    /// is used up; and in any case before the deadline and when the patience is over: the event that says "done" may
    /// never come.
    pub fn hold(&self, now: Timestamp, invocation: &Invocation, outbound: Outbound) -> Hold {
        if !invocation.is_waited_for() || !outbound.prompt {
            return Hold::Release;
        }
        let last_moment = invocation.last_moment(self.margin);
        let until = match invocation.done_at() {
            None => last_moment,
            Some(_) if outbound.unacknowledged == 0 => return Hold::Release,
            Some(done_at) if done_at > now => return Hold::Release, // the clock was set back
            Some(done_at) => last_moment.min(done_at.plus(self.budget.saturating_sub(LETTING_GO))),
        };
        let stepped_back = invocation.invoked_at() > now;
        if until <= now || stepped_back { Hold::Release } else { Hold::Until(until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        timing: Timing::Learned,
        freshness: Duration::from_millis(1_000),
        budget: Duration::from_millis(50),
        margin: Duration::from_millis(100),
        batch_bytes_max: 1_000,
    };
    const PROMPT: Outbound = Outbound { unacknowledged: 1, prompt: true };
    const HOURS: i64 = 7_200_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn pending(since: i64) -> Option<Pending> {
        Some(Pending { since: at(since), bytes: 10 })
    }

    fn invocation(deadline: i64) -> Invocation {
        Invocation::new("r".to_owned(), at(0), at(deadline))
    }

    fn done_at(millis: i64) -> Invocation {
        let mut done = invocation(60_000);
        assert!(done.done("r", at(millis), at(millis)));
        done
    }

    #[test]
    fn nothing_pending_needs_no_timer() {
        assert_eq!(POLICY.flush(at(0), None, None), Flush::Hold);
    }

    #[test]
    fn a_running_function_is_flushed_when_its_oldest_record_gets_stale() {
        let running = invocation(60_000);
        assert_eq!(POLICY.flush(at(100), pending(0), Some(&running)), Flush::At(at(1_000)));
        assert_eq!(POLICY.flush(at(1_000), pending(0), Some(&running)), Flush::Now);
    }

    #[test]
    fn the_deadline_comes_before_freshness() {
        assert_eq!(POLICY.flush(at(0), pending(0), Some(&invocation(600))), Flush::At(at(500)));
        assert_eq!(POLICY.flush(at(500), pending(0), Some(&invocation(600))), Flush::Now);
    }

    #[test]
    fn a_full_batch_and_a_done_function_do_not_wait() {
        let full = Some(Pending { since: at(0), bytes: 1_000 });
        assert_eq!(POLICY.flush(at(0), full, None), Flush::Now);
        assert_eq!(POLICY.flush(at(1), pending(1), Some(&done_at(1))), Flush::Now);
    }

    #[test]
    fn on_a_bet_records_wait_for_half_the_freshness_and_the_sandbox_not_at_all() {
        let bet = invocation(60_000).bet();
        assert_eq!(POLICY.hold(at(0), &bet, PROMPT), Hold::Release);
        assert_eq!(POLICY.flush(at(100), pending(0), Some(&bet)), Flush::At(at(500)));
        assert_eq!(POLICY.flush(at(500), pending(0), Some(&bet)), Flush::Now);
    }

    #[test]
    fn a_bet_needs_a_busy_rhythm_and_the_setting() {
        let mut rhythm = Rhythm::new(POLICY.pause_max());
        assert!(!POLICY.bets(&rhythm));
        for number in 0..20 {
            rhythm.invoked(at(number * 20));
            rhythm.done(at(number * 20 + 10));
        }
        assert!(POLICY.bets(&rhythm));
        assert!(!Policy { timing: Timing::AtEnd, ..POLICY }.bets(&rhythm));
    }

    #[test]
    fn after_a_thaw_hours_later_the_old_records_go_at_once_also_if_the_clock_stepped_back() {
        assert_eq!(POLICY.flush(at(HOURS), pending(0), None), Flush::Now);
        assert_eq!(POLICY.flush(at(-HOURS), pending(0), None), Flush::Now);
    }

    #[test]
    fn a_done_invocation_is_held_until_acknowledged_or_over_budget() {
        let done = done_at(1_000);
        assert_eq!(POLICY.hold(at(1_010), &done, PROMPT), Hold::Until(at(1_042)));
        assert_eq!(POLICY.hold(at(1_042), &done, PROMPT), Hold::Release);
        assert_eq!(
            POLICY.hold(at(1_010), &done, Outbound { unacknowledged: 0, prompt: true }),
            Hold::Release
        );
        assert_eq!(POLICY.hold(at(900), &done, PROMPT), Hold::Release, "the clock was set back");
    }

    #[test]
    fn nobody_waits_for_a_stream_that_is_down_not_even_for_the_function() {
        let down = Outbound { unacknowledged: 9, prompt: false };
        assert_eq!(POLICY.hold(at(1_000), &done_at(1_000), down), Hold::Release);
        assert_eq!(POLICY.hold(at(0), &invocation(60_000), down), Hold::Release);
    }

    #[test]
    fn an_event_that_never_comes_costs_the_margin_and_no_more() {
        let running = invocation(3_000);
        assert_eq!(POLICY.hold(at(0), &running, PROMPT), Hold::Until(at(2_900)));
        assert_eq!(POLICY.hold(at(2_900), &running, PROMPT), Hold::Release);
    }

    #[test]
    fn nor_does_it_hold_a_function_with_a_long_timeout_for_ever() {
        let running = invocation(900_000).with_patience(Duration::from_secs(5));
        assert_eq!(POLICY.hold(at(0), &running, PROMPT), Hold::Until(at(5_000)));
        assert_eq!(POLICY.hold(at(5_000), &running, PROMPT), Hold::Release);
        assert_eq!(POLICY.hold(at(-HOURS), &running, PROMPT), Hold::Release, "the clock was set back");
    }

    #[test]
    fn nobody_waits_for_an_end_that_is_told_too_late() {
        assert!(!POLICY.is_too_late(Duration::from_millis(60)));
        assert!(POLICY.is_too_late(Duration::from_millis(80)));
        let mut running = invocation(60_000);
        running.let_go();
        assert_eq!(POLICY.hold(at(0), &running, PROMPT), Hold::Release);
        assert_eq!(
            POLICY.flush(at(0), pending(0), Some(&running)),
            Flush::At(at(1_000)),
            "age counts as before"
        );
    }

    #[test]
    fn the_budget_never_reaches_over_the_deadline() {
        let mut done = invocation(1_120);
        done.done("r", at(1_000), at(1_000));
        assert_eq!(POLICY.hold(at(1_001), &done, PROMPT), Hold::Until(at(1_020)));
    }

    #[test]
    fn times_at_the_ends_of_the_clock_overflow_nowhere() {
        let (first, last) = (Timestamp::from_nanos(i64::MIN), Timestamp::from_nanos(i64::MAX));
        let endless =
            Policy { freshness: Duration::MAX, budget: Duration::MAX, margin: Duration::MAX, ..POLICY };
        for now in [first, Timestamp::EPOCH, last] {
            for then in [first, Timestamp::EPOCH, last] {
                let mut invocation = Invocation::new("r".to_owned(), then, then);
                endless.hold(now, &invocation, PROMPT);
                invocation.done("r", then, now);
                endless.hold(now, &invocation, PROMPT);
                endless.flush(now, Some(Pending { since: then, bytes: 0 }), Some(&invocation));
            }
        }
    }
}
