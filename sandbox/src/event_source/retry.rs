//! What follows an invocation: go on, try again, split, or give up. No clock and no socket in here.
//!
//! Source: "Retain discarded batch records for a Kinesis Data Streams event source"
//! <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>.

use std::time::Duration;

use jiff::Timestamp;

use super::record::Record;
use super::response::Verdict;

/// The limits of patience.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// Retries after the first try; `None` retries for ever.
    pub(super) retries_max: Option<u32>,
    /// Older records are not tried (again); `None` knows no age.
    pub(super) age_max: Option<Duration>,
    /// Halve what failed, which costs no retry.
    pub(super) bisect: bool,
}

/// Records that are invoked with together, and their history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Work {
    pub(super) records: Vec<Record>,
    /// How often these records failed in a way that counts against the retries.
    pub(super) failures: u32,
    /// How many invocations had the first of these records.
    pub(super) invocations: u32,
}

/// Why records were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The function failed more often than the retries allow.
    RetryAttemptsExhausted,
    /// A record grew older than the mapping allows.
    RecordAgeExceeded,
    /// A single record is larger than an invocation's payload may be.
    PayloadLimitExceeded,
}

/// What follows, in the shard's order: `finished`, then `given_up`, then `again`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Next {
    /// The last sequence number of what succeeded.
    pub(super) finished: Option<String>,
    pub(super) given_up: Option<(Work, Condition)>,
    /// To be invoked with, the first before the second.
    pub(super) again: Vec<Work>,
}

impl Condition {
    /// As it stands in the message to the on-failure destination.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
            Self::PayloadLimitExceeded => "PayloadLimitExceeded",
        }
    }
}

impl Work {
    /// A batch that was not tried yet.
    pub(super) fn new(records: Vec<Record>) -> Self {
        Self { records, failures: 0, invocations: 0 }
    }

    fn last_sequence(&self) -> Option<String> {
        self.records.last().map(|record| record.sequence.clone())
    }

    /// Both halves inherit the history.
    fn split_at(mut self, index: usize) -> (Self, Self) {
        let rest = self.records.split_off(index.min(self.records.len()));
        let (failures, invocations) = (self.failures, self.invocations);
        (self, Self { records: rest, failures, invocations })
    }
}

/// Before an invocation: what is too old to be tried, and the rest.
pub(super) fn before(work: Work, now: Timestamp, policy: &Policy) -> (Option<Work>, Option<Work>) {
    let young = |record: &Record| policy.age_max.is_none_or(|age_max| age(record, now) <= age_max);
    let first_young = work.records.iter().position(young).unwrap_or(work.records.len());
    let (old, rest) = work.split_at(first_young);
    let some = |work: Work| (!work.records.is_empty()).then_some(work);
    (some(old), some(rest))
}

/// After an invocation that reached the function.
pub(super) fn after(work: Work, verdict: Verdict, policy: &Policy) -> Next {
    match verdict {
        Verdict::Succeeded => Next { finished: work.last_sequence(), ..Next::default() },
        Verdict::Failed => after_failure(work, policy),
        Verdict::FailedFrom(index) => {
            let (succeeded, mut rest) = work.split_at(index);
            // The rest is a new, smaller batch: its first record failed once, or, with bisect, the report was
            // the split, which costs no retry.
            rest.failures = u32::from(!policy.bisect);
            Next { finished: succeeded.last_sequence(), ..exhausted_or_again(rest, policy) }
        }
    }
}

/// How long to wait before the next try: doubles from `first` up to `max`.
pub(super) fn wait(tries: u32, first: Duration, max: Duration) -> Duration {
    let factor = 1_u32.checked_shl(tries.saturating_sub(1).min(20)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(max)
}

fn after_failure(mut work: Work, policy: &Policy) -> Next {
    if policy.bisect && work.records.len() > 1 {
        let middle = work.records.len().div_ceil(2);
        let (first, second) = work.split_at(middle);
        return Next { again: vec![first, second], ..Next::default() };
    }
    work.failures = work.failures.saturating_add(1);
    exhausted_or_again(work, policy)
}

fn exhausted_or_again(work: Work, policy: &Policy) -> Next {
    let exhausted = policy.retries_max.is_some_and(|retries_max| work.failures > retries_max);
    if exhausted {
        Next { given_up: Some((work, Condition::RetryAttemptsExhausted)), ..Next::default() }
    } else {
        Next { again: vec![work], ..Next::default() }
    }
}

fn age(record: &Record, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(record.arrived_at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_source::fixture::{ARRIVED_AT, records};

    const PATIENT: Policy = Policy { retries_max: None, age_max: None, bisect: false };
    const BISECT: Policy = Policy { bisect: true, ..PATIENT };

    fn work(count: usize) -> Work {
        Work { records: records(count), failures: 0, invocations: 1 }
    }

    fn sequences(work: &Work) -> Vec<&str> {
        work.records.iter().map(|record| record.sequence.as_str()).collect()
    }

    fn limited(retries_max: u32) -> Policy {
        Policy { retries_max: Some(retries_max), ..PATIENT }
    }

    #[test]
    fn success_finishes_the_batch() {
        let next = after(work(3), Verdict::Succeeded, &PATIENT);
        assert_eq!(next, Next { finished: Some("102".into()), ..Next::default() });
    }

    #[test]
    fn failure_is_tried_again_until_the_retries_are_used_up() {
        let mut now = work(2);
        for failures in 1..=2 {
            let next = after(now, Verdict::Failed, &limited(2));
            now = next.again.into_iter().next().unwrap();
            assert_eq!(now.failures, failures);
        }
        let last = after(now, Verdict::Failed, &limited(2));
        let (given_up, condition) = last.given_up.unwrap();
        assert_eq!((given_up.records.len(), condition), (2, Condition::RetryAttemptsExhausted));
        assert!(last.again.is_empty());
        assert!(after(work(2), Verdict::Failed, &limited(0)).given_up.is_some());
    }

    #[test]
    fn without_a_limit_it_is_tried_for_ever() {
        let tired = Work { failures: u32::MAX, ..work(1) };
        assert_eq!(after(tired, Verdict::Failed, &PATIENT).again.len(), 1);
    }

    #[test]
    fn a_partial_failure_keeps_what_succeeded() {
        let next = after(work(5), Verdict::FailedFrom(3), &limited(1));
        assert_eq!(next.finished.as_deref(), Some("102"));
        assert_eq!(sequences(&next.again[0]), ["103", "104"]);
        assert_eq!(next.again[0].failures, 1);
        let impatient = after(work(5), Verdict::FailedFrom(3), &limited(0));
        assert_eq!(impatient.finished.as_deref(), Some("102"));
        assert_eq!(sequences(&impatient.given_up.unwrap().0), ["103", "104"]);
    }

    #[test]
    fn with_bisect_a_report_is_the_split_and_costs_nothing() {
        let policy = Policy { retries_max: Some(0), ..BISECT };
        let next = after(work(5), Verdict::FailedFrom(3), &policy);
        assert_eq!(sequences(&next.again[0]), ["103", "104"]);
        assert_eq!(next.again[0].failures, 0);
    }

    #[test]
    fn bisect_halves_in_order() {
        let next = after(work(5), Verdict::Failed, &BISECT);
        assert_eq!(sequences(&next.again[0]), ["100", "101", "102"]);
        assert_eq!(sequences(&next.again[1]), ["103", "104"]);
        assert_eq!(next.finished, None);
    }

    #[test]
    fn bisect_isolates_the_one_bad_record() {
        let policy = Policy { retries_max: Some(1), ..BISECT };
        let (mut todo, mut done, mut lost) = (vec![work(8)], Vec::new(), Vec::new());
        while let Some(now) = todo.pop() {
            let bad = sequences(&now).contains(&"105");
            let all: Vec<String> = sequences(&now).into_iter().map(str::to_owned).collect();
            let next = after(now, if bad { Verdict::Failed } else { Verdict::Succeeded }, &policy);
            if next.finished.is_some() {
                done.extend(all);
            }
            lost.extend(next.given_up.into_iter().flat_map(|(work, _)| work.records));
            todo.extend(next.again.into_iter().rev());
        }
        assert_eq!(done, ["100", "101", "102", "103", "104", "106", "107"]);
        assert_eq!(lost.iter().map(|record| record.sequence.as_str()).collect::<Vec<_>>(), ["105"]);
    }

    #[test]
    fn what_is_too_old_is_given_up_before_it_is_tried() {
        let policy = Policy { age_max: Some(Duration::from_secs(60)), ..PATIENT };
        let at = |seconds: i64| Timestamp::constant(ARRIVED_AT.as_second() + seconds, 0);
        assert_eq!(before(work(3), at(60), &policy), (None, Some(work(3))));
        // Records of the fixture arrive a second apart.
        let (old, rest) = before(work(3), at(61), &policy);
        assert_eq!(sequences(&old.unwrap()), ["100"]);
        assert_eq!(sequences(&rest.unwrap()), ["101", "102"]);
        assert_eq!(before(work(3), at(600), &policy), (Some(work(3)), None));
        assert_eq!(before(work(3), at(-600), &policy).0, None, "a clock that stepped back");
    }

    #[test]
    fn the_wait_doubles_up_to_its_end() {
        let [first, max] = [Duration::from_millis(100), Duration::from_secs(1)];
        let waits: Vec<u128> = (1..=6).map(|tries| wait(tries, first, max).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(wait(u32::MAX, first, max), max);
        assert_eq!(wait(0, first, max), first);
    }
}
