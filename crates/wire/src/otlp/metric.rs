//! `model::Metric` ↔ OTLP `Metric`. Neighbours of one name, unit and kind share one OTLP metric; the order is kept.

use model::{Counter, Metric, MetricKind, Temporality};
use opentelemetry_proto::tonic::metrics::v1 as otlp;

use otlp::metric::Data;
use otlp::number_data_point::Value as Number;

use crate::error::DecodeError;
use crate::otlp::histogram;
use crate::otlp::span::{split_request_id, with_request_id};
use crate::otlp::{Dialect, from_nanos, to_nanos};

const DELTA: i32 = otlp::AggregationTemporality::Delta as i32;

/// Points as OTLP says them. A summary is a histogram without buckets: OTLP's own word for count, sum, min and max.
pub(crate) fn to_otlp(metrics: &[Metric]) -> Vec<otlp::Metric> {
    let mut list: Vec<otlp::Metric> = Vec::new();
    for metric in metrics {
        let same = |last: &&mut otlp::Metric| last.name == metric.name && last.unit == metric.unit;
        let pushed = list.last_mut().filter(same).is_some_and(|last| push(&mut last.data, metric));
        if !pushed {
            let mut data = Some(empty(&metric.kind));
            push(&mut data, metric);
            list.push(otlp::Metric {
                name: metric.name.clone(),
                unit: metric.unit.clone(),
                data,
                ..otlp::Metric::default()
            });
        }
    }
    list
}

fn empty(kind: &MetricKind) -> Data {
    let sum = |aggregation_temporality, is_monotonic| {
        Data::Sum(otlp::Sum { data_points: Vec::new(), aggregation_temporality, is_monotonic })
    };
    match kind {
        MetricKind::Gauge(_) => Data::Gauge(otlp::Gauge::default()),
        MetricKind::Sum(_) => sum(DELTA, true),
        MetricKind::Counter(counter) => sum(temporality_number(counter.temporality), counter.monotonic),
        MetricKind::Summary { .. } => {
            Data::Histogram(otlp::Histogram { data_points: Vec::new(), aggregation_temporality: DELTA })
        }
        MetricKind::Histogram(histogram) => histogram::empty(histogram),
    }
}

/// False if the points there are of another kind.
fn push(data: &mut Option<Data>, metric: &Metric) -> bool {
    let attributes = || with_request_id(metric.request_id.as_deref(), &metric.attributes);
    let time_unix_nano = to_nanos(metric.time);
    let number = |value| otlp::NumberDataPoint {
        attributes: attributes(),
        time_unix_nano,
        value: Some(Number::AsDouble(value)),
        ..otlp::NumberDataPoint::default()
    };
    match (data, &metric.kind) {
        (Some(Data::Gauge(gauge)), MetricKind::Gauge(value)) => gauge.data_points.push(number(*value)),
        (Some(Data::Sum(sum)), MetricKind::Sum(value)) if sums(sum, Temporality::Delta, true) => {
            sum.data_points.push(number(*value));
        }
        (Some(Data::Sum(sum)), MetricKind::Counter(counter))
            if sums(sum, counter.temporality, counter.monotonic) =>
        {
            let start_time_unix_nano = to_nanos(counter.since);
            sum.data_points.push(otlp::NumberDataPoint { start_time_unix_nano, ..number(counter.value) });
        }
        (Some(Data::Histogram(histogram)), MetricKind::Summary { count, sum, min, max })
            if histogram.aggregation_temporality == DELTA =>
        {
            histogram.data_points.push(otlp::HistogramDataPoint {
                attributes: attributes(),
                time_unix_nano,
                count: *count,
                sum: Some(*sum),
                min: Some(*min),
                max: Some(*max),
                ..otlp::HistogramDataPoint::default()
            });
        }
        (Some(data), MetricKind::Histogram(histogram)) => {
            return histogram::push(data, histogram, attributes(), time_unix_nano);
        }
        _ => return false,
    }
    true
}

fn sums(sum: &otlp::Sum, temporality: Temporality, monotonic: bool) -> bool {
    sum.aggregation_temporality == temporality_number(temporality) && sum.is_monotonic == monotonic
}

/// The opposite of [`to_otlp`] for one OTLP metric: its points in their order. A foreign one is read in the same way;
/// what a point has and we have no word for (exemplars, flags, a description) is left behind.
pub(crate) fn read(
    metric: otlp::Metric,
    dialect: Dialect,
    points: &mut Vec<Metric>,
) -> Result<(), DecodeError> {
    let (name, unit) = (metric.name, metric.unit);
    let mut push = |attributes, nanos, kind| {
        let (request_id, attributes) = split_request_id(attributes, dialect)?;
        let (name, unit, time) = (name.clone(), unit.clone(), from_nanos(nanos));
        points.push(Metric { name, unit, time, kind, request_id, attributes });
        Ok::<(), DecodeError>(())
    };
    match metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.into_iter().try_for_each(|point| {
            push(point.attributes, point.time_unix_nano, MetricKind::Gauge(number(point.value)))
        }),
        Some(Data::Sum(sum)) => {
            let (temporality, monotonic) = (temporality(sum.aggregation_temporality), sum.is_monotonic);
            sum.data_points.into_iter().try_for_each(|point| {
                let (value, since) = (number(point.value), from_nanos(point.start_time_unix_nano));
                let kind = match (temporality, monotonic, point.start_time_unix_nano) {
                    (Temporality::Delta, true, 0) => MetricKind::Sum(value),
                    _ => MetricKind::Counter(Counter { value, temporality, monotonic, since }),
                };
                push(point.attributes, point.time_unix_nano, kind)
            })
        }
        Some(Data::Histogram(histogram)) => {
            let temporality = temporality(histogram.aggregation_temporality);
            histogram.data_points.into_iter().try_for_each(|mut point| {
                let attributes = std::mem::take(&mut point.attributes);
                push(attributes, point.time_unix_nano, histogram::read(point, temporality))
            })
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            let temporality = temporality(histogram.aggregation_temporality);
            histogram.data_points.into_iter().try_for_each(|mut point| {
                let attributes = std::mem::take(&mut point.attributes);
                push(attributes, point.time_unix_nano, histogram::read_exponential(point, temporality))
            })
        }
        Some(Data::Summary(summary)) if dialect == Dialect::Foreign => {
            summary.data_points.into_iter().try_for_each(|mut point| {
                let attributes = std::mem::take(&mut point.attributes);
                push(attributes, point.time_unix_nano, histogram::read_summary(&point))
            })
        }
        None if dialect == Dialect::Foreign => Ok(()),
        Some(Data::Summary(_)) | None => Err(DecodeError::Invalid {
            what: "the data",
            place: format!("of metric {name:?}"),
            why: "a batch carries gauges, sums and histograms only".to_owned(),
        }),
    }
}

/// What has no temporality, though it must, is taken for OTLP's delta.
fn temporality(number: i32) -> Temporality {
    match otlp::AggregationTemporality::try_from(number) {
        Ok(otlp::AggregationTemporality::Cumulative) => Temporality::Cumulative,
        _ => Temporality::Delta,
    }
}

/// OTLP's number.
pub(crate) fn temporality_number(temporality: Temporality) -> i32 {
    match temporality {
        Temporality::Delta => DELTA,
        Temporality::Cumulative => otlp::AggregationTemporality::Cumulative as i32,
    }
}

fn number(value: Option<Number>) -> f64 {
    match value {
        Some(Number::AsDouble(value)) => value,
        #[expect(clippy::cast_precision_loss, reason = "a count over 2^53 is still that large")]
        Some(Number::AsInt(value)) => value as f64,
        None => 0.0,
    }
}
