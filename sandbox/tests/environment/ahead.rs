//! Environments whose init runs before any invocation: provisioned concurrency and SnapStart. And whose invocation it
//! is: tenants.

use std::time::Duration;

use sandbox::{Initialization, Invocation};
use serde_json::json;

use crate::scene::{Scene, answer, position, run};

#[tokio::test(flavor = "multi_thread")]
async fn provisioned_environments_are_ready_and_further_ones_are_on_demand() {
    let provisioned = Initialization::ProvisionedConcurrency { environments: 1 };
    let scene = Scene::recorded(json!({})).with(|mut f| {
        f.idle_timeout = Duration::from_millis(50);
        f.initialization(provisioned).env("INIT_SLEEP", "0.3")
    });
    let lambda = scene.start().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(lambda.environments("f"), 1, "it stays although it has nothing to do");
    let environ = answer(&run(&lambda, json!([{"environ": 1}])).await.unwrap());
    assert_eq!(environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "provisioned-concurrency");
    // Until it is idle again: the extension has work after the answer.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (first, second) = tokio::join!(
        run(&lambda, json!([{"sleep": 0.5}, {"environ": 1}])),
        run(&lambda, json!([{"sleep": 0.5}, {"environ": 1}]))
    );
    let mut types = [first, second].map(|outcome| {
        answer(&outcome.unwrap())["AWS_LAMBDA_INITIALIZATION_TYPE"].as_str().unwrap().to_owned()
    });
    types.sort();
    assert_eq!(types, ["on-demand", "provisioned-concurrency"]);
    lambda.shutdown().await;

    let kinds = scene.kinds();
    assert!(position(&kinds, "platform.initReport") < position(&kinds, "platform.start"));
    let report = scene.record("platform.initReport");
    assert_eq!(report["initializationType"], "provisioned-concurrency");
    assert!(report["metrics"]["durationMs"].as_f64().unwrap() >= 300.0);
    assert!(scene.record("platform.report")["metrics"].get("initDurationMs").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_restored_once_before_its_first_invocation() {
    let scene = Scene::recorded(json!({"ticks": true}))
        .with(|f| f.concurrency_max(1).initialization(Initialization::SnapStart));
    let lambda = scene.start().await;
    let ticks = || scene.journal().iter().filter(|note| note.get("tick").is_some()).count();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = ticks();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ticks(), before, "the snapshot stands still");
    let environ = answer(&run(&lambda, json!([{"environ": 1}])).await.unwrap());
    assert_eq!(environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "snap-start");
    assert!(
        environ.get("AWS_ACCESS_KEY_ID").is_none() && environ.get("AWS_LAMBDA_LOG_STREAM_NAME").is_none()
    );
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;

    let kinds = scene.kinds();
    let order = [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.restoreStart",
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ];
    let positions: Vec<_> = order.iter().map(|kind| position(&kinds, kind)).collect();
    assert!(positions.is_sorted(), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "platform.restoreStart").count(), 1);
    assert_eq!(scene.record("platform.initReport")["initializationType"], "snap-start");
    assert_eq!(scene.record("platform.restoreStart")["functionName"], "f");
    assert_eq!(scene.record("platform.restoreReport")["status"], "success");
    assert_eq!(scene.record("function"), "restored");
    let reports: Vec<_> =
        scene.records().into_iter().filter(|record| record.kind == "platform.report").collect();
    let metrics = &reports[0].record["metrics"];
    assert!(metrics["restoreDurationMs"].is_number() && metrics["billedRestoreDurationMs"].is_number());
    assert!(metrics.get("initDurationMs").is_none());
    assert!(reports[1].record["metrics"].get("restoreDurationMs").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_after_the_restore_fails_the_invocation() {
    let scene = Scene::recorded(json!({}))
        .with(|f| f.initialization(Initialization::SnapStart).env("RESTORE_ERROR", "1"));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([])).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Runtime.AfterRestoreError");
    lambda.shutdown().await;
    let done = scene.record("platform.restoreRuntimeDone");
    assert_eq!((&done["status"], &done["errorType"]), (&json!("error"), &json!("Runtime.AfterRestoreError")));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_and_renewed_when_they_expire() {
    let scene = Scene::recorded(json!({"credentials": true})).with(|mut f| {
        f.credentials_lifetime = Duration::from_millis(600);
        f.concurrency_max(1).initialization(Initialization::SnapStart)
    });
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    let journal = scene.journal();
    let issued: Vec<_> = journal.iter().filter_map(|note| note.get("credentials")).collect();
    assert_eq!(issued.len(), 2);
    assert!(issued[0]["AccessKeyId"].is_string() && issued[0]["SecretAccessKey"].is_string());
    assert!(issued[0]["Expiration"].as_str().unwrap() < issued[1]["Expiration"].as_str().unwrap());
    assert_eq!(journal.iter().filter(|note| note["no_credentials"] == 404).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_share_environments() {
    let scene = Scene::recorded(json!({}));
    let lambda = scene.start().await;
    let mut pids = Vec::new();
    for tenant in ["blue", "green", "blue"] {
        let mut invocation =
            Invocation::new("f", json!({"do": [{"print": "hello"}, {"pid": 1}]}).to_string());
        invocation.tenant_id = Some(tenant.to_owned());
        pids.push(answer(&lambda.invoke(invocation).await.unwrap()));
    }
    assert!(pids[0] == pids[2] && pids[0] != pids[1], "{pids:?}");
    let mut invocation = Invocation::new("f", json!({"do": [{"headers": 1}]}).to_string());
    invocation.tenant_id = Some("green".to_owned());
    let headers = answer(&lambda.invoke(invocation).await.unwrap()).to_string().to_lowercase();
    assert!(headers.contains(r#""lambda-runtime-aws-tenant-id":"green""#), "{headers}");
    lambda.shutdown().await;
    for kind in ["platform.start", "platform.runtimeDone", "platform.report"] {
        let tenants: Vec<_> = scene
            .records()
            .into_iter()
            .filter(|r| r.kind == kind)
            .map(|r| r.record["tenantId"].clone())
            .collect();
        assert_eq!(
            tenants.iter().filter(|tenant| **tenant == json!("blue")).count(),
            2,
            "{kind}: {tenants:?}"
        );
        assert_eq!(
            tenants.iter().filter(|tenant| **tenant == json!("green")).count(),
            2,
            "{kind}: {tenants:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_functions_runtime_version_tells_it() {
    let scene = Scene::recorded(json!({})).with(|mut f| {
        f.durable = true;
        f.runtime_version = Some("python:3.14.v6".to_owned());
        f
    });
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    assert_eq!(scene.record("platform.initStart")["runtimeVersion"], "python:3.14.DurableFunction.v6");
}
