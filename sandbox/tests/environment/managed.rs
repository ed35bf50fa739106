//! Managed Instances: several invocations at once in one environment that is never frozen.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lambda_api::telemetry::Record;
use sandbox::{FunctionError, Initialization, Lambda, Outcome};
use serde_json::{Value, json};

use crate::scene::{Scene, answer, position, run};

/// One instance that takes four invocations at once, and an extension that registers as it must there.
fn instance(settings: Value) -> Scene {
    let mut all = json!({"tries": [["INVOKE", "SHUTDOWN"], ["SHUTDOWN"]]});
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let managed = Initialization::ManagedInstances { environments: 1, concurrency: 4 };
    Scene::recorded(all).with(|f| f.initialization(managed))
}

async fn at_once(lambda: &Lambda, steps: Vec<Value>) -> Vec<Outcome> {
    let calls = steps.into_iter().map(|steps| {
        let lambda = lambda.clone();
        tokio::spawn(async move { run(&lambda, steps).await.unwrap() })
    });
    let mut outcomes = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

fn of_kind(scene: &Scene, kind: &str) -> Vec<Record> {
    scene.records().into_iter().filter(|record| record.kind == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_invocations_meet_in_one_environment() {
    let scene = instance(json!({}));
    let lambda = scene.start().await;
    let calls = (0..4).map(|n| json!([{"meet": 4}, {"print": format!("line {n}")}, {"answer": n}])).collect();
    let outcomes = at_once(&lambda, calls).await;
    assert!(outcomes.iter().all(|outcome| outcome.error.is_none()), "{outcomes:?}");
    assert_eq!(outcomes.iter().map(answer).collect::<Vec<_>>(), [json!(0), json!(1), json!(2), json!(3)]);
    assert_eq!(lambda.environments("f"), 1);
    lambda.shutdown().await;

    let kinds = scene.kinds();
    assert!(!kinds.contains(&"platform.runtimeDone".to_owned()), "{kinds:?}");
    assert!(position(&kinds, "platform.initReport") < position(&kinds, "platform.start"));
    let requests = |kind: &str| -> BTreeSet<String> {
        of_kind(&scene, kind).iter().map(|r| r.record["requestId"].as_str().unwrap().to_owned()).collect()
    };
    let expected: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.request_id.clone()).collect();
    assert_eq!((requests("platform.start"), requests("platform.report")), (expected.clone(), expected));
    assert_eq!(of_kind(&scene, "function").len(), 4);
    assert!(scene.events().iter().all(|event| event["eventType"] == "SHUTDOWN"));
    assert_eq!(scene.events().last().unwrap()["shutdownReason"], "SPINDOWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_have_the_shape_of_the_emulators() {
    let scene = instance(json!({}));
    let lambda = scene.start().await;
    run(&lambda, json!([{"sleep": 0.1}, {"answer": 1}])).await.unwrap();
    lambda.shutdown().await;

    let init = scene.record("platform.initStart");
    assert_eq!(init["initializationType"], "lambda-managed-instances");
    assert!(init.get("functionArn").is_none() && init["instanceMaxMemory"] == 128 << 20);
    assert_eq!(scene.record("platform.initReport")["status"], "success");
    assert_eq!(
        scene.record("platform.start")["functionArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:f"
    );
    let report = scene.record("platform.report");
    let metrics = report["metrics"].as_object().unwrap();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["durationMs"]);
    assert!((100.0..2_000.0).contains(&metrics["durationMs"].as_f64().unwrap()));
    let names: Vec<_> = report["spans"].as_array().unwrap().iter().map(|span| span["name"].clone()).collect();
    assert_eq!(names, [json!("responseLatency"), json!("responseDuration")]);
    assert_eq!(report["status"], "success");
    let post = scene.posts().into_iter().find(|post| post.contains("platform.report")).unwrap();
    let (_, duration) = post.split_once(r#""metrics":{"durationMs":"#).unwrap();
    let (duration, _) = duration.split_once('}').unwrap();
    assert_eq!(duration.split_once('.').unwrap().1.len(), 3, "{duration}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_shutdown_and_the_newest_schema_are_to_be_had() {
    let old = instance(json!({"schema": "2022-12-13"}));
    let lambda = old.start().await;
    lambda.shutdown().await;
    let journal = old.journal();
    let registrations: Vec<_> = journal.iter().filter(|note| note.get("registered").is_some()).collect();
    assert_eq!(
        (&registrations[0]["registered"], &registrations[1]["registered"]),
        (&json!(403), &json!(200))
    );
    assert_eq!(registrations[0]["answer"]["errorType"], "Extension.InvalidEventType");
    let subscribed = journal.iter().find(|note| note.get("subscribed").is_some()).unwrap();
    assert_eq!(subscribed["subscribed"], 400);
    assert!(journal[0]["environ"].get("AWS_ACCESS_KEY_ID").is_none());
    assert_eq!(journal[0]["environ"]["AWS_LAMBDA_MAX_CONCURRENCY"], "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_frozen_between_invocations() {
    let scene = instance(json!({"ticks": true}));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    let ticks = || scene.journal().iter().filter(|note| note.get("tick").is_some()).count();
    let before = ticks();
    let patience = Instant::now() + Duration::from_secs(5);
    while ticks() < before + 5 {
        assert!(Instant::now() < patience, "the extension stands still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_is_one_invocations_own() {
    let scene = instance(json!({})).with(|f| f.timeout(Duration::from_millis(1_500)));
    let lambda = scene.start().await;
    let outcomes = at_once(&lambda, vec![json!([{"sleep": 3}]), json!([{"answer": "well"}])]).await;
    assert!(answer(&outcomes[0])["errorMessage"].as_str().unwrap().ends_with("timed out after 1.50 seconds"));
    assert_eq!(answer(&outcomes[1]), json!("well"));
    let patience = Instant::now() + Duration::from_secs(10);
    while !scene.printed().contains(&"response refused: 410".to_owned()) {
        assert!(Instant::now() < patience, "{:?}", scene.printed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(lambda.environments("f"), 1);
    lambda.shutdown().await;
    let reports = of_kind(&scene, "platform.report");
    let status = |request: &str| {
        let report = reports.iter().find(|report| report.record["requestId"] == request).unwrap();
        report.record["status"].clone()
    };
    assert_eq!(
        (status(&outcomes[0].request_id), status(&outcomes[1].request_id)),
        (json!("timeout"), json!("success"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_ends_everything_that_runs_and_another_instance_follows() {
    let scene = instance(json!({}));
    let lambda = scene.start().await;
    let steps =
        vec![json!([{"meet": 2}, {"sleep": 5}]), json!([{"meet": 2}, {"print": "last words"}, {"exit": 7}])];
    let outcomes = at_once(&lambda, steps).await;
    for outcome in &outcomes {
        assert_eq!(outcome.error, Some(FunctionError::Unhandled));
        assert_eq!(answer(outcome)["errorType"], "Runtime.ExitError");
    }
    assert_eq!(answer(&run(&lambda, json!([{"answer": 1}])).await.unwrap()), json!(1));
    lambda.shutdown().await;
    assert_eq!(scene.record("platform.report")["status"], "failure");
    let kinds = scene.kinds();
    assert!(position(&kinds, "function") < position(&kinds, "platform.report"));
    assert!(scene.events().iter().any(|event| event["shutdownReason"] == "FAILURE"));
    assert_eq!(of_kind(&scene, "platform.initStart").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_fails_is_told_to_every_invocation() {
    let scene = instance(json!({})).with(|f| f.env("INIT_ERROR", "1"));
    let lambda = scene.start().await;
    for outcome in at_once(&lambda, vec![json!([]), json!([])]).await {
        assert_eq!(answer(&outcome)["errorType"], "Runtime.ImportModuleError");
    }
    lambda.shutdown().await;
}
