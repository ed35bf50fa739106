//! Metric points: one number, or one summary, of one thing at one time.

use crate::time::Timestamp;
use crate::value::Map;

/// One point of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// As `faas.init_duration`, or the name that an EMF line gives.
    pub name: String,
    /// UCUM or CloudWatch unit, as given (`ms`, `Milliseconds`, `Count`); empty if none.
    pub unit: String,
    /// When it was measured.
    pub time: Timestamp,
    /// The number or numbers.
    pub kind: MetricKind,
    /// The invocation that it belongs to, if any.
    pub request_id: Option<String>,
    /// Dimensions; `namespace` for a CloudWatch metric namespace.
    pub attributes: Map,
}

/// What a point holds.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricKind {
    /// The value at that time.
    Gauge(f64),
    /// What was added since the point before (delta temporality, monotonic).
    Sum(f64),
    /// Several values in one (an EMF array, a CloudWatch statistic set).
    Summary {
        /// How many.
        count: u64,
        /// Their sum.
        sum: f64,
        /// The least of them.
        min: f64,
        /// The greatest of them.
        max: f64,
    },
    /// A sum as an OpenTelemetry SDK counts it, where [`Self::Sum`] does not say it all: cumulative, one that may
    /// fall, or one that knows since when it counts.
    Counter(Counter),
    /// Many values by size, as an OpenTelemetry SDK sorts them.
    Histogram(Box<Histogram>),
}

/// What a sum counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// From the point before.
    Delta,
    /// From [`Counter::since`] or [`Histogram::since`], the same for many points.
    Cumulative,
}

/// A sum with all that OpenTelemetry says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counter {
    /// The sum.
    pub value: f64,
    /// What it counts from.
    pub temporality: Temporality,
    /// It never falls.
    pub monotonic: bool,
    /// When counting began; the epoch if nobody said.
    pub since: Timestamp,
}

/// How many values there were, and in which sizes.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// What it counts from.
    pub temporality: Temporality,
    /// When counting began; the epoch if nobody said.
    pub since: Timestamp,
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// The least of them.
    pub min: Option<f64>,
    /// The greatest of them.
    pub max: Option<f64>,
    /// In which sizes.
    pub buckets: Buckets,
}

/// Counts by size.
#[derive(Debug, Clone, PartialEq)]
pub enum Buckets {
    /// With these upper bounds, each included; the last bucket has none, so there is one more count than bounds.
    /// Both empty: nothing was kept but the totals.
    Explicit {
        /// Rising.
        bounds: Vec<f64>,
        /// One for each bound, and one more.
        counts: Vec<u64>,
    },
    /// With bounds at the powers of 2^(2^-scale).
    Exponential {
        /// The resolution: higher is finer.
        scale: i32,
        /// Values that count as zero.
        zero_count: u64,
        /// Values above zero.
        positive: ExponentialCounts,
        /// Values below zero, by their distance from it.
        negative: ExponentialCounts,
    },
}

/// Counts of one sign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExponentialCounts {
    /// The first bucket's power.
    pub offset: i32,
    /// One for each power from there.
    pub counts: Vec<u64>,
}
