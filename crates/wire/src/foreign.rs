//! Bare OTLP requests, as the OpenTelemetry collector's `awskinesis` exporter writes them, become events.

use std::collections::BTreeMap;

use model::{Event, EventId, Kind, Level, Map, Timestamp, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1 as otlp;
use opentelemetry_proto::tonic::resource::v1::Resource;
use otlp::metric::Data;
use prost::Message;

use crate::decode::Context;
use crate::error::DecodeError;
use crate::event::{Emitter, OTEL, Stamps, add, object, take_message, whole};
use crate::limits::Limits;
use crate::otlp::value::{from_any, from_attributes};
use crate::otlp::{Dialect, from_nanos, log, resource, span, span_id, trace_id};
use crate::structure::{self, Signal, Structure};

/// Reads a request of a signal that [`structure::signal_of_request`] has found.
pub(crate) fn events(
    bytes: &[u8],
    signal: Signal,
    context: &Context<'_>,
    limits: &Limits,
) -> Result<Vec<Event>, DecodeError> {
    let mut reader = Reader { context, stamps: Stamps::new(limits), events: Vec::new() };
    match signal {
        Signal::Traces => {
            structure::check(bytes, Structure::Traces, limits)?;
            reader.traces(read(bytes, "ExportTraceServiceRequest")?)?;
        }
        Signal::Logs => {
            structure::check(bytes, Structure::Logs, limits)?;
            reader.logs(read(bytes, "ExportLogsServiceRequest")?)?;
        }
        Signal::Metrics => {
            structure::check(bytes, Structure::Metrics, limits)?;
            reader.metrics(read(bytes, "ExportMetricsServiceRequest")?)?;
        }
    }
    Ok(reader.events)
}

fn read<M: Message + Default>(bytes: &[u8], message: &'static str) -> Result<M, DecodeError> {
    M::decode(bytes).map_err(|source| DecodeError::Protobuf { message, at: 0, source: Some(source) })
}

struct Reader<'a> {
    context: &'a Context<'a>,
    stamps: Stamps,
    events: Vec<Event>,
}

/// A resource and a scope in it: what all their records share.
fn emitter(of: Option<Resource>, scope: Option<InstrumentationScope>) -> Result<Emitter, DecodeError> {
    let mut resource = resource::from_foreign(of)?;
    if let Some(scope) = scope {
        // The names that OpenTelemetry gives a scope in systems without one.
        for (key, text) in [("otel.scope.name", scope.name), ("otel.scope.version", scope.version)] {
            if !text.is_empty() {
                resource.attributes.entry(key.to_owned()).or_insert(Value::String(text));
            }
        }
    }
    Ok(Emitter::new(resource))
}

impl Reader<'_> {
    fn next_id(&self) -> EventId {
        EventId::in_record(self.context.record, self.events.len())
    }

    fn time(&self, nanos: u64) -> Timestamp {
        if nanos == 0 { self.context.arrived_at } else { from_nanos(nanos) }
    }

    fn traces(&mut self, request: ExportTraceServiceRequest) -> Result<(), DecodeError> {
        for of_resource in request.resource_spans {
            for scope in of_resource.scope_spans {
                let emitter = emitter(of_resource.resource.clone(), scope.scope)?;
                self.stamps.spend(&emitter, scope.spans.len())?;
                for found in scope.spans {
                    let span = span::read(found, Dialect::Foreign)?;
                    self.events.push(emitter.span(span, self.next_id()));
                }
            }
        }
        Ok(())
    }

    fn logs(&mut self, request: ExportLogsServiceRequest) -> Result<(), DecodeError> {
        for of_resource in request.resource_logs {
            for scope in of_resource.scope_logs {
                let emitter = emitter(of_resource.resource.clone(), scope.scope)?;
                self.stamps.spend(&emitter, scope.log_records.len())?;
                for found in scope.log_records {
                    let event = self.log(&emitter, found)?;
                    self.events.push(event);
                }
            }
        }
        Ok(())
    }

    fn log(&self, emitter: &Emitter, record: LogRecord) -> Result<Event, DecodeError> {
        let time = match record.time_unix_nano {
            0 => self.time(record.observed_time_unix_nano),
            nanos => from_nanos(nanos),
        };
        let (trace_id, span_id) = (trace_id(&record.trace_id), span_id(&record.span_id));
        let name = (!record.event_name.is_empty()).then(|| record.event_name.clone());
        let (mut keys, level) = log_keys(record)?;
        let message = take_message(&mut keys);
        let error = log_error(&keys, level, message.as_deref());
        let request_id = keys.get(log::REQUEST_ID).and_then(Value::as_str).map(str::to_owned);
        let event = emitter.event(OTEL, time, self.next_id(), Kind::Log, keys);
        Ok(Event { level, name, message, request_id, trace_id, span_id, error, ..event })
    }

    fn metrics(&mut self, request: ExportMetricsServiceRequest) -> Result<(), DecodeError> {
        for of_resource in request.resource_metrics {
            for scope in of_resource.scope_metrics {
                let emitter = emitter(of_resource.resource.clone(), scope.scope)?;
                for metric in scope.metrics {
                    self.metric(&emitter, metric)?;
                }
            }
        }
        Ok(())
    }

    fn metric(&mut self, emitter: &Emitter, metric: otlp::Metric) -> Result<(), DecodeError> {
        let (name, unit) = (metric.name, metric.unit);
        let (kind, temporality, points) = points(metric.data);
        self.stamps.spend(emitter, points.len())?;
        for point in points {
            let mut keys = from_attributes(point.attributes, Dialect::Foreign)?;
            add(&mut keys, "metric.type", kind.into());
            if let Some(word) = temporality {
                add(&mut keys, "metric.temporality", word.into());
            }
            if !unit.is_empty() {
                add(&mut keys, "unit", unit.as_str().into());
            }
            add(&mut keys, "value", point.value);
            let message = take_message(&mut keys);
            let time = self.time(point.nanos);
            let event = emitter.event(OTEL, time, self.next_id(), Kind::Metric, keys);
            self.events.push(Event { name: Some(name.clone()), message, ..event });
        }
        Ok(())
    }
}

/// A record's keys (its attributes, and its body as `message`, as keys of its own, or as `body`), and its level.
pub(crate) fn log_keys(record: LogRecord) -> Result<(Map, Option<Level>), DecodeError> {
    let mut keys = from_attributes(record.attributes, Dialect::Foreign)?;
    match from_any(record.body, Dialect::Foreign)? {
        Value::Null => {}
        Value::String(text) => add(&mut keys, "message", text.into()),
        Value::Object(body) if body.keys().all(|key| !keys.contains_key(key)) => keys.extend(body),
        other => add(&mut keys, "body", other),
    }
    let level =
        Level::from_severity_number(record.severity_number).or_else(|| record.severity_text.parse().ok());
    let as_it_says = level.map(Level::as_str);
    if !record.severity_text.is_empty() && as_it_says != Some(record.severity_text.as_str()) {
        add(&mut keys, "severity_text", record.severity_text.into());
    }
    Ok((keys, level))
}

/// An exception's type or message; else, for an error-level line, what it says (reference A.3.2).
pub(crate) fn log_error(keys: &Map, level: Option<Level>, message: Option<&str>) -> Option<String> {
    let of = |key| keys.get(key).and_then(Value::as_str);
    of("exception.type")
        .or_else(|| of("exception.message"))
        .or_else(|| (level >= Some(Level::Error)).then(|| message.unwrap_or("error")))
        .map(str::to_owned)
}

struct Point {
    attributes: Vec<KeyValue>,
    nanos: u64,
    value: Value,
}

fn points(data: Option<Data>) -> (&'static str, Option<&'static str>, Vec<Point>) {
    match data {
        Some(Data::Gauge(gauge)) => ("gauge", None, gauge.data_points.into_iter().map(Point::from).collect()),
        Some(Data::Sum(sum)) => (
            "sum",
            temporality(sum.aggregation_temporality),
            sum.data_points.into_iter().map(Point::from).collect(),
        ),
        Some(Data::Histogram(histogram)) => (
            "histogram",
            temporality(histogram.aggregation_temporality),
            histogram.data_points.into_iter().map(Point::from).collect(),
        ),
        Some(Data::ExponentialHistogram(histogram)) => (
            "exponential_histogram",
            temporality(histogram.aggregation_temporality),
            histogram.data_points.into_iter().map(Point::from).collect(),
        ),
        Some(Data::Summary(summary)) => {
            ("summary", None, summary.data_points.into_iter().map(Point::from).collect())
        }
        None => ("none", None, Vec::new()),
    }
}

fn temporality(number: i32) -> Option<&'static str> {
    match otlp::AggregationTemporality::try_from(number) {
        Ok(otlp::AggregationTemporality::Delta) => Some("delta"),
        Ok(otlp::AggregationTemporality::Cumulative) => Some("cumulative"),
        _ => None,
    }
}

impl From<otlp::NumberDataPoint> for Point {
    fn from(point: otlp::NumberDataPoint) -> Self {
        use otlp::number_data_point::Value as Number;
        let value = match point.value {
            Some(Number::AsDouble(value)) => Value::Float(value),
            Some(Number::AsInt(value)) => Value::Int(value),
            None => Value::Null,
        };
        Self { attributes: point.attributes, nanos: point.time_unix_nano, value }
    }
}

fn floats(numbers: Vec<f64>) -> Value {
    Value::Array(numbers.into_iter().map(Value::Float).collect())
}

fn wholes(numbers: Vec<u64>) -> Value {
    Value::Array(numbers.into_iter().map(whole).collect())
}

/// count, and sum, min and max where they are given.
fn summary(count: u64, sum: Option<f64>, min: Option<f64>, max: Option<f64>) -> Map {
    let known = [("sum", sum), ("min", min), ("max", max)];
    let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::Float(value?))));
    let mut keys: BTreeMap<String, Value> = known.collect();
    keys.insert("count".to_owned(), whole(count));
    keys
}

impl From<otlp::HistogramDataPoint> for Point {
    fn from(point: otlp::HistogramDataPoint) -> Self {
        let mut value = summary(point.count, point.sum, point.min, point.max);
        if !point.bucket_counts.is_empty() {
            value.insert("bounds".to_owned(), floats(point.explicit_bounds));
            value.insert("buckets".to_owned(), wholes(point.bucket_counts));
        }
        Self { attributes: point.attributes, nanos: point.time_unix_nano, value: value.into() }
    }
}

impl From<otlp::ExponentialHistogramDataPoint> for Point {
    fn from(point: otlp::ExponentialHistogramDataPoint) -> Self {
        let mut value = summary(point.count, point.sum, point.min, point.max);
        value.insert("scale".to_owned(), Value::Int(point.scale.into()));
        value.insert("zeroCount".to_owned(), whole(point.zero_count));
        for (key, buckets) in [("positive", point.positive), ("negative", point.negative)] {
            if let Some(buckets) = buckets {
                let offset = ("offset", Value::Int(buckets.offset.into()));
                value.insert(key.to_owned(), object([offset, ("buckets", wholes(buckets.bucket_counts))]));
            }
        }
        Self { attributes: point.attributes, nanos: point.time_unix_nano, value: value.into() }
    }
}

impl From<otlp::SummaryDataPoint> for Point {
    fn from(point: otlp::SummaryDataPoint) -> Self {
        let mut value = summary(point.count, Some(point.sum), None, None);
        let quantiles = point
            .quantile_values
            .into_iter()
            .map(|at| object([("quantile", Value::Float(at.quantile)), ("value", Value::Float(at.value))]));
        value.insert("quantiles".to_owned(), Value::Array(quantiles.collect()));
        Self { attributes: point.attributes, nanos: point.time_unix_nano, value: value.into() }
    }
}
