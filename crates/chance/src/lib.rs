//! Chance that can be had again: the same seed draws the same numbers on every machine. Faults, storms and made-up
//! telemetry are drawn from it; it must never make anything secret.

/// A run of numbers: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), which is
/// small and even.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The run of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Of a seed and a name: what runs side by side under one seed does not share its draws.
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a: the standard library's hashers are seeded by the process.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    /// Any number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// From 0 to below `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    /// From 0 to below 1.
    pub fn part(&mut self) -> f64 {
        part_of(self.draw())
    }

    /// Whether something of this chance, between 0 and 1, happens. It always draws, so that another chance does not
    /// shift what comes after it.
    pub fn happens(&mut self, chance: f64) -> bool {
        self.part() < chance
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn one_of<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or_default();
        of[at]
    }
}

/// A number that looks like no other and says nothing of where it came from.
pub fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The upper 53 bits as a part of 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn part_of(drawn: u64) -> f64 {
    (drawn >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_what_its_authors_draw_from_it() {
        // The first numbers of seed 1234567, from the reference program in C (Vigna, splitmix64.c).
        let mut chance = Chance::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| chance.draw()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn names_share_no_draws() {
        assert_ne!(Chance::named(1, "a").draw(), Chance::named(1, "b").draw());
        assert_eq!(Chance::named(1, "a").draw(), Chance::named(1, "a").draw());
    }

    #[test]
    fn what_always_happens_does_and_what_never_happens_does_not() {
        let mut chance = Chance::new(1);
        assert!((0..1_000).all(|_| chance.happens(1.0) && !chance.happens(0.0)));
        assert!((0..1_000).all(|_| chance.below(3) < 3 && (0.0..1.0).contains(&chance.part())));
        assert_eq!(chance.below(0), 0);
    }
}
