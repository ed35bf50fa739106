//! Managed Instances: invocations that run at the same time.

use pipeline::{Assembler, FunctionContext};
use serde_json::json;

use super::support::*;

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
            record(1_004, "function", json!({"message": "of another order", "requestId": "order-76"})),
            record(
                1_050,
                "platform.report",
                json!({"requestId": ID, "status": "success", "metrics": {"durationMs": 50.0}}),
            ),
            record(1_051, "function", json!("now there is only one")),
            record(1_049, "function", json!("but I was printed while there were two")),
            record(1_052, "function", json!({"message": "of an order", "requestId": "order-77"})),
        ],
    );
    let owners: Vec<_> =
        signals.logs.iter().filter(|log| !log.platform).map(|log| log.request_id.as_deref()).collect();
    assert_eq!(owners, [None, Some(NEXT_ID), None, Some(NEXT_ID), None, Some(NEXT_ID)]);
    assert_eq!(signals.spans.len(), 1);
    assert_eq!(signals.spans[0].end.since(signals.spans[0].start).as_millis(), 50);
}

#[test]
fn lines_of_invocations_that_overlap_are_never_joined() {
    let function = FunctionContext { initialization_type: "lambda-managed-instances".into(), ..checkout() };
    let trace = ["TypeError: no card", "    at f (a.js:1:2)"];
    let lines = |at_ms| trace.map(|line| record(at_ms, "function", json!(line)));
    let mut assembler = Assembler::new(function);
    let mixed =
        run(&mut assembler, [start(1_000, ID), start(1_001, NEXT_ID)].into_iter().chain(lines(1_002)));
    assert_eq!(mixed.logs.iter().filter(|log| !log.platform).count(), 2);
    let ended = json!({"requestId": ID, "status": "success", "metrics": {"durationMs": 50.0}});
    let alone =
        run(&mut assembler, std::iter::once(record(1_050, "platform.report", ended)).chain(lines(1_060)));
    let logs: Vec<_> = alone.logs.iter().filter(|log| !log.platform).collect();
    assert_eq!((logs.len(), logs[0].request_id.as_deref()), (1, Some(NEXT_ID)));
}

#[test]
fn a_durable_function_with_tenants_says_so_on_its_spans() {
    let function = FunctionContext { initialization_type: "lambda-managed-instances".into(), ..checkout() };
    let init = json!({"initializationType": "lambda-managed-instances", "phase": "init",
        "runtimeVersion": "python:3.14.DurableFunction.v9", "instanceId": "i-0123", "instanceMaxMemory": 2_147_483_648_u64});
    let report =
        json!({"requestId": ID, "status": "success", "tenantId": "blue", "metrics": {"durationMs": 50.0}});
    let signals = run(
        &mut Assembler::new(function),
        [
            record(500, "platform.initStart", init),
            record(
                600,
                "platform.initReport",
                json!({"metrics": {"durationMs": 100.0}, "status": "success"}),
            ),
            start(1_000, ID),
            record(1_050, "platform.report", report),
        ],
    );
    let (init, invocation) = (&signals.spans[0], &signals.spans[1]);
    assert_eq!(init.attributes["aws.lambda.instance_id"], "i-0123".into());
    assert_eq!(init.attributes["aws.lambda.instance_max_memory"], 2_147_483_648_i64.into());
    assert_eq!(init.parent_id, None, "an instance's init is nobody's");
    assert_eq!(invocation.attributes["aws.lambda.durable"], true.into());
    assert_eq!(invocation.attributes["aws.lambda.tenant_id"], "blue".into());
    assert_eq!(invocation.attributes["faas.coldstart"], false.into());
}
