//! `model::Metric` → OTLP `Metric`, field by field from the last to the first. Neighbours of one name, unit and shape
//! share one OTLP metric; the order is kept. Called by `batch`.

use model::{Buckets, Histogram, Metric, MetricKind, Temporality, Timestamp};
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;

use crate::otlp::span::write_attributes;
use crate::otlp::{histogram, to_nanos};
use crate::writer::Writer;

/// Field numbers (opentelemetry-proto, `metrics/v1/metrics.proto`).
mod field {
    /// `metrics` of `ScopeMetrics`.
    pub(super) const METRICS: u64 = 2;
    pub(super) const NAME: u64 = 1;
    pub(super) const UNIT: u64 = 3;
    pub(super) const GAUGE: u64 = 5;
    pub(super) const SUM: u64 = 7;
    pub(super) const HISTOGRAM: u64 = 9;
    pub(super) const EXPONENTIAL_HISTOGRAM: u64 = 10;
    /// Of each of these four.
    pub(super) const DATA_POINTS: u64 = 1;
    /// Of all but the gauge.
    pub(super) const TEMPORALITY: u64 = 2;
    /// Of the sum.
    pub(super) const IS_MONOTONIC: u64 = 3;
}
/// Of `NumberDataPoint`.
mod point {
    pub(super) const START_TIME: u64 = 2;
    pub(super) const TIME: u64 = 3;
    pub(super) const AS_DOUBLE: u64 = 4;
    pub(super) const ATTRIBUTES: u64 = 7;
}

/// What the points of one OTLP metric have in common. A summary is a histogram without buckets: OTLP's own word for
/// count, sum, min and max.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Gauge,
    Sum { temporality: Temporality, monotonic: bool },
    Histogram(Temporality),
    Exponential(Temporality),
}

impl Shape {
    fn of(kind: &MetricKind) -> Self {
        match kind {
            MetricKind::Gauge(_) => Self::Gauge,
            MetricKind::Sum(_) => Self::Sum { temporality: Temporality::Delta, monotonic: true },
            MetricKind::Counter(counter) => {
                Self::Sum { temporality: counter.temporality, monotonic: counter.monotonic }
            }
            MetricKind::Summary { .. } => Self::Histogram(Temporality::Delta),
            MetricKind::Histogram(histogram) if histogram::is_exponential(histogram) => {
                Self::Exponential(histogram.temporality)
            }
            MetricKind::Histogram(histogram) => Self::Histogram(histogram.temporality),
        }
    }
}

/// Writes the fields of an OTLP `ScopeMetrics`.
pub(crate) fn write(writer: &mut Writer, metrics: &[Metric]) {
    let alike = |one: &Metric, next: &Metric| {
        one.name == next.name && one.unit == next.unit && Shape::of(&one.kind) == Shape::of(&next.kind)
    };
    for run in metrics.chunk_by(alike).rev() {
        writer.message(field::METRICS, |writer| write_metric(writer, run));
    }
}

/// The fields of one OTLP `Metric`. All points are alike.
fn write_metric(writer: &mut Writer, points: &[Metric]) {
    let Some(Metric { name, unit, kind, .. }) = points.first() else { return };
    let shape = Shape::of(kind);
    let data = match shape {
        Shape::Gauge => field::GAUGE,
        Shape::Sum { .. } => field::SUM,
        Shape::Histogram(_) => field::HISTOGRAM,
        Shape::Exponential(_) => field::EXPONENTIAL_HISTOGRAM,
    };
    writer.message(data, |writer| {
        if let Shape::Sum { monotonic: true, .. } = shape {
            writer.varint(field::IS_MONOTONIC, 1);
        }
        match shape {
            Shape::Gauge => {}
            Shape::Sum { temporality, .. }
            | Shape::Histogram(temporality)
            | Shape::Exponential(temporality) => {
                writer.varint(field::TEMPORALITY, temporality_number(temporality));
            }
        }
        for metric in points.iter().rev() {
            writer.message(field::DATA_POINTS, |writer| write_point(writer, metric));
        }
    });
    for (field, text) in [(field::UNIT, unit), (field::NAME, name)] {
        if !text.is_empty() {
            writer.bytes(field, text.as_bytes());
        }
    }
}

fn write_point(writer: &mut Writer, metric: &Metric) {
    let attributes = |writer: &mut Writer, field| {
        write_attributes(writer, field, metric.request_id.as_deref(), &metric.attributes);
    };
    let (value, since) = match &metric.kind {
        MetricKind::Gauge(value) | MetricKind::Sum(value) => (*value, Timestamp::EPOCH),
        MetricKind::Counter(counter) => (counter.value, counter.since),
        MetricKind::Summary { count, sum, min, max } => {
            let bare = Histogram {
                temporality: Temporality::Delta,
                since: Timestamp::EPOCH,
                count: *count,
                sum: Some(*sum),
                min: Some(*min),
                max: Some(*max),
                buckets: Buckets::Explicit { bounds: Vec::new(), counts: Vec::new() },
            };
            return histogram::write(writer, &bare, metric.time, attributes);
        }
        MetricKind::Histogram(histogram) => {
            return histogram::write(writer, histogram, metric.time, attributes);
        }
    };
    attributes(writer, point::ATTRIBUTES);
    writer.fixed64(point::AS_DOUBLE, value.to_bits());
    for (field, time) in [(point::TIME, metric.time), (point::START_TIME, since)] {
        if to_nanos(time) != 0 {
            writer.fixed64(field, to_nanos(time));
        }
    }
}

/// OTLP's number.
fn temporality_number(temporality: Temporality) -> u64 {
    let number = match temporality {
        Temporality::Delta => AggregationTemporality::Delta,
        Temporality::Cumulative => AggregationTemporality::Cumulative,
    };
    u64::from((number as i32).unsigned_abs())
}

#[cfg(test)]
mod tests;
