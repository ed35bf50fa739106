//! DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
//! VLDB 2019): how many numbers fall into each of many ranges that grow by a constant factor. Any percentile that is
//! read from it is at most [`Sketch::ERROR`] of itself away from a value at that rank, whatever the numbers are; two
//! sketches add up to the sketch of both.

use super::quantile::weighted_at;

/// Counts per range of the logarithm.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    negative: Counts,
    zero: f64,
    positive: Counts,
}

/// Neighbouring counters, of which the first is that of range `first`. At most 150,000: more ranges there are not
/// among the finite floats.
#[derive(Debug, Default)]
struct Counts {
    first: i64,
    counts: Vec<f64>,
}

impl Sketch {
    /// Half a percent: of a latency of 200 ms one millisecond.
    pub(super) const ERROR: f64 = 0.005;
    /// Each range is so many times as wide as the one before.
    const GROWTH: f64 = (1.0 + Self::ERROR) / (1.0 - Self::ERROR);

    pub(super) fn add(&mut self, value: f64, weight: f64) {
        match value {
            value if value > 0.0 => self.positive.add(range(value), weight),
            value if value < 0.0 => self.negative.add(range(-value), weight),
            _ => self.zero += weight,
        }
    }

    /// One value for each range, in their order, and how many numbers are in it.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let negative = self.negative.points().rev().map(|(value, count)| (-value, count));
        let zero = (self.zero > 0.0).then_some((0.0, self.zero));
        negative.chain(zero).chain(self.positive.points())
    }

    /// The value at a fraction; none of nothing.
    pub(super) fn at(&self, fraction: f64) -> Option<f64> {
        let points: Vec<(f64, f64)> = self.points().collect();
        weighted_at(&points, fraction)
    }

    pub(super) fn bytes(&self) -> usize {
        let counters = self.negative.counts.capacity() + self.positive.counts.capacity();
        size_of::<Self>() + counters * size_of::<f64>()
    }
}

/// The range that a positive number is in: above `GROWTH^(range - 1)`, up to `GROWTH^range`.
#[expect(clippy::cast_possible_truncation, reason = "logarithms of floats are small")]
fn range(value: f64) -> i64 {
    (value.ln() / Sketch::GROWTH.ln()).ceil() as i64
}

impl Counts {
    fn add(&mut self, range: i64, weight: f64) {
        if self.counts.is_empty() {
            self.first = range;
        }
        if range < self.first {
            let missing = usize::try_from(self.first - range).unwrap_or(0);
            self.counts.splice(0..0, std::iter::repeat_n(0.0, missing));
            self.first = range;
        }
        let place = usize::try_from(range - self.first).unwrap_or(0);
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0.0);
        }
        if let Some(count) = self.counts.get_mut(place) {
            *count += weight;
        }
    }

    /// The middle of each range in which there is something: as far from its lower end as from its upper one, as parts
    /// of them.
    fn points(&self) -> impl DoubleEndedIterator<Item = (f64, f64)> {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
        counts.map(|(place, count)| {
            #[expect(clippy::cast_precision_loss, reason = "ranges are few")]
            let exponent = (self.first + i64::try_from(place).unwrap_or(0)) as f64;
            let upper = (exponent * Sketch::GROWTH.ln()).exp();
            ((upper * (2.0 / (1.0 + Sketch::GROWTH))).min(f64::MAX), *count)
        })
    }
}
