//! `model::Metric` ↔ OTLP `Metric`. Neighbours of one name, unit and kind share one OTLP metric; the order is kept.

use model::{Metric, MetricKind};
use opentelemetry_proto::tonic::metrics::v1 as otlp;

use otlp::metric::Data;
use otlp::number_data_point::Value as Number;

use crate::error::DecodeError;
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
    match kind {
        MetricKind::Gauge(_) => Data::Gauge(otlp::Gauge::default()),
        MetricKind::Sum(_) => Data::Sum(otlp::Sum {
            data_points: Vec::new(),
            aggregation_temporality: DELTA,
            is_monotonic: true,
        }),
        MetricKind::Summary { .. } => {
            Data::Histogram(otlp::Histogram { data_points: Vec::new(), aggregation_temporality: DELTA })
        }
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
        (Some(Data::Sum(sum)), MetricKind::Sum(value)) => sum.data_points.push(number(*value)),
        (Some(Data::Histogram(histogram)), MetricKind::Summary { count, sum, min, max }) => {
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
        _ => return false,
    }
    true
}

/// The opposite of [`to_otlp`] for one OTLP metric: its points in their order.
pub(crate) fn from_ours(metric: otlp::Metric, points: &mut Vec<Metric>) -> Result<(), DecodeError> {
    let (name, unit) = (metric.name, metric.unit);
    let invalid = |name: &str, why: &str| DecodeError::Invalid {
        what: "the data",
        place: format!("of metric {name:?}"),
        why: why.to_owned(),
    };
    let mut push = |attributes, nanos, kind| {
        let (request_id, attributes) = split_request_id(attributes, Dialect::Ours)?;
        let (name, unit, time) = (name.clone(), unit.clone(), from_nanos(nanos));
        points.push(Metric { name, unit, time, kind, request_id, attributes });
        Ok::<(), DecodeError>(())
    };
    match metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.into_iter().try_for_each(|point| {
            push(point.attributes, point.time_unix_nano, MetricKind::Gauge(number(point.value)))
        }),
        Some(Data::Sum(sum)) => sum.data_points.into_iter().try_for_each(|point| {
            push(point.attributes, point.time_unix_nano, MetricKind::Sum(number(point.value)))
        }),
        Some(Data::Histogram(histogram)) => histogram.data_points.into_iter().try_for_each(|point| {
            let otlp::HistogramDataPoint { count, sum: Some(sum), min: Some(min), max: Some(max), .. } =
                point
            else {
                return Err(invalid(&name, "a point without sum, min or max"));
            };
            push(point.attributes, point.time_unix_nano, MetricKind::Summary { count, sum, min, max })
        }),
        _ => Err(invalid(&name, "a batch carries gauges, sums and histograms only")),
    }
}

fn number(value: Option<Number>) -> f64 {
    match value {
        Some(Number::AsDouble(value)) => value,
        #[expect(clippy::cast_precision_loss, reason = "our batches write doubles only")]
        Some(Number::AsInt(value)) => value as f64,
        None => 0.0,
    }
}
