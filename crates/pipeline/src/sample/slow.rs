//! What "slow" means: a fixed duration, or what this sandbox's last invocations say is unusual.

use std::collections::VecDeque;
use std::time::Duration;

/// So many of the last durations are remembered: enough for a percentile, few enough to follow a deploy.
const REMEMBERED: usize = 128;
/// With fewer, the 95th percentile is the slowest one or two, and half of all invocations would be slower.
const LEARNT_FROM: usize = 20;

/// Tells slow invocations.
#[derive(Debug)]
pub(super) enum Slow {
    /// From this duration on.
    From(Duration),
    /// Slower than 95 % of the last ones; nothing is slow before there are enough.
    Learnt(VecDeque<Duration>),
}

impl Slow {
    pub(super) fn new(from: Option<Duration>) -> Self {
        from.map_or_else(|| Self::Learnt(VecDeque::new()), Self::From)
    }

    /// Judges one, and learns from it.
    pub(super) fn judge(&mut self, duration: Duration) -> bool {
        match self {
            Self::From(from) => duration >= *from,
            Self::Learnt(last) => {
                let is_slow = percentile_95(last).is_some_and(|usual| duration > usual);
                if last.len() == REMEMBERED {
                    last.pop_front();
                }
                last.push_back(duration);
                is_slow
            }
        }
    }
}

fn percentile_95(last: &VecDeque<Duration>) -> Option<Duration> {
    if last.len() < LEARNT_FROM {
        return None;
    }
    let mut durations: Vec<Duration> = last.iter().copied().collect();
    let rank = (durations.len() * 95).div_ceil(100) - 1;
    Some(*durations.select_nth_unstable(rank).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_fixed_duration_counts_from_itself_on() {
        let mut slow = Slow::new(Some(ms(100)));
        assert_eq!([99, 100, 101].map(|millis| slow.judge(ms(millis))), [false, true, true]);
    }

    #[test]
    fn what_is_unusual_is_learnt() {
        let mut slow = Slow::new(None);
        assert!(!slow.judge(ms(9_000)), "the first tells nothing");
        for _ in 0..40 {
            assert!(!slow.judge(ms(10)), "the usual is not slow");
        }
        assert!(slow.judge(ms(11)));
        for _ in 0..REMEMBERED {
            slow.judge(ms(500));
        }
        assert!(!slow.judge(ms(500)), "after a deploy another duration is usual");
    }
}
