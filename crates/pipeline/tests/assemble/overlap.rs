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
