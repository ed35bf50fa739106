//! Heatmaps: how many events fall in each bucket of time and each bucket of a number. Answered by two ordinary queries:
//! from where to where the number goes, then how many events each bucket has. What a bucket is, is decided here.

use crate::arithmetic::{Arithmetic, Function, Sign};
use crate::ast::{Condition, Filter, Group, Key, Query, Test};
use crate::calculation::{Calculation, Operator};
use crate::formula::Derived;

/// What is drawn: a key's number against time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heatmap {
    /// Whose number.
    pub key: Key,
    /// How its buckets grow; if it is not said, as the numbers suggest ([`Rows::of`]).
    pub scale: Option<Scale>,
}

/// How the buckets of a number grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Each is as wide as the one before.
    Linear,
    /// Each is so many times as wide as the one before.
    Log,
}

/// The buckets of a heatmap's number, from the lowest.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// How they grow.
    pub scale: Scale,
    /// How wide a bucket is; on a log scale, how many times its beginning its end is.
    pub width: f64,
    /// The buckets' numbers: from a multiple (or power) of the width on.
    numbers: std::ops::RangeInclusive<i64>,
    /// On a log scale buckets per decade, less than one where a bucket is several decades wide; else 0.
    per_decade: f64,
    /// Whether some numbers have no logarithm. They are in a bucket of their own, below all others.
    pub has_lowest: bool,
}

/// More rows than a terminal shows at once are no picture any more.
const ROWS_MAX: f64 = 24.0;
/// Numbers this many times apart are drawn on a log scale, if nothing else is said: on another one most of them would
/// be in the lowest bucket.
const LOG_FROM: f64 = 100.0;
/// Buckets per decade, finest first; each makes edges that are easy to read. All numbers that there are, 632 decades,
/// fit with the last.
const PER_DECADE: [f64; 11] = [10.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02];
/// Names that no event's key has: of the number, and of the bucket it is in.
const VALUE: &str = "\0value";
const BUCKET: &str = "\0bucket";

impl Scale {
    /// Both by their names.
    pub const ALL: [(&str, Self); 2] = [("LINEAR", Self::Linear), ("LOG", Self::Log)];

    /// The scale of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, scale)| *scale)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "LINEAR",
            Self::Log => "LOG",
        }
    }
}

impl Rows {
    /// Buckets for numbers from `least` to `greatest`, at most 24 of them with round edges. `least_positive` is the
    /// least number over zero, if there is one.
    pub fn of(wanted: Option<Scale>, least: f64, greatest: f64, least_positive: Option<f64>) -> Self {
        let positive = least_positive.filter(|_| greatest > 0.0);
        let suggested = match positive {
            Some(_) if least > 0.0 && greatest / least >= LOG_FROM => Scale::Log,
            _ => Scale::Linear,
        };
        match (wanted.unwrap_or(suggested), positive) {
            (Scale::Log, Some(positive)) => Self::log(least, greatest, positive),
            // Of numbers without logarithms there is only the other scale.
            _ => Self::linear(least, greatest),
        }
    }

    fn linear(least: f64, greatest: f64) -> Self {
        // Wherever the least one falls in its bucket, so many widths lie in one bucket more at most.
        let width = round_up((greatest - least) / (ROWS_MAX - 1.0) * (1.0 + 1e-9));
        // One number alone, or several that floats hardly tell apart, are in one bucket.
        let apart = greatest > least && least + width > least && greatest + width > greatest;
        let width = if apart { width } else { round_up(greatest.abs().max(1.0)) };
        let numbers = whole(least / width)..=whole(greatest / width);
        Self { scale: Scale::Linear, width, numbers, per_decade: 0.0, has_lowest: false }
    }

    fn log(least: f64, greatest: f64, positive: f64) -> Self {
        let decades = greatest.log10() - positive.log10();
        let others = if least <= 0.0 { 2.0 } else { 1.0 };
        let fits = |steps: &&f64| decades * **steps + others <= ROWS_MAX;
        let per_decade = PER_DECADE.iter().find(fits).copied().unwrap_or(0.02);
        let number = |value: f64| whole(value.log10() * per_decade);
        Self {
            scale: Scale::Log,
            width: 10_f64.powf(1.0 / per_decade),
            numbers: number(positive)..=number(greatest),
            per_decade,
            has_lowest: least <= 0.0,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let own = self.numbers.end() - self.numbers.start() + 1;
        usize::try_from(own).unwrap_or(0) + usize::from(self.has_lowest)
    }

    /// From where (none: from below) to where each goes, from the lowest; the end is outside.
    pub fn edges(&self) -> Vec<(Option<f64>, f64)> {
        let lowest = self.has_lowest.then_some((None, self.edge(*self.numbers.start())));
        let own = self.numbers.clone().map(|number| (Some(self.edge(number)), self.edge(number + 1)));
        lowest.into_iter().chain(own).collect()
    }

    /// The place of the bucket that the cells' query calls so; none for one that cannot be.
    pub fn place(&self, bucket: Option<f64>) -> Option<usize> {
        let Some(bucket) = bucket else { return self.has_lowest.then_some(0) };
        // What floats make of an edge may be one bucket off at either end.
        let bucket = whole(bucket).clamp(*self.numbers.start(), *self.numbers.end());
        let place = usize::try_from(bucket - self.numbers.start()).ok()?;
        Some(place + usize::from(self.has_lowest))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a few dozen buckets around numbers that floats told apart"
    )]
    fn edge(&self, number: i64) -> f64 {
        match self.scale {
            Scale::Linear => number as f64 * self.width,
            // Past the greatest number there is none to be written.
            Scale::Log => 10_f64.powf(number as f64 / self.per_decade).min(f64::MAX),
        }
    }

    /// The bucket's number, of the number itself.
    fn bucket(&self, value: Arithmetic<Key>) -> Arithmetic<Key> {
        let join =
            |sign, left, number| Arithmetic::Join(sign, Box::new(left), Box::new(Arithmetic::Number(number)));
        let scaled = match self.scale {
            Scale::Linear => join(Sign::Over, value, self.width),
            Scale::Log => {
                let exponent = Arithmetic::Apply(Function::Log10, Box::new(value));
                join(Sign::Times, exponent, self.per_decade)
            }
        };
        Arithmetic::Apply(Function::Floor, Box::new(scaled))
    }
}

/// A range of numbers, as the first query of a heatmap answers it.
pub const RANGE: [&str; 3] = ["least", "greatest", "least_positive"];

impl Query {
    /// The query that tells from where to where the number goes; its figures are called [`RANGE`].
    pub fn heatmap_range(&self, heatmap: &Heatmap) -> Self {
        let positive = Filter::Is(Condition {
            key: Key::new(VALUE),
            test: Test::Compare(crate::ast::Comparison::Greater, crate::ast::Literal::Int(0)),
        });
        let [least, greatest, least_positive] = RANGE;
        Self {
            calculations: vec![
                Calculation::of(Operator::Min, VALUE).named(least),
                Calculation::of(Operator::Max, VALUE).named(greatest),
                Calculation::of(Operator::Min, VALUE).when(positive).named(least_positive),
            ],
            granularity_ms: None,
            ..self.with_value(heatmap)
        }
    }

    /// The query that counts the events of each bucket; a bucket is its only group, null for the lowest one.
    pub fn heatmap_cells(&self, heatmap: &Heatmap, rows: &Rows) -> Self {
        let with_value = self.with_value(heatmap);
        let bucket = Derived { name: Key::new(BUCKET), arithmetic: rows.bucket(self.value(heatmap)) };
        Self {
            calculations: vec![Calculation::count()],
            group_by: vec![Group { key: Key::new(BUCKET) }],
            derived: with_value.derived.iter().cloned().chain([bucket]).collect(),
            limit: Self::LIMIT_MAX,
            ..with_value
        }
    }

    /// The same of those events only that have a number there.
    fn with_value(&self, heatmap: &Heatmap) -> Self {
        let value = Derived { name: Key::new(VALUE), arithmetic: self.value(heatmap) };
        let has_one = Filter::Is(Condition { key: Key::new(VALUE), test: Test::Exists });
        Self {
            heatmap: None,
            derived: self.derived.iter().cloned().chain([value]).collect(),
            filter: Filter::all(vec![self.filter.clone(), has_one]),
            ..self.clone()
        }
    }

    /// The number, also where the key is derived itself.
    fn value(&self, heatmap: &Heatmap) -> Arithmetic<Key> {
        let derived = self.derived.iter().find(|derived| derived.name == heatmap.key);
        derived.map_or_else(|| Arithmetic::Of(heatmap.key.clone()), |derived| derived.arithmetic.clone())
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, not below the number.
fn round_up(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let fits = |step: &&f64| **step * power >= number * (1.0 - 1e-9);
    [1.0, 2.0, 2.5, 5.0].iter().find(fits).copied().unwrap_or(10.0) * power
}

/// Rounded down, within what 64 bits hold.
#[expect(clippy::cast_possible_truncation, reason = "what is out of range is held at its end")]
fn whole(number: f64) -> i64 {
    number.floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_close_together_have_equal_buckets_with_round_edges() {
        let rows = Rows::of(None, 12.0, 480.0, Some(12.0));
        assert_eq!((rows.scale, rows.width), (Scale::Linear, 25.0));
        assert_eq!(rows.edges()[0], (Some(0.0), 25.0));
        assert_eq!(rows.edges().last(), Some(&(Some(475.0), 500.0)));
    }

    #[test]
    fn numbers_far_apart_have_buckets_that_grow() {
        let rows = Rows::of(None, 1.0, 30_000.0, Some(1.0));
        assert_eq!((rows.scale, rows.per_decade, rows.count()), (Scale::Log, 5.0, 23));
        assert_eq!(rows.edges()[5], (Some(10.0), 10_f64.powf(1.2)));
    }

    #[test]
    fn what_has_no_logarithm_is_in_a_bucket_of_its_own() {
        let rows = Rows::of(Some(Scale::Log), -3.0, 1_000.0, Some(10.0));
        assert_eq!(rows.edges()[0], (None, 10.0));
        assert_eq!((rows.place(None), rows.place(Some(10.0))), (Some(0), Some(1)));
        assert_eq!(Rows::of(Some(Scale::Log), -3.0, 0.0, None).scale, Scale::Linear);
    }

    #[test]
    fn one_number_alone_has_one_bucket() {
        for number in [0.0, 5.0, -7.0, 1e300, 1e-300] {
            let rows = Rows::of(None, number, number, (number > 0.0).then_some(number));
            assert_eq!(rows.count(), 1, "{number}: {rows:?}");
            let (from, to) = rows.edges()[0];
            assert!(from.unwrap() <= number && number < to, "{number}: {rows:?}");
        }
    }

    #[test]
    fn however_far_apart_numbers_are_they_have_24_rows_at_most() {
        for (least, greatest) in [(1e-15, 1e15), (f64::MIN_POSITIVE, f64::MAX), (1e-3, 1e20), (1.0, 9.9e22)] {
            let rows = Rows::of(None, least, greatest, Some(least));
            assert_eq!(rows.scale, Scale::Log);
            assert!((6..=24).contains(&rows.count()), "{least} to {greatest}: {}", rows.count());
            let with_lowest = Rows::of(Some(Scale::Log), -1.0, greatest, Some(least));
            assert!(with_lowest.count() <= 24, "{}", with_lowest.count());
            assert!(rows.edges().iter().all(|(_, to)| to.is_finite()));
        }
    }

    proptest! {
        #[test]
        fn every_number_is_between_its_edges(
            mut numbers in (-1e9..1e9_f64, -1e9..1e9_f64), share in 0.0..1.0_f64, log in any::<bool>(),
        ) {
            if numbers.0 > numbers.1 {
                numbers = (numbers.1, numbers.0);
            }
            let (least, greatest) = numbers;
            let wanted = if log { Scale::Log } else { Scale::Linear };
            let rows = Rows::of(Some(wanted), least, greatest, (greatest > 0.0).then(|| least.max(1e-3)));
            prop_assert!(rows.count() <= 24, "{:?}", rows);
            let value = least + (greatest - least) * share;
            let bucket = match rows.scale {
                Scale::Linear => Some((value / rows.width).floor()),
                Scale::Log => (value >= 1e-3).then(|| (value.log10() * rows.per_decade).floor()),
            };
            prop_assume!(bucket.is_some() || rows.has_lowest);
            let (from, to) = rows.edges()[rows.place(bucket).unwrap()];
            let slack = (value.abs() + rows.width) * 1e-9;
            prop_assert!(from.is_none_or(|from| from <= value + slack) && value < to + slack, "{value}: {from:?} {to} {rows:?}");
        }
    }
}
