//! What the function prints: its place, its figures, its joined lines.

use pipeline::Assembler;
use serde_json::json;

use super::support::*;

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
