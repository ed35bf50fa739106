//! Points are written as the generated types write them.

use super::*;
use crate::otlp::value::{attribute, to_attributes};
use model::{Counter, ExponentialCounts, Map, Value};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1 as otlp;
use otlp::metric::Data;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

/// One OTLP metric with one point.
fn to_otlp(metric: &Metric) -> otlp::Metric {
    let (attributes, time_unix_nano) = (attributes(metric), to_nanos(metric.time));
    let number = |value, since| otlp::NumberDataPoint {
        attributes: attributes.clone(),
        start_time_unix_nano: to_nanos(since),
        time_unix_nano,
        value: Some(otlp::number_data_point::Value::AsDouble(value)),
        ..otlp::NumberDataPoint::default()
    };
    let sum = |point, temporality, is_monotonic| {
        let aggregation_temporality = number_of(temporality);
        Data::Sum(otlp::Sum { data_points: vec![point], aggregation_temporality, is_monotonic })
    };
    let data = match &metric.kind {
        MetricKind::Gauge(value) => {
            Data::Gauge(otlp::Gauge { data_points: vec![number(*value, Timestamp::EPOCH)] })
        }
        MetricKind::Sum(value) => sum(number(*value, Timestamp::EPOCH), Temporality::Delta, true),
        MetricKind::Counter(counter) => {
            sum(number(counter.value, counter.since), counter.temporality, counter.monotonic)
        }
        MetricKind::Summary { count, sum, min, max } => {
            let point = otlp::HistogramDataPoint {
                attributes,
                time_unix_nano,
                count: *count,
                sum: Some(*sum),
                min: Some(*min),
                max: Some(*max),
                ..otlp::HistogramDataPoint::default()
            };
            let aggregation_temporality = number_of(Temporality::Delta);
            Data::Histogram(otlp::Histogram { data_points: vec![point], aggregation_temporality })
        }
        MetricKind::Histogram(histogram) => with_buckets(histogram, attributes, time_unix_nano),
    };
    let (name, unit) = (metric.name.clone(), metric.unit.clone());
    otlp::Metric { name, unit, data: Some(data), ..otlp::Metric::default() }
}

fn with_buckets(histogram: &Histogram, attributes: Vec<KeyValue>, time_unix_nano: u64) -> Data {
    let Histogram { count, sum, min, max, .. } = *histogram;
    let (start_time_unix_nano, aggregation_temporality) =
        (to_nanos(histogram.since), number_of(histogram.temporality));
    match &histogram.buckets {
        Buckets::Explicit { bounds, counts } => {
            let point = otlp::HistogramDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count,
                sum,
                min,
                max,
                bucket_counts: counts.clone(),
                explicit_bounds: bounds.clone(),
                ..otlp::HistogramDataPoint::default()
            };
            Data::Histogram(otlp::Histogram { data_points: vec![point], aggregation_temporality })
        }
        Buckets::Exponential { scale, zero_count, positive, negative } => {
            let counts = |counts: &ExponentialCounts| otlp::exponential_histogram_data_point::Buckets {
                offset: counts.offset,
                bucket_counts: counts.counts.clone(),
            };
            let point = otlp::ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count,
                sum,
                min,
                max,
                scale: *scale,
                zero_count: *zero_count,
                positive: Some(counts(positive)),
                negative: Some(counts(negative)),
                ..otlp::ExponentialHistogramDataPoint::default()
            };
            let data_points = vec![point];
            Data::ExponentialHistogram(otlp::ExponentialHistogram { data_points, aggregation_temporality })
        }
    }
}

fn attributes(metric: &Metric) -> Vec<KeyValue> {
    let named = metric.attributes.get("faas.invocation_id").and_then(Value::as_str);
    let head = metric.request_id.clone().filter(|id| named != Some(id.as_str()));
    let head = head.map(|id| attribute("limelight.request_id", Any::StringValue(id)));
    head.into_iter().chain(to_attributes(&metric.attributes)).collect()
}

fn number_of(temporality: Temporality) -> i32 {
    i32::try_from(temporality_number(temporality)).unwrap()
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![Just(0), any::<i64>()].prop_map(Timestamp::from_nanos)
}

fn temporality() -> impl Strategy<Value = Temporality> {
    prop_oneof![Just(Temporality::Delta), Just(Temporality::Cumulative)]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..3_u64, any::<u64>()]
}

fn buckets() -> impl Strategy<Value = Buckets> {
    let counts = || {
        let counts = (prop_oneof![Just(0), any::<i32>()], vec(count(), 0..4));
        counts.prop_map(|(offset, counts)| ExponentialCounts { offset, counts })
    };
    let scale = prop_oneof![-3..3_i32, any::<i32>()];
    prop_oneof![
        (vec(any::<f64>(), 0..4), vec(count(), 0..4))
            .prop_map(|(bounds, counts)| Buckets::Explicit { bounds, counts }),
        (scale, count(), counts(), counts()).prop_map(|(scale, zero_count, positive, negative)| {
            Buckets::Exponential { scale, zero_count, positive, negative }
        }),
    ]
}

prop_compose! {
    fn histogram()(
        temporality in temporality(),
        since in time(),
        count in count(),
        (sum, min, max) in (option::of(any::<f64>()), option::of(any::<f64>()), option::of(any::<f64>())),
        buckets in buckets(),
    ) -> Histogram {
        Histogram { temporality, since, count, sum, min, max, buckets }
    }
}

fn kind() -> impl Strategy<Value = MetricKind> {
    let number = any::<f64>;
    let counter = (number(), temporality(), any::<bool>(), time());
    prop_oneof![
        number().prop_map(MetricKind::Gauge),
        number().prop_map(MetricKind::Sum),
        (count(), number(), number(), number()).prop_map(|(count, sum, min, max)| MetricKind::Summary {
            count,
            sum,
            min,
            max
        }),
        counter.prop_map(|(value, temporality, monotonic, since)| {
            MetricKind::Counter(Counter { value, temporality, monotonic, since })
        }),
        histogram().prop_map(|histogram| MetricKind::Histogram(Box::new(histogram))),
    ]
}

prop_compose! {
    fn metric()(
        name in "[a-b]{0,1}",
        unit in "[a-b]{0,1}",
        time in time(),
        kind in kind(),
        request_id in option::of("[a-b]{1}"),
        value in "[a-b]{0,1}",
    ) -> Metric {
        let key = if request_id.is_some() { "faas.invocation_id" } else { "region" };
        let attributes = Map::from([(key.to_owned(), value.into())]);
        Metric { name, unit, time, kind, request_id, attributes }
    }
}

proptest! {
    #[test]
    fn a_point_is_written_as_the_generated_types_write_it(metric in metric()) {
        let mut writer = Writer::with_capacity(0);
        write(&mut writer, std::slice::from_ref(&metric));
        let scope = otlp::ScopeMetrics { metrics: vec![to_otlp(&metric)], ..otlp::ScopeMetrics::default() };
        prop_assert_eq!(writer.into_bytes(), scope.encode_to_vec());
    }

    #[test]
    fn neighbours_that_are_alike_share_a_metric_and_no_point_is_moved(metrics in vec(metric(), 0..6)) {
        let mut writer = Writer::with_capacity(0);
        write(&mut writer, &metrics);
        let scope = otlp::ScopeMetrics::decode(&writer.into_bytes()[..]).unwrap();
        let alike = metrics.chunk_by(|one, next| {
            one.name == next.name && one.unit == next.unit && Shape::of(&one.kind) == Shape::of(&next.kind)
        });
        prop_assert_eq!(scope.metrics.len(), alike.count());
        let names = scope.metrics.iter().flat_map(|metric| points(metric).map(|()| metric.name.clone()));
        prop_assert!(names.eq(metrics.iter().map(|metric| metric.name.clone())));
    }
}

fn points(metric: &otlp::Metric) -> impl Iterator<Item = ()> {
    let count = match metric.data.as_ref().unwrap() {
        Data::Gauge(gauge) => gauge.data_points.len(),
        Data::Sum(sum) => sum.data_points.len(),
        Data::Histogram(histogram) => histogram.data_points.len(),
        Data::ExponentialHistogram(histogram) => histogram.data_points.len(),
        Data::Summary(_) => 0,
    };
    std::iter::repeat_n((), count)
}
