//! OTLP `Metric` → `model::Metric`; the way back is `write`'s.

mod write;

use model::{Counter, Metric, MetricKind, Temporality};
use opentelemetry_proto::tonic::metrics::v1 as otlp;

use otlp::metric::Data;
use otlp::number_data_point::Value as Number;

use crate::error::DecodeError;
use crate::otlp::histogram;
use crate::otlp::span::split_request_id;
use crate::otlp::{Dialect, from_nanos};

pub(crate) use write::write;

/// The opposite of [`write`] for one OTLP metric: its points in their order. A foreign one is read in the same way;
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
        Some(Data::Gauge(gauge)) => {
            gauge.data_points.into_iter().filter(|point| is_recorded(point.flags)).try_for_each(|point| {
                push(point.attributes, point.time_unix_nano, MetricKind::Gauge(number(point.value)))
            })
        }
        Some(Data::Sum(sum)) => {
            let (temporality, monotonic) = (temporality(sum.aggregation_temporality), sum.is_monotonic);
            sum.data_points.into_iter().filter(|point| is_recorded(point.flags)).try_for_each(|point| {
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
            histogram.data_points.into_iter().filter(|point| is_recorded(point.flags)).try_for_each(
                |mut point| {
                    let attributes = std::mem::take(&mut point.attributes);
                    push(attributes, point.time_unix_nano, histogram::read(point, temporality))
                },
            )
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            let temporality = temporality(histogram.aggregation_temporality);
            histogram.data_points.into_iter().filter(|point| is_recorded(point.flags)).try_for_each(
                |mut point| {
                    let attributes = std::mem::take(&mut point.attributes);
                    push(attributes, point.time_unix_nano, histogram::read_exponential(point, temporality))
                },
            )
        }
        Some(Data::Summary(summary)) if dialect == Dialect::Foreign => {
            summary.data_points.into_iter().filter(|point| is_recorded(point.flags)).try_for_each(
                |mut point| {
                    let attributes = std::mem::take(&mut point.attributes);
                    push(attributes, point.time_unix_nano, histogram::read_summary(&point))
                },
            )
        }
        None if dialect == Dialect::Foreign => Ok(()),
        Some(Data::Summary(_)) | None => Err(DecodeError::Invalid {
            what: "the data",
            place: format!("of metric {name:?}"),
            why: "a batch carries gauges, sums and histograms only".to_owned(),
        }),
    }
}

/// A point that only says that its series has ended carries no value (OTLP's `NO_RECORDED_VALUE`).
fn is_recorded(flags: u32) -> bool {
    flags & otlp::DataPointFlags::NoRecordedValueMask as u32 == 0
}

/// What has no temporality, though it must, is taken for OTLP's delta.
fn temporality(number: i32) -> Temporality {
    match otlp::AggregationTemporality::try_from(number) {
        Ok(otlp::AggregationTemporality::Cumulative) => Temporality::Cumulative,
        _ => Temporality::Delta,
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
