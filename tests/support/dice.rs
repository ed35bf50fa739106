//! Chance that can be had again: the same seed draws the same numbers on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): small, even, and no two seeds share a run.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Of a seed and a name: scenarios that run beside each other do not share their draws.
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a: the standard library's hashers are seeded by the process.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Whether something of this chance, between 0 and 1, happens. It always draws, so that another chance does not
    /// shift what comes after it.
    pub fn happens(&mut self, chance: f64) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "53 bits are kept")]
        let drawn = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// `LIMELIGHT_FAULT_SEED`, or this one.
pub fn seed(default: u64) -> u64 {
    setting("LIMELIGHT_FAULT_SEED", default)
}

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a whole number: {text}")),
        Err(_) => default,
    }
}
