//! One invocation, as the function, its extension and its caller see it.

use std::time::Duration;

use sandbox::{FunctionError, Invocation, InvocationType, InvokeError, LogFormat, WhenFull};
use serde_json::{Value, json};

use crate::scene::{Scene, answer, position, run};

#[tokio::test(flavor = "multi_thread")]
async fn one_invocation_is_told_in_the_platforms_order() {
    let scene = Scene::recorded(json!({}));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"print": "hello"}, {"stderr": "oops"}, {"answer": {"ok": true}}]))
        .await
        .unwrap();
    assert_eq!((answer(&outcome), outcome.error), (json!({"ok": true}), None));
    lambda.shutdown().await;

    let kinds = scene.kinds();
    let order = [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "platform.runtimeDone",
        "platform.report",
    ];
    let positions: Vec<_> = order.iter().map(|kind| position(&kinds, kind)).collect();
    assert!(positions.is_sorted(), "{kinds:?}");
    let lines: Vec<_> =
        scene.records().into_iter().filter(|r| r.kind == "function").map(|r| r.record).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.contains(&json!("hello")) && lines.contains(&json!("oops")));
    assert!(
        scene
            .records()
            .iter()
            .any(|record| record.kind == "extension" && record.record == "the recorder is ready")
    );
    assert!(
        scene
            .journal()
            .iter()
            .filter(|note| note.get("post").is_some())
            .all(|note| note["sequence_is_right"] == true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_real() {
    let scene = Scene::recorded(json!({"work": 0.3}));
    let lambda = scene.start().await;
    run(&lambda, json!([{"hold": 40}, {"sleep": 0.1}, {"answer": "12345"}])).await.unwrap();
    lambda.shutdown().await;

    let done = scene.record("platform.runtimeDone");
    let duration = done["metrics"]["durationMs"].as_f64().unwrap();
    assert!((100.0..2_000.0).contains(&duration), "{duration}");
    assert_eq!(done["metrics"]["producedBytes"], 7);
    let spans: Vec<_> =
        done["spans"].as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(spans, ["responseLatency", "responseDuration", "runtimeOverhead"]);
    assert!(done["spans"][0]["durationMs"].as_f64().unwrap() >= 100.0);

    let report = scene.record("platform.report");
    let metrics = &report["metrics"];
    let memory = metrics["maxMemoryUsedMB"].as_u64().unwrap();
    assert!((50..=128).contains(&memory), "{memory}");
    assert!(metrics["durationMs"].as_f64().unwrap() >= 300.0, "the extension's work counts: {metrics}");
    let billed = metrics["durationMs"].as_f64().unwrap() + metrics["initDurationMs"].as_f64().unwrap();
    assert!((metrics["billedDurationMs"].as_f64().unwrap() - billed).abs() <= 1.01);
    assert_eq!(report["spans"][0]["name"], "extensionOverhead");
    assert_eq!(report["tracing"]["value"], done["tracing"]["value"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_an_invocation_comes_in_the_next_one() {
    let scene = Scene::recorded(json!({}));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!scene.kinds().contains(&"platform.report".to_owned()));
    run(&lambda, json!([{"sleep": 0.1}])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let first: Vec<_> =
        scene.records().into_iter().filter(|record| record.kind == "platform.report").collect();
    assert_eq!(first.len(), 1);
    assert!(first[0].record["metrics"]["initDurationMs"].is_number());
    lambda.shutdown().await;
    let all: Vec<_> = scene.records().into_iter().filter(|record| record.kind == "platform.report").collect();
    assert_eq!(all.len(), 2);
    assert!(all[1].record["metrics"]["initDurationMs"].is_null());
    assert_eq!(scene.events().last().unwrap()["shutdownReason"], "SPINDOWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_gets_its_headers_and_variables() {
    let scene = Scene::recorded(json!({})).with(|f| f.handler("app.go").env("COLOUR", "green"));
    let lambda = scene.start().await;
    let mut invocation = Invocation::new("f", json!({"do": [{"headers": 1}]}).to_string());
    invocation.trace_header =
        Some("Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1".to_owned());
    invocation.client_context = Some("{\"client\":1}".to_owned());
    let outcome = lambda.invoke(invocation).await.unwrap();
    let headers: Value = serde_json::from_str(&answer(&outcome).to_string().to_lowercase()).unwrap();
    assert_eq!(headers["lambda-runtime-aws-request-id"], outcome.request_id);
    assert_eq!(
        headers["lambda-runtime-invoked-function-arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:f"
    );
    assert_eq!(headers["lambda-runtime-client-context"], "{\"client\":1}");
    assert!(
        headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000_000
    );
    let variables = answer(&run(&lambda, json!([{"environ": 1}])).await.unwrap());
    assert_eq!((&variables["_HANDLER"], &variables["COLOUR"]), (&json!("app.go"), &json!("green")));
    lambda.shutdown().await;

    let start = scene.record("platform.start");
    let own = start["tracing"]["spanId"].as_str().unwrap();
    assert!(start["tracing"]["value"].as_str().unwrap().contains("Parent=2be948a625588e32"));
    assert_eq!(
        headers["lambda-runtime-trace-id"],
        format!("root=1-5f35ae12-0c0fec141ab77a00bc047aa2;parent={own};sampled=1")
    );
    let journal = scene.journal();
    assert_eq!(journal[0]["environ"]["COLOUR"], "green");
    assert!(journal[0]["environ"].get("_HANDLER").is_none());
    assert_eq!(journal[1]["answer"]["accountId"], "000000000000");
    assert_eq!(scene.events()[0]["requestId"], outcome.request_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_raises_fails_but_lives() {
    let scene = Scene::recorded(json!({})).with(|f| f.concurrency_max(1));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"raise": "no luck"}])).await.unwrap();
    assert_eq!(outcome.error, Some(FunctionError::Unhandled));
    assert_eq!(answer(&outcome)["errorMessage"], "no luck");
    assert_eq!(run(&lambda, json!([])).await.unwrap().error, None);
    assert_eq!(lambda.environments("f"), 1);
    lambda.shutdown().await;
    assert_eq!(scene.record("platform.runtimeDone")["status"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_the_environment_and_tells_the_extension() {
    let scene = Scene::recorded(json!({})).with(|f| f.timeout(Duration::from_millis(600)));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"print": "before"}, {"sleep": 30}])).await.unwrap();
    assert_eq!(outcome.error, Some(FunctionError::Unhandled));
    let message = answer(&outcome)["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Task timed out after 0.60 seconds"), "{message}");
    lambda.shutdown().await;
    assert_eq!(scene.record("platform.runtimeDone")["status"], "timeout");
    assert_eq!(scene.record("function"), "before");
    assert_eq!(scene.events().last().unwrap()["shutdownReason"], "TIMEOUT");
    assert!(scene.journal().last().unwrap()["bye"].as_bool().unwrap());
    assert!(scene.printed().iter().any(|line| line.contains("Task timed out after 0.60 seconds")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_ends_the_environment_and_the_next_invocation_gets_a_new_one() {
    let scene = Scene::recorded(json!({}));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"print": "last words"}, {"exit": 7}])).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Runtime.ExitError");
    assert!(answer(&outcome)["errorMessage"].as_str().unwrap().contains("exit status 7"));
    assert_eq!(run(&lambda, json!([])).await.unwrap().error, None);
    lambda.shutdown().await;
    let done = scene.record("platform.runtimeDone");
    assert_eq!((&done["status"], &done["errorType"]), (&json!("failure"), &json!("Runtime.ExitError")));
    let kinds = scene.kinds();
    assert!(position(&kinds, "function") < position(&kinds, "platform.runtimeDone"));
    assert!(scene.events().iter().any(|event| event["shutdownReason"] == "FAILURE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_memory_is_an_end_of_its_own() {
    let scene = Scene::recorded(json!({}));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"hold": 200}, {"sleep": 5}])).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Runtime.OutOfMemory");
    lambda.shutdown().await;
    assert_eq!(scene.record("platform.runtimeDone")["errorType"], "Runtime.OutOfMemory");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_crashes_takes_the_invocation_with_it() {
    let scene = Scene::recorded(json!({"crash_at": 1}));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"sleep": 1}])).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Extension.Crash");
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_logs_arrive_as_objects() {
    let scene = Scene::recorded(json!({})).with(|f| f.log_format(LogFormat::Json));
    let lambda = scene.start().await;
    let outcome =
        run(&lambda, json!([{"print": "{\"level\":\"WARN\",\"n\":1}"}, {"print": "plain"}])).await.unwrap();
    lambda.shutdown().await;
    let lines: Vec<_> =
        scene.records().into_iter().filter(|r| r.kind == "function").map(|r| r.record).collect();
    assert_eq!(lines[0], json!({"level": "WARN", "n": 1}));
    assert_eq!((&lines[1]["message"], &lines[1]["requestId"]), (&json!("plain"), &json!(outcome.request_id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_over_the_limit_is_refused_and_a_tail_is_returned() {
    let scene = Scene::bare();
    let lambda = scene.start().await;
    let mut invocation =
        Invocation::new("f", json!({"do": [{"print": "a line"}, {"large": 7 << 20}]}).to_string());
    invocation.log_tail = true;
    let outcome = lambda.invoke(invocation).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Function.ResponseSizeTooLarge");
    let tail = String::from_utf8(outcome.log_tail.unwrap()).unwrap();
    for part in ["START RequestId", "a line", "response refused: 413", "END RequestId", "REPORT RequestId"] {
        assert!(tail.contains(part), "{part} in {tail}");
    }
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_run_is_an_error_of_its_own() {
    let scene = Scene::bare().with(|mut f| {
        f.when_full = WhenFull::Throttle;
        f.concurrency_max(1)
    });
    let lambda = scene.start().await;
    assert!(matches!(lambda.invoke(Invocation::new("g", "{}")).await, Err(InvokeError::UnknownFunction(_))));
    let large = Invocation::new("f", vec![b' '; (6 << 20) + 1]);
    assert!(matches!(lambda.invoke(large).await, Err(InvokeError::PayloadTooLarge { .. })));
    let mut dry = Invocation::new("f", "{}");
    dry.kind = InvocationType::DryRun;
    lambda.invoke(dry).await.unwrap();
    assert_eq!(lambda.environments("f"), 0);
    let busy = tokio::spawn({
        let lambda = lambda.clone();
        async move { run(&lambda, json!([{"sleep": 1}])).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(matches!(run(&lambda, json!([])).await, Err(InvokeError::Throttled { .. })));
    busy.await.unwrap().unwrap();
    lambda.shutdown().await;
    assert!(matches!(run(&lambda, json!([])).await, Err(InvokeError::ShuttingDown)));
}
