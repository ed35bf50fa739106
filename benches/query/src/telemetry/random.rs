//! Numbers from a seed: splitmix64, which is quick and enough for telemetry that is made up.

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// From 0 to below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// The same as a signed number.
    pub(crate) fn below_i64(&mut self, end: i64) -> i64 {
        i64::try_from(self.below(end.unsigned_abs())).unwrap_or(0)
    }

    /// From 0 to below 1.
    pub(crate) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether what happens so often (0 to 1) happens.
    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        self.part() < chance
    }

    /// A whole number that is `mean` on average.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far inside the range")]
    pub(crate) fn about(&mut self, mean: f64) -> usize {
        mean.floor() as usize + usize::from(self.happens(mean.fract()))
    }

    /// One of them.
    pub(crate) fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(at).copied().unwrap_or_default()
    }
}

/// A number that looks like no other and says nothing of where it came from.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
