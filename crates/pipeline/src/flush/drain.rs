//! The sandbox's last moments: the platform still delivers what it had buffered, `platform.report` of the last
//! invocation above all, and nobody says when that was all.

use std::time::Duration;

use model::Timestamp;

use super::Hold;

/// Whether to go on listening after SHUTDOWN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// When SHUTDOWN came.
    pub started: Timestamp,
    /// When the platform delivered something since then, if it did.
    pub delivered: Option<Timestamp>,
    /// An invocation was done and its report has not come.
    pub report_missing: bool,
    /// An invocation was announced and its end has not been told: the sandbox was let go before it, on a bet.
    pub end_missing: bool,
}

impl Drain {
    /// The buffering time of our subscription (25 ms), and a delivery over loopback: what had been buffered at
    /// SHUTDOWN has come by then.
    pub const QUIET: Duration = Duration::from_millis(30);
    /// A final report took 5 ms on average and 40 ms at most where it was measured (elastic/apm-aws-lambda#347);
    /// after a timeout or a crash it may not come at all.
    pub const REPORT: Duration = Duration::from_millis(60);
    /// After the report there is nothing more to come, but what overtook it.
    pub const AFTER_REPORT: Duration = Duration::from_millis(10);
    /// The intake never takes more of the shutdown's budget than this. An end that is missing is waited for so long:
    /// it was on its way when the sandbox was frozen, and on a starved one it does not come within a few milliseconds.
    pub const LONGEST: Duration = Duration::from_millis(500);

    /// Whether to go on listening, at `now`.
    pub fn hold(&self, now: Timestamp) -> Hold {
        let until = match self.delivered {
            _ if self.end_missing => self.started.plus(Self::LONGEST),
            None if self.report_missing => self.started.plus(Self::REPORT),
            None => self.started.plus(Self::QUIET),
            // Something else came, the report may be right behind it.
            Some(at) if self.report_missing => self.started.plus(Self::REPORT).max(at.plus(Self::QUIET)),
            Some(at) => at.plus(Self::AFTER_REPORT),
        };
        let until = until.min(self.started.plus(Self::LONGEST));
        if until <= now || self.started > now { Hold::Release } else { Hold::Until(until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Drain =
        Drain { started: Timestamp::EPOCH, delivered: None, report_missing: false, end_missing: false };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn with_nothing_to_come_it_lasts_as_long_as_the_platform_buffers() {
        assert_eq!(QUIET.hold(at(0)), Hold::Until(at(30)));
        assert_eq!(QUIET.hold(at(30)), Hold::Release);
    }

    #[test]
    fn a_missing_report_is_waited_for_longer_than_the_longest_one_that_was_seen() {
        let missing = Drain { report_missing: true, ..QUIET };
        assert_eq!(missing.hold(at(40)), Hold::Until(at(60)));
        assert_eq!(missing.hold(at(60)), Hold::Release);
    }

    #[test]
    fn the_report_ends_it() {
        let reported = Drain { delivered: Some(at(5)), ..QUIET };
        assert_eq!(reported.hold(at(6)), Hold::Until(at(15)));
        assert_eq!(reported.hold(at(15)), Hold::Release);
    }

    #[test]
    fn who_goes_on_delivering_is_listened_to_but_not_for_ever() {
        let chatty = Drain { delivered: Some(at(490)), report_missing: true, ..QUIET };
        assert_eq!(chatty.hold(at(495)), Hold::Until(at(500)));
        assert_eq!(chatty.hold(at(500)), Hold::Release);
    }

    #[test]
    fn an_end_that_is_on_its_way_is_waited_for_whatever_else_is_delivered() {
        for delivered in [None, Some(at(5))] {
            let running = Drain { delivered, end_missing: true, ..QUIET };
            assert_eq!(running.hold(at(100)), Hold::Until(at(500)));
            assert_eq!(running.hold(at(500)), Hold::Release);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_ends_it() {
        assert_eq!(QUIET.hold(at(-3_600_000)), Hold::Release);
    }
}
