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
