//! Errors, timeouts, crashes and memory that ran out, in every way they are told.

use model::{SpanStatus, Timestamp};
use pipeline::{Assembler, CloseReason};
use serde_json::json;

use super::support::*;

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
