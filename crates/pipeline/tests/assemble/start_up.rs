//! Init that fails, is repeated, or never reports its end.

use model::SpanStatus;
use pipeline::{Assembler, CloseReason};
use serde_json::json;

use super::support::*;

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

#[test]
fn what_the_runtimes_part_of_init_is_made_of_stands_in_init_once() {
    let part = |name| json!({"name": name, "start": "2026-11-20T13:52:00.510Z", "durationMs": 40.0});
    let done = json!({"initializationType": "on-demand", "phase": "init", "status": "success",
        "spans": [part("extensionInit"), part("runtimeInit")]});
    let report = json!({"initializationType": "on-demand", "phase": "init", "metrics": {"durationMs": 101.0},
        "spans": [part("runtimeInit")]});
    let signals = run(
        &mut Assembler::new(checkout()),
        [
            record(500, "platform.initStart", json!({"initializationType": "on-demand", "phase": "init"})),
            record(600, "platform.initRuntimeDone", done),
            record(601, "platform.initReport", report),
            start(1_000, ID),
        ],
    );
    let names: Vec<_> = signals.spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["init", "extensionInit", "runtimeInit"]);
    assert!(signals.spans[1..].iter().all(|span| span.parent_id == Some(signals.spans[0].span_id)));
}
