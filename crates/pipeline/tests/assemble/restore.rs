//! A sandbox that goes on from a snapshot: init was long ago and is a trace of its own, restore belongs to the
//! invocation that waits for it.

use lambda_api::telemetry::Record;
use model::{MetricKind, SpanStatus};
use pipeline::{Assembler, CloseReason, Signals, measure};
use serde_json::{Value, json};

use super::support::*;

fn restore_start(at_ms: u32) -> Record {
    record(
        at_ms,
        "platform.restoreStart",
        json!({"runtimeVersion": "python:3.13.v42", "runtimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:0cdcfbdefbc5",
            "functionName": "checkout", "functionVersion": "7", "instanceId": "ff0e", "instanceMaxMemory": 536_870_912}),
    )
}

/// How the runtime and its hooks came through.
fn restored(at_ms: u32, outcome: Value) -> [Record; 2] {
    let mut report = outcome.clone();
    report["metrics"] = json!({"durationMs": 287.5});
    [
        record(at_ms, "platform.restoreRuntimeDone", outcome),
        record(at_ms + 2, "platform.restoreReport", report),
    ]
}

fn report_after_restore(at_ms: u32) -> Record {
    let metrics = json!({"durationMs": 42.5, "billedDurationMs": 331, "memorySizeMB": 512, "maxMemoryUsedMB": 81,
        "restoreDurationMs": 287.5, "billedRestoreDurationMs": 288});
    record(
        at_ms,
        "platform.report",
        json!({"requestId": ID, "status": "success", "metrics": metrics, "tracing": tracing()}),
    )
}

/// As the extension does it: what is assembled is measured.
fn measured(assembler: &mut Assembler, records: impl IntoIterator<Item = Record>) -> Signals {
    let mut signals = run(assembler, records);
    measure::append(&mut signals);
    signals
}

#[test]
fn a_snapshot_is_restored_in_the_trace_of_the_invocation_that_waits_for_it() {
    let mut assembler = Assembler::new(checkout());
    let init = run(&mut assembler, init(500, "snap-start"));
    assert_eq!(init.spans.len(), 1, "nobody waits for the init of a snapshot");
    let mut restore = vec![restore_start(30_000), record(30_100, "function", json!("connecting again\n"))];
    restore.extend(restored(30_286, json!({"status": "success"})));
    let held = measured(&mut assembler, restore);
    assert!(held.is_empty(), "restore and what it prints wait for their invocation: {held:?}");
    let signals = measured(
        &mut assembler,
        [start(30_300, ID), done(30_343, ID, "success", None, 42.5), report_after_restore(30_350)],
    );
    insta::assert_json_snapshot!(shown(&signals));

    let span = |name| signals.spans.iter().find(|span| span.name == name).unwrap();
    let (restore, invocation) = (span("restore"), span("checkout"));
    assert_eq!(restore.trace_id, invocation.trace_id);
    assert_eq!(restore.parent_id, Some(invocation.span_id));
    assert_ne!(init.spans[0].trace_id, restore.trace_id, "a snapshot's init is shared by many sandboxes");
    let duration =
        signals.metrics.iter().find(|metric| metric.name == "aws.lambda.restore_duration").unwrap();
    assert_eq!((&duration.kind, duration.unit.as_str()), (&MetricKind::Gauge(0.2875), "s"));
}

#[test]
fn a_restore_that_fails_is_an_error_that_names_why_also_where_no_invocation_comes() {
    let outcome = json!({"status": "error", "errorType": "Runtime.AfterRestoreError"});
    for waits in [true, false] {
        let mut assembler = Assembler::new(checkout());
        run(&mut assembler, init(500, "snap-start"));
        let mut records = vec![restore_start(30_000)];
        records.extend(restored(30_286, outcome.clone()));
        if waits {
            let failed =
                json!({"requestId": ID, "status": "failure", "errorType": "Runtime.AfterRestoreError"});
            records.extend([start(30_300, ID), record(30_301, "platform.runtimeDone", failed)]);
        }
        let mut signals = measured(&mut assembler, records);
        signals.append(assembler.close(CloseReason::Failure, "2026-11-20T13:52:31Z".parse().unwrap()));
        let restore = signals.spans.iter().find(|span| span.name == "restore").unwrap();
        assert_eq!(restore.status, SpanStatus::Error("Runtime.AfterRestoreError".into()));
        assert_eq!(restore.attributes["error.type"], "Runtime.AfterRestoreError".into());
        assert_eq!(restore.attributes["aws.lambda.status"], "error".into());
        assert_eq!(restore.parent_id.is_some(), waits, "{restore:?}");
    }
}

/// The sandbox may end in the middle of it.
#[test]
fn a_restore_that_never_reports_its_end_is_over_with_its_sandbox() {
    let mut assembler = Assembler::new(checkout());
    run(&mut assembler, init(500, "snap-start"));
    run(&mut assembler, [restore_start(30_000)]);
    let signals = assembler.close(CloseReason::Timeout, "2026-11-20T13:52:40Z".parse().unwrap());
    let [restore] = &*signals.spans else { panic!("{:?}", signals.spans) };
    assert_eq!(restore.status, SpanStatus::Error("timeout".into()));
    assert_eq!(restore.end.since(restore.start).as_secs(), 10);
}
