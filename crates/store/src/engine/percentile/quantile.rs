//! The numbers of one group and any percentile of them: exact up to a stated number of values, then a sketch.

use super::sketch::Sketch;

/// So many values of a group are kept as they are: 800 KB. Past it a percentile moves by the hundred-thousandth part
/// of the values, and a sketch is more exact than anybody can see.
pub(crate) const EXACT_VALUES_MAX: usize = 100_000;

/// The sketch's figure is at most so far from the exact one, as a part of it.
pub(crate) const SKETCH_ERROR: f64 = Sketch::ERROR;

/// The numbers of one group.
#[derive(Debug, Default)]
pub(super) struct Quantile {
    values: Vec<f64>,
    /// How often each value counts; empty while each counts once.
    weights: Vec<f64>,
    sketch: Option<Box<Sketch>>,
}

impl Quantile {
    /// Takes a finite value that counts `weight` times.
    pub(super) fn add(&mut self, value: f64, weight: f64) {
        if let Some(sketch) = &mut self.sketch {
            return sketch.add(value, weight);
        }
        let once = weight.total_cmp(&1.0).is_eq();
        if !once && self.weights.is_empty() {
            self.weights = vec![1.0; self.values.len()];
            self.values.push(value);
            self.weights.push(weight);
        } else {
            self.values.push(value);
            if !self.weights.is_empty() {
                self.weights.push(weight);
            }
        }
        if self.values.len() > EXACT_VALUES_MAX {
            self.sketch();
        }
    }

    /// Takes the points of another one.
    pub(super) fn merge(&mut self, values: &[f64], weights: &[f64], sketched: bool) {
        if sketched {
            self.sketch();
        }
        let weights = weights.iter().copied().chain(std::iter::repeat(1.0));
        values.iter().zip(weights).for_each(|(value, weight)| self.add(*value, weight));
    }

    /// Values, and how often each counts (nothing if each counts once).
    pub(super) fn points(&self) -> (Vec<f64>, Vec<f64>) {
        match &self.sketch {
            Some(sketch) => sketch.points().unzip(),
            None => (self.values.clone(), self.weights.clone()),
        }
    }

    pub(super) fn is_sketched(&self) -> bool {
        self.sketch.is_some()
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        let floats = self.values.capacity() + self.weights.capacity();
        floats * size_of::<f64>() + self.sketch.as_ref().map_or(0, |sketch| sketch.bytes())
    }

    /// The value at a fraction of the sorted ones, interpolated between its two neighbours; none of nothing.
    pub(super) fn at(mut self, fraction: f64) -> Option<f64> {
        if let Some(sketch) = &self.sketch {
            return sketch.at(fraction);
        }
        if self.values.is_empty() {
            return None;
        }
        if self.weights.is_empty() {
            return Some(at(&mut self.values, fraction));
        }
        let mut points: Vec<(f64, f64)> = self.values.iter().copied().zip(self.weights).collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        weighted_at(&points, fraction)
    }

    /// From now on the sketch alone.
    fn sketch(&mut self) {
        if self.sketch.is_none() {
            let mut sketch = Sketch::default();
            let weights = std::mem::take(&mut self.weights).into_iter().chain(std::iter::repeat(1.0));
            let values = std::mem::take(&mut self.values);
            values.into_iter().zip(weights).for_each(|(value, weight)| sketch.add(value, weight));
            self.sketch = Some(Box::new(sketch));
        }
    }
}

/// Of values that count once each; reorders them, which is quicker than to sort them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank is a place in the slice, whose length is bounded"
)]
fn at(values: &mut [f64], fraction: f64) -> f64 {
    let rank = fraction * values.len().saturating_sub(1) as f64;
    let (_, below, rest) = values.select_nth_unstable_by(rank.floor() as usize, f64::total_cmp);
    let below = *below;
    let above = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    below + (above - below) * rank.fract()
}

/// Of sorted points: as if each value stood there as often as its weight says.
pub(super) fn weighted_at(points: &[(f64, f64)], fraction: f64) -> Option<f64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = points
        .iter()
        .map(|(_, weight)| {
            sum += weight;
            sum
        })
        .collect();
    let rank = fraction * (sum - 1.0).max(0.0);
    // Ranks below a point's sum, and not below the one before, are that point's.
    let value = |rank: f64| {
        let place = sums.partition_point(|sum| *sum <= rank).min(points.len().saturating_sub(1));
        points.get(place).map(|(value, _)| *value)
    };
    let (below, above) = (value(rank.floor())?, value(rank.ceil())?);
    Some(below + (above - below) * rank.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn of(values: &[(f64, f64)]) -> Quantile {
        let mut quantile = Quantile::default();
        values.iter().for_each(|(value, weight)| quantile.add(*value, *weight));
        quantile
    }

    fn once(values: impl IntoIterator<Item = f64>) -> Quantile {
        of(&values.into_iter().map(|value| (value, 1.0)).collect::<Vec<_>>())
    }

    #[test]
    fn between_two_values_it_interpolates() {
        assert_eq!(once([]).at(0.5), None);
        assert_eq!(once([7.0]).at(0.99), Some(7.0));
        assert_eq!(once([4.0, 1.0, 3.0, 2.0]).at(0.5), Some(2.5));
        assert_eq!(once([10.0, 20.0]).at(0.9), Some(19.0));
    }

    #[test]
    fn a_sketch_keeps_to_its_error_and_begins_where_exactness_ends() {
        let exact = once((1..=EXACT_VALUES_MAX).map(|n| n as f64));
        assert!(!exact.is_sketched());
        let count = EXACT_VALUES_MAX * 2;
        let sketched = once((0..count).map(|n| (n as f64 + 1.0) * if n % 10 == 0 { -1.0 } else { 1.0 }));
        assert!(sketched.is_sketched());
        let mut all: Vec<f64> =
            (0..count).map(|n| (n as f64 + 1.0) * if n % 10 == 0 { -1.0 } else { 1.0 }).collect();
        let (values, weights) = sketched.points();
        for fraction in [0.001, 0.05, 0.2, 0.5, 0.9, 0.99, 0.999] {
            let mut merged = once([]);
            merged.merge(&values, &weights, true);
            let (figure, expected) = (merged.at(fraction).unwrap(), at(&mut all, fraction));
            assert!((figure - expected).abs() <= expected.abs() * SKETCH_ERROR * 1.01, "{figure} {expected}");
        }
    }

    proptest! {
        #[test]
        fn a_whole_weight_is_so_many_values(points in vec((-100.0..100.0, 1..5_u8), 1..20), fraction in 0.0..=1.0) {
            let weighted: Vec<(f64, f64)> = points.iter().map(|(value, times)| (*value, f64::from(*times))).collect();
            let repeated = points.iter().flat_map(|(value, times)| std::iter::repeat_n(*value, usize::from(*times)));
            let (left, right) = (of(&weighted).at(fraction).unwrap(), once(repeated).at(fraction).unwrap());
            prop_assert!((left - right).abs() < 1e-9, "{} {}", left, right);
        }

        #[test]
        fn parts_put_together_are_the_whole(left in vec(-1e6..1e6, 0..30), right in vec(-1e6..1e6, 1..30), fraction in 0.0..=1.0) {
            let mut merged = once(left.clone());
            let (values, weights) = once(right.clone()).points();
            merged.merge(&values, &weights, false);
            prop_assert_eq!(merged.at(fraction), once(left.into_iter().chain(right)).at(fraction));
        }
    }
}
