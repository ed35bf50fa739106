//! Errors, timeouts, crashes and memory that ran out, in every way they are told.

use model::{SpanStatus, Timestamp};
use pipeline::{Assembler, CloseReason};
use serde_json::{Value, json};

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

/// What the SERVER span and the report say of an invocation that printed `line` and ended so.
fn end_of(line: Option<&str>, status: &str, error_type: Option<&str>, used_mb: u64) -> (SpanStatus, Value) {
    let mut report = report(2_001, ID, status, 42.5);
    report.record["metrics"]["maxMemoryUsedMB"] = json!(used_mb);
    let printed = line.map(|line| record(1_010, "function", json!(line)));
    let course =
        [Some(start(1_000, ID)), printed, Some(done(1_043, ID, status, error_type, 42.5)), Some(report)];
    let signals = run(&mut Assembler::new(checkout()), course.into_iter().flatten());
    let span = signals.spans.iter().find(|span| span.name == "checkout").unwrap();
    let error_type = |key: &str| span.attributes.get(key).cloned().map(Value::from);
    let report = signals.logs.iter().find(|log| log.duration_ms == Some(42.5)).unwrap();
    let told = json!([
        error_type("error.type"),
        error_type("aws.lambda.error_type"),
        report.body.contains_key("@outOfMemory"),
    ]);
    (span.status.clone(), told)
}

#[test]
fn memory_that_ran_out_is_recognised_in_every_way_it_is_told() {
    let oom = "Runtime.OutOfMemory";
    let exit = Some("Runtime.ExitError");
    let killed =
        format!("RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError");
    let heap = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
    let java = "java.lang.OutOfMemoryError: Java heap space\n\tat app.Main.main(Main.java:9)";
    let told_by_the_span = SpanStatus::Error(oom.into());
    for (line, status, kind, used_mb, expected) in [
        (None, "error", Some(oom), 100, json!([oom, null, false])),
        (Some(killed.as_str()), "error", exit, 100, json!([oom, "Runtime.ExitError", false])),
        (Some(heap), "error", exit, 100, json!([oom, "Runtime.ExitError", false])),
        (Some(java), "error", exit, 100, json!([oom, "Runtime.ExitError", false])),
        (Some(heap), "timeout", None, 100, json!([oom, null, false])),
    ] {
        assert_eq!(end_of(line, status, kind, used_mb), (told_by_the_span.clone(), expected), "{line:?}");
    }
    // Only the report knows: its span is out by then.
    let (status, told) = end_of(None, "timeout", None, 512);
    assert_eq!((status, told), (SpanStatus::Error("Task timed out".into()), json!(["timeout", null, true])));
    // A function that used all of its memory and raised, or caught it, was not ended by that.
    assert_eq!(end_of(None, "error", Some("ValueError"), 512).1, json!(["ValueError", null, false]));
    assert_eq!(end_of(Some("ERROR MemoryError"), "success", None, 512).1, json!([null, null, false]));
}

#[test]
fn memory_that_ran_out_and_was_caught_is_not_why_a_later_error_ended_the_invocation() {
    let printed = ["[ERROR] MemoryError", "[ERROR] ValueError: bad card"];
    let course = printed.map(|line| record(1_010, "function", json!(line)));
    let ended = done(1_043, ID, "error", Some("Unhandled"), 42.5);
    let signals =
        run(&mut Assembler::new(checkout()), std::iter::once(start(1_000, ID)).chain(course).chain([ended]));
    assert_eq!(signals.spans[0].status, SpanStatus::Error("[ERROR] ValueError: bad card".into()));
}

#[test]
fn an_extension_that_crashed_is_named() {
    let (status, told) = end_of(None, "failure", Some("Extension.Crash"), 100);
    assert_eq!(status, SpanStatus::Error("Extension.Crash".into()));
    assert_eq!(told, json!(["Extension.Crash", null, false]));
}

#[test]
fn the_logs_apis_fault_and_end_belong_to_their_invocation() {
    let fault =
        format!("RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n");
    let signals = run(
        &mut Assembler::new(checkout()),
        [
            start(1_000, ID),
            record(1_010, "platform.fault", json!(fault)),
            record(1_020, "platform.end", json!({"requestId": ID})),
            record(1_021, "platform.end", json!({"requestId": ID})),
        ],
    );
    let fault = &signals.logs[1];
    assert_eq!(fault.error.as_deref(), Some("Runtime exited with error: signal: killed"));
    assert_eq!(fault.request_id.as_deref(), Some(ID));
    assert_eq!(fault.trace_id, Some(signals.spans[0].trace_id));
    assert_eq!((signals.spans.len(), signals.folded), (1, 1), "END is told once");
}
