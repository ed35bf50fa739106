//! Whole sequences of platform records, and everything that they become. The snapshots are the data format that
//! queries are written against: a change of one is a change for users.

use lambda_api::telemetry::Record;
use model::{Level, LogRecord, Metric, Span, SpanStatus, Timestamp};
use pipeline::{Assembler, CloseReason, FunctionContext, Signals};
use serde_json::{Value, json};

const ID: &str = "8286a188-ba32-4475-8077-530cd35c09a9";
const NEXT_ID: &str = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa";

fn checkout() -> FunctionContext {
    FunctionContext {
        name: "checkout".into(),
        version: "$LATEST".into(),
        memory_mb: 512,
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        initialization_type: "on-demand".into(),
        service: "shop".into(),
        instance: "2026/11/20/[$LATEST]0123456789abcdef".into(),
        log_group: "/aws/lambda/checkout".into(),
        runtime: "AWS_Lambda_python3.13".into(),
    }
}

/// A record at so many milliseconds of a minute.
fn record(at_ms: u32, kind: &str, record: Value) -> Record {
    let (seconds, millis) = (at_ms / 1_000, at_ms % 1_000);
    Record { time: format!("2026-11-20T13:52:{seconds:02}.{millis:03}Z"), kind: kind.into(), record }
}

fn tracing() -> Value {
    json!({"spanId": "54565fb41ac79632", "type": "X-Amzn-Trace-Id",
        "value": "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"})
}

fn init(from_ms: u32, initialization_type: &str) -> Vec<Record> {
    vec![
        record(
            from_ms,
            "platform.initStart",
            json!({"initializationType": initialization_type, "phase": "init",
            "runtimeVersion": "python:3.13.v42", "runtimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:0cdcfbdefbc5"}),
        ),
        record(
            from_ms + 20,
            "platform.telemetrySubscription",
            json!({"name": "limelight-extension", "state": "Subscribed", "types": ["platform", "function"]}),
        ),
        record(from_ms + 90, "function", json!("loading the catalogue\n")),
        record(
            from_ms + 100,
            "platform.initRuntimeDone",
            json!({"initializationType": initialization_type,
            "phase": "init", "status": "success"}),
        ),
        record(
            from_ms + 120,
            "platform.initReport",
            json!({"initializationType": initialization_type,
            "phase": "init", "metrics": {"durationMs": 118.25}}),
        ),
    ]
}

fn start(at_ms: u32, id: &str) -> Record {
    record(at_ms, "platform.start", json!({"requestId": id, "version": "$LATEST", "tracing": tracing()}))
}

fn done(at_ms: u32, id: &str, status: &str, error_type: Option<&str>, duration_ms: f64) -> Record {
    let mut body = json!({"requestId": id, "status": status,
        "metrics": {"durationMs": duration_ms, "producedBytes": 53},
        "spans": [
            {"name": "responseLatency", "start": "2026-11-20T13:52:01.010Z", "durationMs": 30.5},
            {"name": "responseDuration", "start": "2026-11-20T13:52:01.041Z", "durationMs": 0.25},
            {"name": "runtimeOverhead", "start": "2026-11-20T13:52:01.042Z", "durationMs": 1.5}],
        "tracing": tracing()});
    if let Some(error_type) = error_type {
        body["errorType"] = json!(error_type);
    }
    record(at_ms, "platform.runtimeDone", body)
}

fn report(at_ms: u32, id: &str, status: &str, duration_ms: f64) -> Record {
    record(
        at_ms,
        "platform.report",
        json!({"requestId": id, "status": status,
        "metrics": {"durationMs": duration_ms, "billedDurationMs": duration_ms.ceil(), "memorySizeMB": 512,
            "maxMemoryUsedMB": 81, "initDurationMs": 118.25},
        "spans": [{"name": "extensionOverhead", "start": "2026-11-20T13:52:01.044Z", "durationMs": 2.75}],
        "tracing": tracing()}),
    )
}

fn run(assembler: &mut Assembler, records: impl IntoIterator<Item = Record>) -> Signals {
    let mut all = Signals::default();
    for record in records {
        all.append(assembler.accept(record, Timestamp::EPOCH));
    }
    all
}

fn shown(signals: &Signals) -> Value {
    json!({
        "spans": signals.spans.iter().map(shown_span).collect::<Vec<_>>(),
        "logs": signals.logs.iter().map(shown_log).collect::<Vec<_>>(),
        "metrics": signals.metrics.iter().map(shown_metric).collect::<Vec<_>>(),
        "folded": signals.folded,
    })
}

fn shown_span(span: &Span) -> Value {
    json!({
        "name": span.name,
        "kind": format!("{:?}", span.kind),
        "place": format!("{} {} < {}", span.trace_id, span.span_id,
            span.parent_id.map_or("root".to_owned(), |parent| parent.to_string())),
        "time": format!("{} .. {}", span.start, span.end),
        "status": format!("{:?}", span.status),
        "request_id": span.request_id,
        "attributes": Value::from(model::Value::from(span.attributes.clone())),
    })
}

fn shown_log(log: &LogRecord) -> Value {
    json!({
        "time": log.time.to_string(),
        "level": log.level.map(Level::as_str),
        "request_id": log.request_id,
        "place": log.trace_id.map(|trace| format!("{trace} {}",
            log.span_id.map_or("-".to_owned(), |span| span.to_string()))),
        "duration_ms": log.duration_ms,
        "error": log.error,
        "platform": log.platform,
        "body": Value::from(model::Value::from(log.body.clone())),
    })
}

fn shown_metric(metric: &Metric) -> Value {
    json!({
        "name": metric.name,
        "unit": metric.unit,
        "time": metric.time.to_string(),
        "value": format!("{:?}", metric.kind),
        "request_id": metric.request_id,
        "attributes": Value::from(model::Value::from(metric.attributes.clone())),
    })
}

#[test]
fn a_cold_start_is_one_trace_and_its_report_comes_during_the_next_invocation() {
    let mut assembler = Assembler::new(checkout());
    let mut signals = run(&mut assembler, init(500, "on-demand"));
    assert!(signals.spans.is_empty(), "init waits for its invocation");
    signals.append(run(
        &mut assembler,
        [
            start(1_000, ID),
            record(1_005, "function", json!("card accepted\n")),
            record(1_006, "function", json!("\n")),
            record(1_007, "extension", json!("[limelight] shipped 3 records\n")),
            record(1_007, "extension", json!("another extension says hello\n")),
            record(
                1_020,
                "function",
                json!({"level": "WARNING", "message": "slow", "duration": 30,
            "big": 9_007_199_254_740_993_i64, "function_request_id": ID,
            "xray_trace_id": "1-62e900b2-710d76f009d6e7785905449a"}),
            ),
            done(1_043, ID, "success", None, 42.5),
            record(
                1_050,
                "function",
                json!("START RequestId: 8286a188-ba32-4475-8077-530cd35c09a9 Version: $LATEST\n"),
            ),
            start(2_000, NEXT_ID),
            report(2_001, ID, "success", 42.5),
        ],
    ));
    insta::assert_json_snapshot!(shown(&signals));
    assert!(
        assembler.close(CloseReason::Spindown, Timestamp::EPOCH).spans.len() == 1,
        "the second is still open"
    );
}

#[test]
fn a_timeout_is_an_error_of_the_span_and_has_the_keys_of_its_line() {
    let mut assembler = Assembler::new(checkout());
    let timed_out = record(
        4_003,
        "platform.runtimeDone",
        json!({"requestId": ID, "status": "timeout", "metrics": {"durationMs": 3_000.0}}),
    );
    let mut signals = run(
        &mut assembler,
        [
            start(1_000, ID),
            record(
                1_100,
                "function",
                json!("[INFO]\t2026-11-20T13:52:01.100Z\t8286a188-ba32-4475-8077-530cd35c09a9\twaiting\n"),
            ),
            timed_out,
            record(
                4_004,
                "function",
                json!(
                    "2026-11-20T13:52:04.003Z 8286a188-ba32-4475-8077-530cd35c09a9 Task timed out after 3.00 seconds\n\n"
                ),
            ),
            report(4_010, ID, "timeout", 3_000.0),
        ],
    );
    signals.append(assembler.close(CloseReason::Timeout, "2026-11-20T13:52:05Z".parse().unwrap()));
    insta::assert_json_snapshot!(shown(&signals));
}

#[test]
fn errors_of_python_and_node_name_what_went_wrong() {
    let python = "[ERROR] ValueError: card declined\rTraceback (most recent call last):\r\
        \u{a0}\u{a0}File \"/var/task/app.py\", line 12, in handler\r\
        \u{a0}\u{a0}\u{a0}\u{a0}raise ValueError(\"card declined\")\n";
    let node = "2026-11-20T13:52:02.005Z\t6d68ca91-49c9-448d-89b8-7ca3e6dc66aa\tERROR\tInvoke Error \t\
        {\"errorType\":\"TypeError\",\"errorMessage\":\"x is not a function\",\"stack\":[\"TypeError: x is not a function\",\"    at handler\"]}\n";
    let signals = run(
        &mut Assembler::new(checkout()),
        [
            start(1_000, ID),
            record(1_005, "function", json!(python)),
            done(1_043, ID, "error", Some("Unhandled"), 42.5),
            start(2_000, NEXT_ID),
            record(
                2_004,
                "function",
                json!(
                    "2026-11-20T13:52:02.003Z\t6d68ca91-49c9-448d-89b8-7ca3e6dc66aa\tINFO\t{\"order\":{\"id\":7}}\n"
                ),
            ),
            record(2_005, "function", json!(node)),
            done(2_043, NEXT_ID, "error", Some("Runtime.ExitError"), 42.5),
        ],
    );
    insta::assert_json_snapshot!(shown(&signals));
}

#[test]
fn embedded_metrics_become_points_and_stay_a_log() {
    let line = json!({"_aws": {"Timestamp": 1_795_182_721_000_i64, "CloudWatchMetrics": [{"Namespace": "shop",
        "Dimensions": [["service"], ["service", "currency"]],
        "Metrics": [{"Name": "paid", "Unit": "Count"}, {"Name": "latency", "Unit": "Milliseconds"}, {"Name": "absent"}]}]},
        "service": "checkout", "currency": "EUR", "paid": 1, "latency": [12.5, 40.0], "orderId": "o-1"});
    let signals = run(
        &mut Assembler::new(checkout()),
        [start(1_000, ID), record(1_005, "function", json!(line.to_string() + "\n"))],
    );
    assert_eq!(signals.logs.len(), 2, "START and the line");
    insta::assert_json_snapshot!(shown(&signals));
}

#[test]
fn with_provisioned_concurrency_init_is_a_trace_of_its_own() {
    let mut assembler = Assembler::new(checkout());
    let mut signals = run(&mut assembler, init(500, "provisioned-concurrency"));
    assert_eq!(signals.spans.len(), 1, "init does not wait");
    signals.append(run(&mut assembler, [start(1_000, ID), done(1_043, ID, "success", None, 42.5)]));
    insta::assert_json_snapshot!(shown(&signals));
    insta::assert_json_snapshot!(json!({
        "resource": Value::from(model::Value::from(assembler.resource().attributes)),
    }));
}

#[test]
fn a_failed_init_that_is_repeated_shows_both_in_the_first_invocations_trace() {
    let failed = json!({"initializationType": "on-demand", "phase": "init", "status": "error",
        "errorType": "Runtime.ExitError"});
    let signals = run(
        &mut Assembler::new(checkout()),
        [
            record(500, "platform.initStart", json!({"initializationType": "on-demand", "phase": "init"})),
            record(
                550,
                "function",
                json!(
                    "Traceback (most recent call last):\n  File \"a.py\"\nImportError: no module named stripe\n"
                ),
            ),
            record(600, "platform.initRuntimeDone", failed),
            record(
                601,
                "platform.initReport",
                json!({"initializationType": "on-demand", "phase": "init",
            "metrics": {"durationMs": 101.0}}),
            ),
            start(1_000, ID),
            record(
                1_001,
                "platform.initStart",
                json!({"initializationType": "on-demand", "phase": "invoke"}),
            ),
            record(
                1_100,
                "platform.initReport",
                json!({"initializationType": "on-demand", "phase": "invoke",
            "status": "success", "metrics": {"durationMs": 99.0}}),
            ),
        ],
    );
    let inits: Vec<_> = signals.spans.iter().filter(|span| span.name == "init").collect();
    assert_eq!(inits.len(), 2);
    assert_ne!(inits[0].span_id, inits[1].span_id);
    assert_eq!(inits[0].status, SpanStatus::Error("ImportError: no module named stripe".into()));
    assert_eq!(inits[1].status, SpanStatus::Ok);
    assert!(inits.iter().all(|span| span.trace_id.to_string() == "62e900b2710d76f009d6e7785905449a"));
    assert!(inits.iter().all(|span| span.parent_id == "54565fb41ac79632".parse().ok()));
    assert_eq!(signals.logs[0].span_id, Some(inits[0].span_id), "what init printed stands in init");
}

#[test]
fn nothing_that_the_platform_says_is_lost_or_an_error() {
    let signals = run(
        &mut Assembler::new(checkout()),
        [
            start(1_000, ID),
            record(
                1_001,
                "platform.logsDropped",
                json!({"reason": "too slow", "droppedRecords": 3, "droppedBytes": 99}),
            ),
            record(1_002, "platform.fault", json!("RequestId: x Process exited before completing request")),
            record(1_003, "platform.novelty", json!({"deep": {"er": [1]}})),
            record(1_004, "platform.report", json!({"requestId": 7})),
            Record { time: "yesterday".into(), kind: String::new(), record: json!([1, 2]) },
            record(1_005, "function", json!(42)),
        ],
    );
    insta::assert_json_snapshot!(shown(&signals)["logs"]);
}

#[test]
fn on_managed_instances_the_report_closes_and_text_is_not_attributed_by_guessing() {
    let function = FunctionContext { initialization_type: "lambda-managed-instances".into(), ..checkout() };
    let signals = run(
        &mut Assembler::new(function),
        [
            start(1_000, ID),
            start(1_001, NEXT_ID),
            record(1_002, "function", json!("whose am I?")),
            record(1_003, "function", json!({"message": "mine", "requestId": NEXT_ID})),
            record(
                1_050,
                "platform.report",
                json!({"requestId": ID, "status": "success", "metrics": {"durationMs": 50.0}}),
            ),
            record(1_051, "function", json!("now there is only one")),
        ],
    );
    let owners: Vec<_> =
        signals.logs.iter().filter(|log| !log.platform).map(|log| log.request_id.as_deref()).collect();
    assert_eq!(owners, [None, Some(NEXT_ID), Some(NEXT_ID)]);
    assert_eq!(signals.spans.len(), 1);
    assert_eq!(signals.spans[0].end.since(signals.spans[0].start).as_millis(), 50);
}

#[test]
fn a_report_that_used_all_memory_is_out_of_memory_and_a_stranger_still_has_a_trace() {
    let full = json!({"requestId": ID, "status": "error", "errorType": "Runtime.ExitError",
        "metrics": {"durationMs": 1.0, "memorySizeMB": 128, "maxMemoryUsedMB": 128}});
    let mut assembler = Assembler::new(checkout());
    let signals = run(&mut assembler, [record(1_000, "platform.report", full)]);
    assert_eq!(signals.logs[0].error.as_deref(), Some("Runtime.OutOfMemory"));
    let strangers = pipeline::assemble::identity::trace_id(ID);
    assert_eq!(signals.logs[0].trace_id, Some(strangers));
    let again = run(
        &mut assembler,
        [record(
            1_000,
            "platform.runtimeDone",
            json!({"requestId": ID, "status": "success",
        "metrics": {"durationMs": 10.0}}),
        )],
    );
    assert_eq!(again.spans[0].trace_id, strangers, "every record of one request comes to the same trace");
}

#[test]
fn a_sandbox_that_dies_closes_what_was_open() {
    let mut assembler = Assembler::new(checkout());
    run(&mut assembler, [start(1_000, ID)]);
    let signals = assembler.close(CloseReason::Failure, "2026-11-20T13:52:03Z".parse().unwrap());
    assert_eq!(signals.spans[0].status, SpanStatus::Error("Sandbox.Failure".into()));
    assert_eq!(signals.spans[0].end.since(signals.spans[0].start).as_secs(), 2);
    assert!(assembler.close(CloseReason::Failure, Timestamp::EPOCH).is_empty());
}

#[test]
fn an_init_that_never_reported_its_end_is_over_when_the_next_begins() {
    let init = |at_ms, phase| {
        record(at_ms, "platform.initStart", json!({"initializationType": "on-demand", "phase": phase}))
    };
    let mut assembler = Assembler::new(checkout());
    let mut signals = run(&mut assembler, [init(0, "init"), start(10_000, ID), init(10_001, "invoke")]);
    signals.append(assembler.close(CloseReason::Timeout, "2026-11-20T13:52:20Z".parse().unwrap()));
    let names: Vec<_> = signals.spans.iter().map(|span| (span.name.as_str(), span.status.clone())).collect();
    let timed_out = SpanStatus::Error("Task timed out".into());
    assert_eq!(
        names,
        [("init", SpanStatus::Unset), ("init", SpanStatus::Error("timeout".into())), ("checkout", timed_out),]
    );
    assert!(signals.spans.iter().all(|span| span.trace_id == signals.spans[0].trace_id));
}
