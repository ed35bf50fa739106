//! One invocation from init to its report, which comes late.

use lambda_api::telemetry::Record;
use model::Timestamp;
use pipeline::{Assembler, CloseReason};
use serde_json::{Value, json};

use super::support::*;

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
fn what_a_newer_schema_adds_to_a_known_record_is_kept() {
    let signals = run(
        &mut Assembler::new(checkout()),
        [
            record(500, "platform.initStart", json!({"initializationType": "on-demand", "image": "a1"})),
            record(800, "platform.initReport", json!({"metrics": {"durationMs": 300, "pulledMs": 7}})),
            record(1_000, "platform.start", json!({"requestId": ID, "zone": "eu-west-1a"})),
            record(
                1_043,
                "platform.runtimeDone",
                json!({"requestId": ID, "status": "success",
                "metrics": {"durationMs": 42.5, "firstByteMs": 3.5}, "gpu": {"used": true}, "spans": null}),
            ),
            record(
                1_050,
                "platform.report",
                json!({"requestId": ID, "metrics": {"durationMs": 42.5,
                "networkBytes": 512}, "carbon": "low", "status": "success"}),
            ),
        ],
    );
    let told = |kind: &str, key: &str| {
        let log = signals
            .logs
            .iter()
            .find(|log| log.body.get("@type").and_then(model::Value::as_str) == Some(kind));
        log.and_then(|log| log.body.get(key)).cloned().map(Value::from)
    };
    assert_eq!(told("START", "@zone"), Some(json!("eu-west-1a")));
    assert_eq!(told("END", "@firstByteMs"), Some(json!(3.5)));
    assert_eq!(told("END", "@gpu"), Some(json!({"used": true})));
    assert_eq!(told("REPORT", "@networkBytes"), Some(json!(512)));
    assert_eq!(told("REPORT", "@carbon"), Some(json!("low")));
    let init = signals.spans.iter().find(|span| span.name == "init").unwrap();
    assert_eq!(init.attributes["aws.lambda.image"].as_str(), Some("a1"));
    assert_eq!(Value::from(init.attributes["aws.lambda.pulledMs"].clone()), json!(7));
}

#[test]
fn a_runtime_done_after_its_report_still_tells_its_parts_once() {
    let late = || done(1_043, ID, "success", None, 42.5);
    let signals = run(
        &mut Assembler::new(checkout()),
        [start(1_000, ID), report(1_050, ID, "success", 42.5), late(), late()],
    );
    let names: Vec<_> = signals.spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        names,
        ["checkout", "extensionOverhead", "responseLatency", "responseDuration", "runtimeOverhead"]
    );
    assert_eq!(signals.folded, 2);
}

#[test]
fn an_invocation_whose_end_was_lost_is_closed_by_the_second_start_after_it_and_traces_are_joined_again() {
    let mut assembler = Assembler::new(checkout());
    let first = run(&mut assembler, [start(1_000, ID), start(2_000, NEXT_ID)]);
    assert!(first.spans.is_empty(), "its end may be late");
    let trace =
        ["TypeError: no card", "    at f (a.js:1:2)"].map(|line| record(3_001, "function", json!(line)));
    let signals = run(&mut assembler, [start(3_000, "third")].into_iter().chain(trace));
    assert_eq!(signals.spans[0].request_id.as_deref(), Some(ID));
    assert_eq!(signals.spans[0].status, model::SpanStatus::Unset);
    let printed: Vec<_> = signals.logs.iter().filter(|log| !log.platform).collect();
    assert_eq!((printed.len(), printed[0].request_id.as_deref()), (1, Some("third")));
}

#[test]
fn the_platform_may_tell_the_trace_in_w3cs_form() {
    let tracing =
        json!({"type": "traceparent", "value": "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"});
    let started = record(1_000, "platform.start", json!({"requestId": ID, "tracing": tracing}));
    let signals = run(&mut Assembler::new(checkout()), [started, done(1_043, ID, "success", None, 42.5)]);
    assert_eq!(signals.spans[0].trace_id.to_string(), "a".repeat(32));
    assert_eq!(signals.spans[0].parent_id.map(|id| id.to_string()), Some("b".repeat(16)));
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
