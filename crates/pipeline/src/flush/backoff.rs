//! How long to pause after a failed request: longer each time, and different in every sandbox, so that a thousand of
//! them do not come back to a throttled shard at once.

use std::time::Duration;

/// Why the request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Throttled, unreachable, broken off: passes by itself.
    Busy,
    /// No such stream, no permission, no keys: somebody has to do something.
    Setup,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// There will be another moment.
    Usual,
    /// The sandbox ends.
    Last,
}

/// A tenth of a typical request's time limit; an answer within the flush budget is still possible after one failure.
const FIRST: Duration = Duration::from_millis(40);
/// Busy streams are asked often: the data is ageing.
const BUSY_MAX: Duration = Duration::from_secs(2);
/// Nobody mends permissions within seconds.
const SETUP_MAX: Duration = Duration::from_secs(30);
/// At the sandbox's end there are 1.5 s for everything.
const LAST_MAX: Duration = Duration::from_millis(100);

/// Half to all of an exponentially growing time. `failures` counts from 1; `entropy` decides within the range.
pub fn pause(cause: Cause, failures: u32, urgency: Urgency, entropy: u64) -> Duration {
    let longest = match (urgency, cause) {
        (Urgency::Last, _) => LAST_MAX,
        (Urgency::Usual, Cause::Busy) => BUSY_MAX,
        (Urgency::Usual, Cause::Setup) => SETUP_MAX,
    };
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(longest);
    let half = full / 2;
    let step = u32::try_from(entropy % 1_001).unwrap_or(0);
    half + half.saturating_mul(step) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_stay_within_half_and_full() {
        for failures in 1..100 {
            for entropy in [0, 500, 1_000, u64::MAX] {
                let full = (40_u64 << (failures - 1).min(16)).min(2_000);
                let pause = pause(Cause::Busy, failures, Urgency::Usual, entropy).as_millis();
                assert!((u128::from(full / 2)..=u128::from(full)).contains(&pause), "{failures} {pause}");
            }
        }
    }

    #[test]
    fn a_wrong_setup_is_asked_less_often_but_not_at_the_end() {
        assert!(pause(Cause::Setup, 20, Urgency::Usual, 0) >= Duration::from_secs(15));
        assert!(pause(Cause::Setup, 20, Urgency::Last, 1_000) <= LAST_MAX);
    }
}
