//! What a sandbox has learned about its own invocations: whether the next one follows closely, and how long they take.

use std::time::Duration;

use model::Timestamp;

/// So many short pauses in a row are needed before the next one is expected to be short. Few, because a sandbox under
/// load sees them within a second; more than a person clicking through a page makes.
const PAUSES_MIN: u32 = 6;
/// A sandbox that was wrong again and again needs this many at the most.
const PAUSES_MAX: u32 = 192;
/// A run of this many times the evidence has been worth its bet, however it ends.
const RUN_FACTOR: u32 = 8;
/// How long the end of an invocation is waited for when none has been seen yet: most functions time out before.
const PATIENCE_UNKNOWN: Duration = Duration::from_secs(10);
/// Never less than this: a cold cache or a slow neighbour is no reason to let go.
const PATIENCE_MIN: Duration = Duration::from_secs(5);
/// An invocation that takes this many times the longest one so far has not been forgotten by the platform, but its
/// end is worth no more waiting: while it runs its records leave by their age all the same.
const PATIENCE_FACTOR: u32 = 4;

/// Learns from times alone. One per sandbox.
#[derive(Debug, Clone)]
pub struct Rhythm {
    /// A pause up to this is a short one.
    pause_max: Duration,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// The pause before `started` was not judged yet: the end of the invocation before it is told late where the
    /// sandbox is not held. At the most it is this long.
    unjudged: Option<Duration>,
    /// In a row, until now.
    short_pauses: u32,
    required: u32,
    longest: Option<Duration>,
    /// The last end that somebody was held for was not told.
    vain: bool,
}

impl Rhythm {
    /// Knows nothing yet. `pause_max` is the longest pause that is short.
    pub fn new(pause_max: Duration) -> Self {
        Self {
            pause_max,
            started: None,
            ended: None,
            unjudged: None,
            short_pauses: 0,
            required: PAUSES_MIN,
            longest: None,
            vain: false,
        }
    }

    /// An INVOKE.
    pub fn invoked(&mut self, now: Timestamp) {
        if let Some(pause) = self.unjudged.take() {
            self.judge(pause);
        }
        match (self.ended.take(), self.started) {
            (Some(ended), _) => self.judge(pause(ended, now)),
            (None, Some(started)) => self.unjudged = Some(pause(started, now)),
            (None, None) => {}
        }
        self.started = Some(now);
    }

    /// The platform says that an invocation was done at this time: the current one, or the one before it.
    pub fn done(&mut self, at: Timestamp) {
        self.vain = false;
        let Some(started) = self.started else { return };
        if at < started {
            if self.unjudged.take().is_some() {
                self.judge(pause(at, started));
            }
            return;
        }
        // Forgets slowly: a function that has become faster is waited for less.
        let remembered = self.longest.map_or(Duration::ZERO, |longest| longest - longest / 16);
        self.longest = Some(remembered.max(at.since(started)));
        self.ended = Some(at);
    }

    /// Somebody was held to the end of the patience, or to the deadline, and no end was told.
    pub fn waited_in_vain(&mut self) {
        self.vain = true;
    }

    /// Whether an end can be expected to be told: after one that was not, nobody is held again until another is.
    pub fn tells_ends(&self) -> bool {
        !self.vain
    }

    /// Whether the next invocation is expected within a short pause.
    pub fn is_busy(&self) -> bool {
        self.short_pauses >= self.required
    }

    /// How long an invocation's end is worth waiting for.
    pub fn patience(&self) -> Duration {
        self.longest
            .map_or(PATIENCE_UNKNOWN, |longest| longest.saturating_mul(PATIENCE_FACTOR).max(PATIENCE_MIN))
    }

    /// A pause that was long although a short one was expected makes the next expectation need twice the evidence, if
    /// there had been little to win by it; a long run of good ones halves that again.
    fn judge(&mut self, pause: Duration) {
        let long_run = self.required.saturating_mul(RUN_FACTOR);
        if pause > self.pause_max {
            if self.is_busy() && self.short_pauses < long_run {
                self.required = self.required.saturating_mul(2).min(PAUSES_MAX);
            }
            self.short_pauses = 0;
            return;
        }
        self.short_pauses = self.short_pauses.saturating_add(1);
        if self.short_pauses.is_multiple_of(long_run) {
            self.required = (self.required / 2).max(PAUSES_MIN);
        }
    }
}

/// A clock that was set back tells nothing, and what is not known is long.
fn pause(from: Timestamp, to: Timestamp) -> Duration {
    if to < from { Duration::MAX } else { to.since(from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// A sandbox and its clock.
    struct Sandbox {
        rhythm: Rhythm,
        now: i64,
    }

    impl Sandbox {
        fn new() -> Self {
            Self { rhythm: Rhythm::new(Duration::from_millis(500)), now: 0 }
        }

        /// Invocations of 10 ms, each after `pause` ms; their ends are told at once.
        fn invocations(&mut self, count: u32, pause: i64) -> &mut Self {
            for _ in 0..count {
                self.now += pause;
                self.rhythm.invoked(at(self.now));
                self.now += 10;
                self.rhythm.done(at(self.now));
            }
            self
        }

        fn is_busy(&self) -> bool {
            self.rhythm.is_busy()
        }
    }

    #[test]
    fn a_few_short_pauses_make_it_busy_and_one_long_pause_ends_that() {
        let mut sandbox = Sandbox::new();
        assert!(!sandbox.invocations(PAUSES_MIN, 20).is_busy());
        assert!(sandbox.invocations(1, 20).is_busy());
        assert!(!sandbox.invocations(1, 5_000).is_busy());
    }

    #[test]
    fn long_invocations_back_to_back_are_busy() {
        let mut rhythm = Rhythm::new(Duration::from_millis(500));
        for number in 0..10 {
            rhythm.invoked(at(number * 3_000));
            rhythm.done(at(number * 3_000 + 2_990));
        }
        assert!(rhythm.is_busy());
    }

    #[test]
    fn an_end_that_is_told_during_the_next_invocation_counts_as_well() {
        let mut rhythm = Rhythm::new(Duration::from_millis(500));
        for number in 0..10 {
            rhythm.invoked(at(number * 3_000));
            rhythm.done(at(number * 3_000 - 10));
        }
        assert!(rhythm.is_busy());
    }

    #[test]
    fn without_any_end_the_time_between_two_beginnings_is_the_pause() {
        for (interval, busy) in [(400, true), (600, false)] {
            let mut rhythm = Rhythm::new(Duration::from_millis(500));
            (0..20).for_each(|number| rhythm.invoked(at(number * interval)));
            assert_eq!(rhythm.is_busy(), busy, "{interval}");
        }
    }

    #[test]
    fn whoever_was_wrong_needs_more_evidence_and_earns_trust_back() {
        let mut sandbox = Sandbox::new();
        sandbox.invocations(PAUSES_MIN + 1, 20).invocations(1, 60_000);
        assert!(!sandbox.invocations(PAUSES_MIN, 20).is_busy());
        assert!(sandbox.invocations(PAUSES_MIN, 20).is_busy());
        sandbox.invocations(PAUSES_MIN * 16, 20).invocations(1, 60_000);
        // Trust came back to the minimum, and what ended was worth it.
        assert!(sandbox.invocations(PAUSES_MIN, 20).is_busy());
    }

    #[test]
    fn long_bursts_are_betted_on_however_often_they_end() {
        let mut sandbox = Sandbox::new();
        let held = (0..20).map(|_| {
            sandbox.invocations(1, 60_000);
            (0..1_000).filter(|_| !sandbox.invocations(1, 20).is_busy()).count()
        });
        assert!(held.max() < usize::try_from(PAUSES_MIN).ok());
    }

    #[test]
    fn bursts_that_end_again_and_again_are_betted_on_less_and_less() {
        let mut sandbox = Sandbox::new();
        let wrong = (0..200).filter(|_| {
            let busy = sandbox.invocations(10, 20).is_busy();
            sandbox.invocations(1, 60_000);
            busy
        });
        assert!(wrong.count() <= 2);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_busy_and_overflows_nowhere() {
        let mut sandbox = Sandbox::new();
        sandbox.invocations(20, 20);
        sandbox.now -= 3_600_000;
        assert!(!sandbox.invocations(1, 20).is_busy());
        let mut rhythm = Rhythm::new(Duration::MAX);
        for nanos in [i64::MAX, i64::MIN, 0, i64::MIN, i64::MAX] {
            rhythm.invoked(Timestamp::from_nanos(nanos));
            rhythm.done(Timestamp::from_nanos(nanos));
            rhythm.done(Timestamp::EPOCH);
        }
    }

    #[test]
    fn whoever_has_waited_in_vain_does_not_wait_again_before_an_end_is_told() {
        let mut rhythm = Rhythm::new(Duration::from_millis(500));
        rhythm.invoked(at(0));
        assert!(rhythm.tells_ends());
        rhythm.waited_in_vain();
        rhythm.invoked(at(20_000));
        assert!(!rhythm.tells_ends());
        rhythm.done(at(20_010));
        assert!(rhythm.tells_ends());
    }

    #[test]
    fn patience_follows_the_longest_invocation_and_forgets_slowly() {
        let mut rhythm = Rhythm::new(Duration::from_millis(500));
        assert_eq!(rhythm.patience(), PATIENCE_UNKNOWN);
        rhythm.invoked(at(0));
        rhythm.done(at(10_000));
        assert_eq!(rhythm.patience(), Duration::from_secs(40));
        for number in 0..100 {
            rhythm.invoked(at(20_000 + number));
            rhythm.done(at(20_000 + number));
        }
        assert_eq!(rhythm.patience(), PATIENCE_MIN);
    }
}
