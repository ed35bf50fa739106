//! What goes wrong on purpose, drawn from a seed so that a failure can be had again.

mod strikes;

use std::time::Duration;

use chance::Chance;

pub use strikes::{Strikes, word};

/// How often each fault happens. A chance is between 0 and 1 for each occasion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultPlan {
    /// The same seed draws the same faults at the same occasions.
    pub seed: u64,
    /// The chances.
    pub odds: Odds,
}

/// The chance of each fault at each of its occasions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Odds {
    /// During an invocation: everything is stopped for a while, as under CPU pressure.
    pub freeze: f64,
    /// Of a message between platform and sandbox (a telemetry POST, the answer to a registration, to a subscription or
    /// to `next`, SHUTDOWN among them): everything is stopped just before or just after it.
    pub freeze_message: f64,
    /// After a telemetry POST that was answered: the same body again.
    pub redeliver: f64,
    /// Of a record: cut over two POSTs although it is smaller than `maxBytes`.
    pub cut: f64,
    /// During an invocation: the function is killed.
    pub kill_function: f64,
    /// During an invocation: an extension is killed.
    pub kill_extension: f64,
    /// At a thaw: with a faked clock the wall clock is hours later, or earlier; else the stop lasts some seconds.
    pub clock_jump: f64,
}

impl Odds {
    /// The [words](word) of the faults that these odds can bring.
    pub fn faults(&self) -> Vec<&'static str> {
        let all = [
            (self.freeze, word::FREEZE),
            (self.freeze_message, word::STOP),
            (self.redeliver, word::REDELIVERY),
            (self.cut, word::CUT),
            (self.kill_function, word::KILLED_FUNCTION),
            (self.kill_extension, word::KILLED_EXTENSION),
            (self.clock_jump, word::CLOCK_JUMP),
        ];
        all.into_iter().filter(|(odds, _)| *odds > 0.0).map(|(_, word)| word).collect()
    }
}

impl FaultPlan {
    /// No fault until odds are set.
    pub fn new(seed: u64) -> Self {
        Self { seed, odds: Odds::default() }
    }
}

/// Draws faults. Each environment and each relay has its own, so that one's occasions do not shift another's.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    chance: Chance,
    /// Messages are many and their number is the machine's: what is drawn for them does not shift the rest.
    messages: Chance,
    odds: Odds,
    strikes: Strikes,
}

/// A stop around one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The message is on its way when everything stops for so long.
    Before(Duration),
    /// Everything stops so long after the message.
    After { pause: Duration, length: Duration },
}

/// What goes wrong during one invocation, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// Everything stops for so long.
    Freeze(Duration),
    /// The function is killed.
    KillFunction,
    /// The first extension is killed.
    KillExtension,
}

/// What keeps the throwers of one plan apart: any large odd number.
const APART: u64 = 0x9e37_79b9_7f4a_7c15;

/// Faults of an invocation fall into its first so many milliseconds: short functions are hit too.
const BLOW_WITHIN_MS: u64 = 200;
/// A freeze in mid-invocation or around a message lasts up to so long.
const FREEZE_MS_MAX: u64 = 400;
/// A freeze after a message comes within so long: what the message sets off is cut at any point.
const AFTER_MS_MAX: u64 = 20;
/// A clock jump on the machine's clock: the environment stays stopped for so long before it goes on.
const STOP_MS: std::ops::Range<u64> = 1_000..3_000;
/// A clock jump on a faked clock: a sandbox lives for hours between two invocations; a clock that is corrected goes
/// back by less.
const FORWARD_MS_MAX: u64 = 12 * 60 * 60 * 1_000;
const BACK_MS_MAX: u64 = 10 * 60 * 1_000;
/// One in so many jumps goes back.
const BACK_ONE_IN: u64 = 4;

/// A clock jump, in both of its forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump {
    /// How much longer everything stays stopped, on the machine's clock.
    pub(crate) stop: Duration,
    /// How far a faked clock goes, back if negative.
    pub(crate) shift_ms: i64,
}

impl Dice {
    /// The `ordinal`-th thrower of a plan.
    pub(crate) fn new(plan: &FaultPlan, ordinal: u64, strikes: Strikes) -> Self {
        let seed = Chance::new(plan.seed).draw().wrapping_add(ordinal.wrapping_mul(APART));
        Self::of(seed, plan.odds, strikes)
    }

    /// Another thrower that does not share this one's occasions.
    pub(crate) fn split(&mut self) -> Self {
        Self::of(self.chance.draw(), self.odds, self.strikes.clone())
    }

    fn of(seed: u64, odds: Odds, strikes: Strikes) -> Self {
        Self { chance: Chance::new(seed), messages: Chance::new(!seed), odds, strikes }
    }

    /// Where to say that a fault struck.
    pub(crate) fn strikes(&self) -> Strikes {
        self.strikes.clone()
    }

    /// What happens around the message that is about to be sent.
    pub(crate) fn stop(&mut self) -> Option<Stop> {
        let drawn = &mut self.messages;
        let happens = drawn.happens(self.odds.freeze_message);
        let length = Duration::from_millis(1 + drawn.below(FREEZE_MS_MAX));
        let pause = Duration::from_millis(drawn.below(AFTER_MS_MAX));
        let before = drawn.happens(0.5);
        happens.then_some(if before { Stop::Before(length) } else { Stop::After { pause, length } })
    }

    /// What goes wrong in the invocation that begins now, and how long after its beginning.
    pub(crate) fn blow(&mut self) -> Option<(Duration, Blow)> {
        let after = Duration::from_millis(self.chance.below(BLOW_WITHIN_MS));
        let freeze = Duration::from_millis(1 + self.chance.below(FREEZE_MS_MAX));
        let odds = self.odds;
        let drawn = [
            (self.chance.happens(odds.freeze), Blow::Freeze(freeze)),
            (self.chance.happens(odds.kill_function), Blow::KillFunction),
            (self.chance.happens(odds.kill_extension), Blow::KillExtension),
        ];
        drawn.iter().find(|(happens, _)| *happens).map(|(_, blow)| (after, *blow))
    }

    /// What a stopped environment finds at its thaw.
    pub(crate) fn jump(&mut self) -> Option<Jump> {
        let stop = Duration::from_millis(STOP_MS.start + self.chance.below(STOP_MS.end - STOP_MS.start));
        let (forward_ms, back_ms) =
            (1 + self.chance.below(FORWARD_MS_MAX), 1 + self.chance.below(BACK_MS_MAX));
        let back = self.chance.below(BACK_ONE_IN) == 0;
        let shift_ms = if back { -back_ms.cast_signed() } else { forward_ms.cast_signed() };
        self.chance.happens(self.odds.clock_jump).then_some(Jump { stop, shift_ms })
    }

    /// Whether an answered POST is repeated.
    pub(crate) fn redelivers(&mut self) -> bool {
        self.chance.happens(self.odds.redeliver)
    }

    /// Which record of a batch is cut, and after how many bytes of its value.
    pub(crate) fn cut(
        &mut self,
        records: usize,
        value_bytes: impl Fn(usize) -> usize,
    ) -> Option<(usize, usize)> {
        let drawn = (self.chance.draw(), self.chance.draw());
        if !self.chance.happens(self.odds.cut) || records == 0 {
            return None;
        }
        let within = |drawn: u64, end: usize| usize::try_from(drawn % end.max(1) as u64).unwrap_or(0);
        let index = within(drawn.0, records);
        Some((index, within(drawn.1, value_bytes(index))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(odds: Odds) -> FaultPlan {
        FaultPlan { seed: 42, odds }
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let odds = Odds { freeze: 0.3, kill_function: 0.1, kill_extension: 0.1, ..Odds::default() };
        let draw = || {
            let mut dice = Dice::new(&plan(odds), 3, Strikes::default());
            (0..100).map(|_| dice.blow()).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        assert!(draw().iter().any(Option::is_some) && draw().iter().any(Option::is_none));
    }

    #[test]
    fn clocks_jump_forward_and_back() {
        let mut dice = Dice::new(&plan(Odds { clock_jump: 1.0, ..Odds::default() }), 0, Strikes::default());
        let shifts: Vec<_> = (0..100).map(|_| dice.jump().unwrap().shift_ms).collect();
        assert!(shifts.iter().any(|shift| *shift < 0) && shifts.iter().any(|shift| *shift > 3_600_000));
    }

    #[test]
    fn stops_come_before_and_after_messages_and_shift_nothing_else() {
        let odds = Odds { freeze_message: 0.5, kill_function: 0.3, ..Odds::default() };
        let (mut quiet, mut chatty) =
            (Dice::new(&plan(odds), 0, Strikes::default()), Dice::new(&plan(odds), 0, Strikes::default()));
        let stops: Vec<_> = (0..100).map(|_| chatty.stop()).collect();
        for is in [
            |stop: &Option<Stop>| stop.is_none(),
            |stop: &Option<Stop>| matches!(stop, Some(Stop::Before(length)) if !length.is_zero()),
            |stop: &Option<Stop>| matches!(stop, Some(Stop::After { length, .. }) if !length.is_zero()),
        ] {
            assert!(stops.iter().any(is), "{stops:?}");
        }
        for _ in 0..100 {
            assert_eq!(quiet.blow(), chatty.blow());
        }
    }

    #[test]
    fn environments_draw_differently() {
        let odds = Odds { redeliver: 0.5, ..Odds::default() };
        let draw = |ordinal| {
            let mut dice = Dice::new(&plan(odds), ordinal, Strikes::default());
            (0..64).map(|_| dice.redelivers()).collect::<Vec<_>>()
        };
        assert_ne!(draw(0), draw(1));
    }

    #[test]
    fn chances_of_nought_and_one_are_certain() {
        let mut dice = Dice::new(&plan(Odds { cut: 1.0, ..Odds::default() }), 0, Strikes::default());
        for _ in 0..100 {
            assert!(dice.blow().is_none() && dice.jump().is_none() && !dice.redelivers());
            assert_eq!(dice.stop(), None);
            let (index, kept) = dice.cut(5, |_| 10).unwrap();
            assert!(index < 5 && kept < 10);
        }
    }
}
