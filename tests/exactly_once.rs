//! Each line that a function printed is found by query, once: over runtimes, freezes, errors, timeouts, a drain.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::dev::{Dev, node, python};
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::programs::program;

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_python_and_node_functions_are_found_once() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake"), node("knot")], &[]);
    for (function, run) in [("snake", "aa01"), ("knot", "bb01")] {
        for burst in lines(run, 60).chunks(10) {
            dev.invoke(function, &json!({ "lines": burst })).await;
        }
        let events = dev.events_with(&format!("<{run}:"), 60).await;
        assert_exactly_once(run, 60, &events);
        for event in &events {
            assert_eq!(event["$limelight"]["namespace"], function, "{event}");
            assert!(event["$limelight"]["requestId"].is_string(), "{event}");
            assert!(event["$limelight"]["traceId"].is_string(), "{event}");
        }
        the_first_invocation_is_a_waterfall(&dev, function, &lines(run, 60)[..10], &events);
    }
    dev.stop();
}

/// `limelight trace` as a person sees it: the invocation's span with its bar, init beneath it, each line once.
fn the_first_invocation_is_a_waterfall(dev: &Dev, function: &str, printed: &[String], events: &[Value]) {
    let first = events.iter().find(|event| event.to_string().contains(&printed[0])).unwrap();
    let trace = first["$limelight"]["traceId"].as_str().unwrap();
    let output = Command::new(program("limelight"))
        .args(["trace", trace, "--logs", "--endpoint", dev.address("api")])
        .env("COLUMNS", "120")
        .output()
        .unwrap();
    let drawn = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && drawn.starts_with(&format!("trace {trace} · ")), "{output:?}");
    assert!(drawn.lines().next().unwrap().ends_with(" · no errors"), "{drawn}");
    let is_span = |line: &str, name: &str| line.contains(name) && line.contains('█') && line.contains(" ms");
    let invocation = drawn.lines().position(|line| is_span(line, function));
    let init = drawn.lines().position(|line| is_span(line, "├ init") || is_span(line, "└ init"));
    assert!(invocation.is_some() && init > invocation, "init hangs on its invocation: {drawn}");
    for line in printed {
        assert_eq!(drawn.matches(line).count(), 1, "{line}: {drawn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_and_a_timed_out_invocation_keep_their_lines() {
    let data = tempfile::tempdir().unwrap();
    let mut function = python("frail");
    function["timeoutSeconds"] = json!(1);
    let dev = Dev::start(data.path(), &[function], &[]);
    let printed = lines("cc01", 4);
    dev.invoke("frail", &json!({ "lines": printed[..2], "raise": "boom" })).await;
    let answer = dev.invoke("frail", &json!({ "lines": printed[2..], "sleep_ms": 20_000 })).await;
    assert!(answer["errorMessage"].as_str().unwrap().contains("timed out"), "{answer}");

    assert_exactly_once("cc01", 4, &dev.events_with("<cc01:", 4).await);
    let spans = dev.query("FROM otel WHERE $limelight.name = frail LAST 1h").await;
    let errors: Vec<_> =
        spans["events"].as_array().unwrap().iter().map(|span| span["$limelight"]["status"].clone()).collect();
    assert_eq!(errors, [json!("error"), json!("error")], "{spans}");
    dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_printed_before_ctrl_c_is_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    dev.invoke("snake", &json!({ "lines": lines("dd01", 25) })).await;
    dev.stop();
    let again = Dev::start(data.path(), &[python("snake")], &[]);
    assert_exactly_once("dd01", 25, &again.events_with("<dd01:", 25).await);
    again.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_stands_in_the_trace_of_its_invocation() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    for burst in lines("ee01", 2).chunks(1) {
        dev.invoke("snake", &json!({ "lines": burst })).await;
    }
    let lines = dev.events_with("<ee01:", 2).await;
    dev.stop();
    let dev = Dev::start(data.path(), &[], &[]);
    for line in &lines {
        let trace = line["$limelight"]["traceId"].as_str().unwrap();
        let answer = dev
            .query(&format!("FROM lambda-logs WHERE @type = REPORT AND $limelight.traceId = {trace}"))
            .await;
        let reports = answer["events"].as_array().unwrap();
        assert_eq!(reports.len(), 1, "{answer}");
        assert!(reports[0]["@billedDuration"].as_f64().unwrap() >= 1.0, "{answer}");
    }
    dev.stop();
}
