//! `model::Histogram` ↔ OTLP's histograms with explicit and with exponential bounds. Called by `metric` only.

use model::{Buckets, ExponentialCounts, Histogram, MetricKind, Temporality};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1 as otlp;

use otlp::exponential_histogram_data_point::Buckets as OtlpCounts;
use otlp::metric::Data;

use crate::otlp::metric::temporality_number;
use crate::otlp::{from_nanos, to_nanos};

/// What points like this one stand in.
pub(crate) fn empty(histogram: &Histogram) -> Data {
    let aggregation_temporality = temporality_number(histogram.temporality);
    match histogram.buckets {
        Buckets::Explicit { .. } => {
            Data::Histogram(otlp::Histogram { data_points: Vec::new(), aggregation_temporality })
        }
        Buckets::Exponential { .. } => Data::ExponentialHistogram(otlp::ExponentialHistogram {
            data_points: Vec::new(),
            aggregation_temporality,
        }),
    }
}

/// False if the points there are of another kind.
pub(crate) fn push(
    data: &mut Data,
    histogram: &Histogram,
    attributes: Vec<KeyValue>,
    time_unix_nano: u64,
) -> bool {
    let temporality = temporality_number(histogram.temporality);
    match (data, &histogram.buckets) {
        (Data::Histogram(points), Buckets::Explicit { bounds, counts })
            if points.aggregation_temporality == temporality =>
        {
            points.data_points.push(otlp::HistogramDataPoint {
                attributes,
                start_time_unix_nano: to_nanos(histogram.since),
                time_unix_nano,
                count: histogram.count,
                sum: histogram.sum,
                min: histogram.min,
                max: histogram.max,
                bucket_counts: counts.clone(),
                explicit_bounds: bounds.clone(),
                ..otlp::HistogramDataPoint::default()
            });
            true
        }
        (
            Data::ExponentialHistogram(points),
            Buckets::Exponential { scale, zero_count, positive, negative },
        ) if points.aggregation_temporality == temporality => {
            points.data_points.push(otlp::ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano: to_nanos(histogram.since),
                time_unix_nano,
                count: histogram.count,
                sum: histogram.sum,
                min: histogram.min,
                max: histogram.max,
                scale: *scale,
                zero_count: *zero_count,
                positive: Some(counts_to_otlp(positive)),
                negative: Some(counts_to_otlp(negative)),
                ..otlp::ExponentialHistogramDataPoint::default()
            });
            true
        }
        _ => false,
    }
}

fn counts_to_otlp(counts: &ExponentialCounts) -> OtlpCounts {
    OtlpCounts { offset: counts.offset, bucket_counts: counts.counts.clone() }
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
