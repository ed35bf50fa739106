//! Enhanced metrics: what the platform tells of an invocation, as metric points. Read from the signals that the
//! assembler made of it (the invocation's span, init's and restore's, the report), so that both say the same.
//! Called by the extension for each record's signals, before they are selected: a sampled invocation still counts.
//!
//! Names are OpenTelemetry's (semantic conventions, "FaaS metrics") where it has some, else `aws.lambda.*`; times are
//! seconds, sizes bytes, as it says. Points are single values (gauges) where it has distributions, so that percentiles
//! of a query are exact. What did not happen has no point. The configured memory stands on each point as the resource's
//! `faas.max_memory`.

use model::{LogRecord, Map, Metric, MetricKind, Span, SpanKind, SpanStatus, Timestamp, Value};

use crate::Signals;
use crate::assemble::failure::OUT_OF_MEMORY;
use crate::assemble::invocation::is_invocation;

/// What an invocation that used up its memory is called, by the platform and by us.
const MEGABYTE_BYTES: f64 = 1_048_576.0;

/// Adds the points that the signals give rise to; nearly all give rise to none.
pub fn append(signals: &mut Signals) {
    for span in &signals.spans {
        match (span.kind, span.name.as_str()) {
            (SpanKind::Server, _) if is_invocation(span) => of_invocation(span, &mut signals.metrics),
            (SpanKind::Internal, "init") if is_phase(span) => {
                signals.metrics.push(of_span(span, "faas.init_duration", "s", seconds(span)));
            }
            (SpanKind::Internal, "restore") if is_phase(span) => {
                signals.metrics.push(of_span(span, "aws.lambda.restore_duration", "s", seconds(span)));
            }
            _ => {}
        }
    }
    for log in &signals.logs {
        if log.platform && text(&log.body, "@type") == Some("REPORT") {
            of_report(log, &mut signals.metrics);
        }
    }
}

/// A span of init or restore that the platform told of; the function's own can have any name.
fn is_phase(span: &Span) -> bool {
    ["aws.lambda.initialization_type", "aws.lambda.status", "aws.lambda.runtime_version"]
        .iter()
        .any(|key| span.attributes.contains_key(*key))
}

fn of_invocation(span: &Span, points: &mut Vec<Metric>) {
    points.push(of_span(span, "faas.invoke_duration", "s", seconds(span)));
    if span.attributes.get("faas.coldstart") == Some(&Value::Bool(true)) {
        points.push(of_span(span, "faas.coldstarts", "{coldstart}", one()));
    }
    if let Some(bytes) = number(&span.attributes, "aws.lambda.produced_bytes") {
        points.push(of_span(span, "aws.lambda.produced_bytes", "By", MetricKind::Gauge(bytes)));
    }
    if !matches!(span.status, SpanStatus::Error(_)) {
        return;
    }
    let mut error = of_span(span, "faas.errors", "{error}", one());
    let kind = span.attributes.get("error.type");
    error.attributes.extend(kind.map(|kind| ("error.type".to_owned(), kind.clone())));
    points.push(error);
    if text(&span.attributes, "aws.lambda.status") == Some("timeout") {
        points.push(of_span(span, "faas.timeouts", "{timeout}", one()));
    }
    if kind.and_then(Value::as_str) == Some(OUT_OF_MEMORY) {
        points.push(of_span(span, "aws.lambda.out_of_memory", "{error}", one()));
    }
}

fn of_report(report: &LogRecord, points: &mut Vec<Metric>) {
    let mut push = |name: &str, unit: &str, kind| {
        points.push(point(name, unit, kind, report.time, report.request_id.as_deref()));
    };
    let figure = |key: &str| number(&report.body, key);
    for (key, name) in [
        ("@billedDuration", "aws.lambda.billed_duration"),
        ("@extensionOverhead", "aws.lambda.extension_overhead"),
    ] {
        if let Some(millis) = figure(key) {
            push(name, "s", MetricKind::Gauge(millis / 1_000.0));
        }
    }
    if let Some(megabytes) = figure("@maxMemoryUsed") {
        push("faas.mem_usage", "By", MetricKind::Gauge(megabytes * MEGABYTE_BYTES));
    }
    // Only where nothing before the report could tell: else the span has counted it.
    if report.body.get("@outOfMemory") == Some(&Value::Bool(true)) {
        push("aws.lambda.out_of_memory", "{error}", one());
    }
}

/// A point at the span's end, with what triggered the invocation if that is known.
fn of_span(span: &Span, name: &str, unit: &str, kind: MetricKind) -> Metric {
    let mut metric = point(name, unit, kind, span.end, span.request_id.as_deref());
    let trigger = span.attributes.get("faas.trigger");
    metric.attributes.extend(trigger.map(|trigger| ("faas.trigger".to_owned(), trigger.clone())));
    metric
}

/// A point without attributes.
fn point(name: &str, unit: &str, kind: MetricKind, time: Timestamp, request_id: Option<&str>) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        time,
        kind,
        request_id: request_id.map(str::to_owned),
        attributes: Map::new(),
    }
}

fn one() -> MetricKind {
    MetricKind::Sum(1.0)
}

fn seconds(span: &Span) -> MetricKind {
    MetricKind::Gauge(span.end.since(span.start).as_secs_f64())
}

fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

fn number(map: &Map, key: &str) -> Option<f64> {
    map.get(key).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Assembler, FunctionContext};
    use lambda_api::telemetry::Record;
    use serde_json::{Value as Json, json};

    /// The points that a sandbox's records give, as `name value` lines.
    fn points(records: &[(&str, Json)]) -> Vec<String> {
        let mut assembler = Assembler::new(FunctionContext::default());
        let mut lines = Vec::new();
        for (second, (kind, record)) in (0..).zip(records) {
            let time = format!("2026-11-20T13:52:{second:02}.000Z");
            let record = Record { time, kind: (*kind).to_owned(), record: record.clone() };
            let mut signals = assembler.accept(record, Timestamp::EPOCH);
            append(&mut signals);
            lines.extend(signals.metrics.iter().map(|metric| {
                let (MetricKind::Gauge(value) | MetricKind::Sum(value)) = metric.kind else {
                    panic!("{metric:?}");
                };
                assert_eq!(metric.request_id.as_deref(), Some("a"), "{}", metric.name);
                format!("{} {value} {}", metric.name, metric.unit)
            }));
        }
        lines
    }

    fn start() -> (&'static str, Json) {
        ("platform.start", json!({"requestId": "a"}))
    }

    fn done(status: &str, error_type: &str) -> (&'static str, Json) {
        let metrics = json!({"durationMs": 42.5, "producedBytes": 16});
        let mut record = json!({"requestId": "a", "status": status, "metrics": metrics});
        if !error_type.is_empty() {
            record["errorType"] = error_type.into();
        }
        ("platform.runtimeDone", record)
    }

    fn report(status: &str, used_mb: u64) -> (&'static str, Json) {
        let metrics = json!({"durationMs": 42.5, "billedDurationMs": 43, "memorySizeMB": 128, "maxMemoryUsedMB": used_mb});
        let spans =
            json!([{"name": "extensionOverhead", "start": "2026-11-20T13:52:02.000Z", "durationMs": 2.5}]);
        ("platform.report", json!({"requestId": "a", "status": status, "metrics": metrics, "spans": spans}))
    }

    #[test]
    fn a_healthy_cold_start_gives_its_figures() {
        let init = [
            ("platform.initStart", json!({"initializationType": "on-demand", "phase": "init"})),
            (
                "platform.initReport",
                json!({"initializationType": "on-demand", "metrics": {"durationMs": 118.25}}),
            ),
        ];
        let rest = [start(), done("success", ""), report("success", 81)];
        assert_eq!(
            points(&[&init[..], &rest[..]].concat()),
            [
                "faas.init_duration 0.11825 s",
                "faas.invoke_duration 0.0425 s",
                "faas.coldstarts 1 {coldstart}",
                "aws.lambda.produced_bytes 16 By",
                "aws.lambda.billed_duration 0.043 s",
                "aws.lambda.extension_overhead 0.0025 s",
                "faas.mem_usage 84934656 By",
            ]
        );
    }

    #[test]
    fn a_timeout_is_an_error_too() {
        let points = points(&[start(), done("timeout", ""), report("timeout", 81)]);
        assert!(points.contains(&"faas.errors 1 {error}".to_owned()), "{points:?}");
        assert!(points.contains(&"faas.timeouts 1 {timeout}".to_owned()), "{points:?}");
    }

    #[test]
    fn out_of_memory_is_counted_once_however_it_is_told() {
        let told = points(&[start(), done("error", OUT_OF_MEMORY), report("error", 128)]);
        let count = told.iter().filter(|point| point.starts_with("aws.lambda.out_of_memory")).count();
        assert_eq!(count, 1, "{told:?}");
    }

    #[test]
    fn where_only_the_report_can_tell_it_counts() {
        let mut signals = Signals::default();
        signals.logs.push(LogRecord {
            request_id: Some("a".to_owned()),
            error: Some(OUT_OF_MEMORY.to_owned()),
            platform: true,
            body: Map::from([
                ("@type".to_owned(), "REPORT".into()),
                ("@outOfMemory".to_owned(), true.into()),
            ]),
            ..LogRecord::default()
        });
        append(&mut signals);
        let names: Vec<&str> = signals.metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names, ["aws.lambda.out_of_memory"]);
        signals.logs[0].platform = false;
        signals.metrics.clear();
        append(&mut signals);
        assert!(signals.metrics.is_empty(), "a line of the function can say anything");
    }

    #[test]
    fn a_span_of_the_function_gives_none() {
        assert_eq!(points(&[start(), ("function", json!({"name": "init", "duration": 3}))]), [""; 0]);
    }
}
