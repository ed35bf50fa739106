//! `model::Histogram` ↔ OTLP's histograms with explicit and with exponential bounds. Called by `metric` only.

use model::{Buckets, ExponentialCounts, Histogram, MetricKind, Temporality, Timestamp};
use opentelemetry_proto::tonic::metrics::v1 as otlp;

use otlp::exponential_histogram_data_point::Buckets as OtlpCounts;

use crate::otlp::{from_nanos, to_nanos};
use crate::writer::Writer;

/// Field numbers of `HistogramDataPoint` (opentelemetry-proto, `metrics/v1/metrics.proto`).
mod explicit {
    pub(super) const BUCKET_COUNTS: u64 = 6;
    pub(super) const EXPLICIT_BOUNDS: u64 = 7;
    pub(super) const ATTRIBUTES: u64 = 9;
    pub(super) const MIN: u64 = 11;
    pub(super) const MAX: u64 = 12;
}
/// Of `ExponentialHistogramDataPoint`, and of its `Buckets`.
mod exponential {
    pub(super) const ATTRIBUTES: u64 = 1;
    pub(super) const SCALE: u64 = 6;
    pub(super) const ZERO_COUNT: u64 = 7;
    pub(super) const POSITIVE: u64 = 8;
    pub(super) const NEGATIVE: u64 = 9;
    pub(super) const MIN: u64 = 12;
    pub(super) const MAX: u64 = 13;
    pub(super) const OFFSET: u64 = 1;
    pub(super) const BUCKET_COUNTS: u64 = 2;
}
/// Of both.
mod field {
    pub(super) const START_TIME: u64 = 2;
    pub(super) const TIME: u64 = 3;
    pub(super) const COUNT: u64 = 4;
    pub(super) const SUM: u64 = 5;
}

/// True if its bounds follow from a scale.
pub(crate) fn is_exponential(histogram: &Histogram) -> bool {
    matches!(histogram.buckets, Buckets::Exponential { .. })
}

/// Writes the fields of a point; `attributes` writes those into the field of this number.
pub(crate) fn write(
    writer: &mut Writer,
    histogram: &Histogram,
    time: Timestamp,
    attributes: impl FnOnce(&mut Writer, u64),
) {
    match &histogram.buckets {
        Buckets::Explicit { bounds, counts } => {
            write_double(writer, explicit::MAX, histogram.max);
            write_double(writer, explicit::MIN, histogram.min);
            attributes(writer, explicit::ATTRIBUTES);
            write_packed(writer, explicit::EXPLICIT_BOUNDS, bounds.iter().map(|bound| bound.to_bits()));
            write_packed(writer, explicit::BUCKET_COUNTS, counts.iter().copied());
            write_totals(writer, histogram, time);
        }
        Buckets::Exponential { scale, zero_count, positive, negative } => {
            write_double(writer, exponential::MAX, histogram.max);
            write_double(writer, exponential::MIN, histogram.min);
            for (field, counts) in [(exponential::NEGATIVE, negative), (exponential::POSITIVE, positive)] {
                writer.message(field, |writer| write_counts(writer, counts));
            }
            write_fixed(writer, exponential::ZERO_COUNT, *zero_count);
            write_signed(writer, exponential::SCALE, *scale);
            write_totals(writer, histogram, time);
            attributes(writer, exponential::ATTRIBUTES);
        }
    }
}

/// What stands before the buckets, in both kinds of points.
fn write_totals(writer: &mut Writer, histogram: &Histogram, time: Timestamp) {
    write_double(writer, field::SUM, histogram.sum);
    write_fixed(writer, field::COUNT, histogram.count);
    write_fixed(writer, field::TIME, to_nanos(time));
    write_fixed(writer, field::START_TIME, to_nanos(histogram.since));
}

fn write_counts(writer: &mut Writer, counts: &ExponentialCounts) {
    if !counts.counts.is_empty() {
        writer.message(exponential::BUCKET_COUNTS, |writer| {
            counts.counts.iter().rev().for_each(|count| writer.number(*count));
        });
    }
    write_signed(writer, exponential::OFFSET, counts.offset);
}

/// An optional field: zero is written, too.
fn write_double(writer: &mut Writer, field: u64, number: Option<f64>) {
    if let Some(number) = number {
        writer.fixed64(field, number.to_bits());
    }
}

/// As proto3 has it: zero is not written.
fn write_fixed(writer: &mut Writer, field: u64, number: u64) {
    if number != 0 {
        writer.fixed64(field, number);
    }
}

/// A `sint32`: its sign is the lowest bit, so that small numbers are short.
fn write_signed(writer: &mut Writer, field: u64, number: i32) {
    if number != 0 {
        writer.varint(field, u64::from(((number << 1) ^ (number >> 31)).cast_unsigned()));
    }
}

fn write_packed(
    writer: &mut Writer,
    field: u64,
    numbers: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator,
) {
    if numbers.len() > 0 {
        writer.message(field, |writer| {
            numbers.rev().for_each(|number| writer.raw(&number.to_le_bytes()));
        });
    }
}

fn counts_from(counts: Option<OtlpCounts>) -> ExponentialCounts {
    counts.map_or_else(ExponentialCounts::default, |counts| ExponentialCounts {
        offset: counts.offset,
        counts: counts.bucket_counts,
    })
}

/// A point, its attributes and time apart. One without buckets, whose four figures are known, is a summary.
pub(crate) fn read(point: otlp::HistogramDataPoint, temporality: Temporality) -> MetricKind {
    let bare = point.bucket_counts.is_empty() && point.explicit_bounds.is_empty();
    match (temporality, point.start_time_unix_nano, point.sum, point.min, point.max) {
        (Temporality::Delta, 0, Some(sum), Some(min), Some(max)) if bare => {
            MetricKind::Summary { count: point.count, sum, min, max }
        }
        (_, since, sum, min, max) => MetricKind::Histogram(Box::new(Histogram {
            temporality,
            since: from_nanos(since),
            count: point.count,
            sum,
            min,
            max,
            buckets: Buckets::Explicit { bounds: point.explicit_bounds, counts: point.bucket_counts },
        })),
    }
}

/// A point with exponential bounds, its attributes and time apart.
pub(crate) fn read_exponential(
    point: otlp::ExponentialHistogramDataPoint,
    temporality: Temporality,
) -> MetricKind {
    MetricKind::Histogram(Box::new(Histogram {
        temporality,
        since: from_nanos(point.start_time_unix_nano),
        count: point.count,
        sum: point.sum,
        min: point.min,
        max: point.max,
        buckets: Buckets::Exponential {
            scale: point.scale,
            zero_count: point.zero_count,
            positive: counts_from(point.positive),
            negative: counts_from(point.negative),
        },
    }))
}

/// OTLP's summaries are for what was measured long ago elsewhere: of their quantiles only the ends are kept.
pub(crate) fn read_summary(point: &otlp::SummaryDataPoint) -> MetricKind {
    let at = |quantile: f64| {
        let found =
            point.quantile_values.iter().find(|found| (found.quantile - quantile).abs() < f64::EPSILON);
        found.map(|found| found.value)
    };
    MetricKind::Histogram(Box::new(Histogram {
        temporality: Temporality::Cumulative,
        since: from_nanos(point.start_time_unix_nano),
        count: point.count,
        sum: Some(point.sum),
        min: at(0.0),
        max: at(1.0),
        buckets: Buckets::Explicit { bounds: Vec::new(), counts: Vec::new() },
    }))
}
