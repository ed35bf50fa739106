//! `ExportMetricsServiceRequest`. What the reader of points has no word for (exemplars, flags) is not read.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint,
};

use super::value::{attributes, resource, scope};
use super::{Fault, Object};

pub(crate) fn metrics(mut object: Object) -> Result<ExportMetricsServiceRequest, Fault> {
    let scope_metrics = |mut object: Object| {
        let (scope, metrics) = (scope(&mut object)?, object.messages("metrics", metric)?);
        Ok(ScopeMetrics { scope, metrics, ..ScopeMetrics::default() })
    };
    let resource_metrics = |mut object: Object| {
        let resource = resource(&mut object)?;
        let scope_metrics = object.messages("scopeMetrics", scope_metrics)?;
        Ok(ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() })
    };
    Ok(ExportMetricsServiceRequest {
        resource_metrics: object.messages("resourceMetrics", resource_metrics)?,
    })
}

fn metric(mut object: Object) -> Result<Metric, Fault> {
    let data = if object.has("gauge") {
        object.message("gauge", gauge)?.map(Data::Gauge)
    } else if object.has("sum") {
        object.message("sum", sum)?.map(Data::Sum)
    } else if object.has("histogram") {
        object.message("histogram", histogram)?.map(Data::Histogram)
    } else if object.has("exponentialHistogram") {
        object.message("exponentialHistogram", exponential)?.map(Data::ExponentialHistogram)
    } else {
        object.message("summary", summary)?.map(Data::Summary)
    };
    Ok(Metric { name: object.text("name")?, unit: object.text("unit")?, data, ..Metric::default() })
}

fn temporality(object: &mut Object) -> Result<i32, Fault> {
    let number = |name: &str| AggregationTemporality::from_str_name(name).map(i32::from);
    object.one_of("aggregationTemporality", number)
}

fn gauge(mut object: Object) -> Result<Gauge, Fault> {
    Ok(Gauge { data_points: object.messages("dataPoints", number)? })
}

fn sum(mut object: Object) -> Result<Sum, Fault> {
    Ok(Sum {
        data_points: object.messages("dataPoints", number)?,
        aggregation_temporality: temporality(&mut object)?,
        is_monotonic: object.flag("isMonotonic")?,
    })
}

fn histogram(mut object: Object) -> Result<Histogram, Fault> {
    let aggregation_temporality = temporality(&mut object)?;
    Ok(Histogram { data_points: object.messages("dataPoints", histogram_point)?, aggregation_temporality })
}

fn exponential(mut object: Object) -> Result<ExponentialHistogram, Fault> {
    let aggregation_temporality = temporality(&mut object)?;
    let data_points = object.messages("dataPoints", exponential_point)?;
    Ok(ExponentialHistogram { data_points, aggregation_temporality })
}

fn summary(mut object: Object) -> Result<Summary, Fault> {
    Ok(Summary { data_points: object.messages("dataPoints", summary_point)? })
}

fn number(mut object: Object) -> Result<NumberDataPoint, Fault> {
    let value = if object.has("asInt") {
        Some(Number::AsInt(object.whole("asInt")?))
    } else {
        object.double_if_any("asDouble")?.map(Number::AsDouble)
    };
    Ok(NumberDataPoint {
        attributes: attributes(&mut object)?,
        start_time_unix_nano: object.whole("startTimeUnixNano")?,
        time_unix_nano: object.whole("timeUnixNano")?,
        value,
        ..NumberDataPoint::default()
    })
}

fn histogram_point(mut object: Object) -> Result<HistogramDataPoint, Fault> {
    Ok(HistogramDataPoint {
        attributes: attributes(&mut object)?,
        start_time_unix_nano: object.whole("startTimeUnixNano")?,
        time_unix_nano: object.whole("timeUnixNano")?,
        count: object.whole("count")?,
        sum: object.double_if_any("sum")?,
        min: object.double_if_any("min")?,
        max: object.double_if_any("max")?,
        bucket_counts: object.wholes("bucketCounts")?,
        explicit_bounds: object.doubles("explicitBounds")?,
        ..HistogramDataPoint::default()
    })
}

fn exponential_point(mut object: Object) -> Result<ExponentialHistogramDataPoint, Fault> {
    Ok(ExponentialHistogramDataPoint {
        attributes: attributes(&mut object)?,
        start_time_unix_nano: object.whole("startTimeUnixNano")?,
        time_unix_nano: object.whole("timeUnixNano")?,
        count: object.whole("count")?,
        sum: object.double_if_any("sum")?,
        min: object.double_if_any("min")?,
        max: object.double_if_any("max")?,
        scale: object.whole("scale")?,
        zero_count: object.whole("zeroCount")?,
        positive: object.message("positive", buckets)?,
        negative: object.message("negative", buckets)?,
        ..ExponentialHistogramDataPoint::default()
    })
}

fn buckets(mut object: Object) -> Result<Buckets, Fault> {
    Ok(Buckets { offset: object.whole("offset")?, bucket_counts: object.wholes("bucketCounts")? })
}

fn summary_point(mut object: Object) -> Result<SummaryDataPoint, Fault> {
    let quantile = |mut object: Object| {
        Ok(ValueAtQuantile { quantile: object.double("quantile")?, value: object.double("value")? })
    };
    Ok(SummaryDataPoint {
        attributes: attributes(&mut object)?,
        start_time_unix_nano: object.whole("startTimeUnixNano")?,
        time_unix_nano: object.whole("timeUnixNano")?,
        count: object.whole("count")?,
        sum: object.double("sum")?,
        quantile_values: object.messages("quantileValues", quantile)?,
        ..SummaryDataPoint::default()
    })
}
