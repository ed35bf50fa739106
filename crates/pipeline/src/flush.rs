//! When to send, and how long to hold the sandbox for it. Pure rules over times that are passed in: the extension's
//! shell asks, sleeps until what it was told, and asks again. No clock, no socket, no task in here.

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

/// The settings that the rules work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
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
    /// The last attempt was answered well, or there was none yet. While it is not, nobody waits for the stream:
    /// batches are kept, and tried in the background.
    pub healthy: bool,
}

/// One invocation that the platform has announced, until the sandbox is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    request_id: String,
    deadline: Timestamp,
    done_at: Option<Timestamp>,
}

impl Invocation {
    /// Announced by INVOKE with its deadline.
    pub fn new(request_id: String, deadline: Timestamp) -> Self {
        Self { request_id, deadline, done_at: None }
    }

    /// A `platform.runtimeDone` or `platform.report` was seen; true if it is this invocation's first.
    pub fn done(&mut self, request_id: &str, now: Timestamp) -> bool {
        let first = self.done_at.is_none() && self.request_id == request_id;
        if first {
            self.done_at = Some(now);
        }
        first
    }

    /// Whether the function has ended its work.
    pub fn is_done(&self) -> bool {
        self.done_at.is_some()
    }
}

impl Policy {
    /// Whether the open batch goes now. Between invocations (`invocation` is none: before the first, after a thaw,
    /// on Managed Instances) only age and size count.
    pub fn flush(&self, now: Timestamp, pending: Option<Pending>, invocation: Option<&Invocation>) -> Flush {
        let Some(pending) = pending else { return Flush::Hold };
        let stale_at = pending.since.plus(self.freshness);
        let due = match invocation {
            Some(invocation) if invocation.is_done() => now,
            Some(invocation) => stale_at.min(invocation.deadline.minus(self.margin)),
            None => stale_at,
        };
        // A clock that was set back while the sandbox was frozen must not delay the batch for hours.
        let stepped_back = pending.since > now;
        if due <= now || stepped_back || pending.bytes >= self.batch_bytes_max {
            Flush::Now
        } else {
            Flush::At(due)
        }
    }

    /// Whether the sandbox is still held for `invocation`. It is released when the function is done and the stream
    /// has everything; when the budget for that is used up; when the stream is known to be down; and in any case
    /// before the deadline: the event that says "done" may never come.
    pub fn hold(&self, now: Timestamp, invocation: &Invocation, outbound: Outbound) -> Hold {
        let last_moment = invocation.deadline.minus(self.margin);
        let until = match invocation.done_at {
            None => last_moment,
            Some(_) if outbound.unacknowledged == 0 || !outbound.healthy => return Hold::Release,
            Some(done_at) if done_at > now => return Hold::Release, // the clock was set back
            Some(done_at) => last_moment.min(done_at.plus(self.budget)),
        };
        if until <= now { Hold::Release } else { Hold::Until(until) }
    }
}

/// The sandbox's last moments: the platform still delivers what it had buffered, `platform.report` of the last
/// invocation above all, and nobody says when that was all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// When SHUTDOWN came.
    pub started: Timestamp,
    /// When the platform delivered something since then, if it did.
    pub delivered: Option<Timestamp>,
    /// An invocation was done and its report has not come.
    pub report_missing: bool,
}

impl Drain {
    /// Longer than the buffering time of our subscription (25 ms) and a delivery on a busy machine.
    pub const QUIET: Duration = Duration::from_millis(50);
    /// A final report took 5 ms on average and 40 ms at most where it was measured (elastic/apm-aws-lambda#347);
    /// after a timeout or a crash it may not come at all.
    pub const REPORT: Duration = Duration::from_millis(150);
    /// The intake never takes more of the shutdown's budget than this.
    pub const LONGEST: Duration = Duration::from_millis(300);

    /// Whether to go on listening, at `now`.
    pub fn hold(&self, now: Timestamp) -> Hold {
        let patience = if self.report_missing { Self::REPORT } else { Self::QUIET };
        let until =
            self.delivered.unwrap_or(self.started).plus(patience).min(self.started.plus(Self::LONGEST));
        if until <= now || self.started > now { Hold::Release } else { Hold::Until(until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        freshness: Duration::from_millis(1_000),
        budget: Duration::from_millis(50),
        margin: Duration::from_millis(100),
        batch_bytes_max: 1_000,
    };
    const HEALTHY: Outbound = Outbound { unacknowledged: 1, healthy: true };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn pending(since: i64) -> Option<Pending> {
        Some(Pending { since: at(since), bytes: 10 })
    }

    fn invocation(deadline: i64) -> Invocation {
        Invocation::new("r".to_owned(), at(deadline))
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
        let mut done = invocation(60_000);
        assert!(done.done("r", at(1)));
        assert_eq!(POLICY.flush(at(1), pending(1), Some(&done)), Flush::Now);
    }

    #[test]
    fn after_a_thaw_hours_later_the_old_records_go_at_once_also_if_the_clock_stepped_back() {
        assert_eq!(POLICY.flush(at(7_200_000), pending(0), None), Flush::Now);
        assert_eq!(POLICY.flush(at(-7_200_000), pending(0), None), Flush::Now);
    }

    #[test]
    fn only_the_own_request_is_done_and_only_once() {
        let mut running = invocation(60_000);
        assert!(!running.done("another", at(5)));
        assert!(running.done("r", at(10)));
        assert!(!running.done("r", at(20)));
    }

    #[test]
    fn a_done_invocation_is_held_until_acknowledged_or_over_budget() {
        let mut done = invocation(60_000);
        done.done("r", at(1_000));
        assert_eq!(POLICY.hold(at(1_010), &done, HEALTHY), Hold::Until(at(1_050)));
        assert_eq!(POLICY.hold(at(1_050), &done, HEALTHY), Hold::Release);
        assert_eq!(
            POLICY.hold(at(1_010), &done, Outbound { unacknowledged: 0, healthy: true }),
            Hold::Release
        );
        assert_eq!(POLICY.hold(at(900), &done, HEALTHY), Hold::Release, "the clock was set back");
    }

    #[test]
    fn nobody_waits_for_a_stream_that_is_down() {
        let mut done = invocation(60_000);
        done.done("r", at(1_000));
        let down = Outbound { unacknowledged: 9, healthy: false };
        assert_eq!(POLICY.hold(at(1_000), &done, down), Hold::Release);
    }

    #[test]
    fn an_event_that_never_comes_costs_the_margin_and_no_more() {
        let running = invocation(3_000);
        assert_eq!(POLICY.hold(at(0), &running, HEALTHY), Hold::Until(at(2_900)));
        assert_eq!(POLICY.hold(at(2_900), &running, HEALTHY), Hold::Release);
    }

    #[test]
    fn the_budget_never_reaches_over_the_deadline() {
        let mut done = invocation(1_120);
        done.done("r", at(1_000));
        assert_eq!(POLICY.hold(at(1_001), &done, HEALTHY), Hold::Until(at(1_020)));
    }

    #[test]
    fn the_drain_ends_with_quiet_sooner_without_a_missing_report_and_always_in_time() {
        let quiet = Drain { started: at(0), delivered: None, report_missing: false };
        assert_eq!(quiet.hold(at(0)), Hold::Until(at(50)));
        assert_eq!(quiet.hold(at(50)), Hold::Release);
        let missing = Drain { report_missing: true, ..quiet };
        assert_eq!(missing.hold(at(50)), Hold::Until(at(150)));
        let chatty = Drain { delivered: Some(at(290)), ..quiet };
        assert_eq!(chatty.hold(at(295)), Hold::Until(at(300)));
        assert_eq!(chatty.hold(at(300)), Hold::Release);
    }
}
