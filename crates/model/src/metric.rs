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
}
