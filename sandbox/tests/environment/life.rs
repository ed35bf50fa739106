//! An environment's life: its init, its rest between invocations, its end; and how many there are.

use std::time::{Duration, Instant};

use sandbox::FunctionError;
use serde_json::json;

use crate::scene::{Scene, answer, run};

#[tokio::test(flavor = "multi_thread")]
async fn between_invocations_nothing_runs() {
    let scene = Scene::recorded(json!({"ticks": true}));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let ticks = || scene.journal().iter().filter(|note| note.get("tick").is_some()).count();
    let before = ticks();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ticks(), before);
    run(&lambda, json!([])).await.unwrap();
    assert!(ticks() > before);
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_init_is_repeated_in_the_invocation() {
    let scene = Scene::recorded(json!({})).with(|f| f.env("INIT_ERROR", "1"));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([])).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Runtime.ImportModuleError");
    lambda.shutdown().await;
    let inits: Vec<_> = scene
        .records()
        .into_iter()
        .filter(|record| record.kind == "platform.initReport")
        .map(|record| (record.record["phase"].clone(), record.record["status"].clone()))
        .collect();
    assert_eq!(inits, [(json!("init"), json!("error")), (json!("invoke"), json!("error"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_init_is_cut_and_repeated() {
    let scene = Scene::bare().with(|mut f| {
        f.init_timeout = Duration::from_millis(300);
        f.env("INIT_SLEEP", "0.6")
    });
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"answer": 1}])).await.unwrap();
    assert_eq!((outcome.error, answer(&outcome)), (None, json!(1)));
    assert!(scene.printed().iter().any(|line| line.contains("Phase: init\tStatus: timeout")));
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_never_registers_is_a_failed_init() {
    let scene = Scene::recorded(json!({"never_register": true})).with(|mut f| {
        f.init_timeout = Duration::from_millis(300);
        f.timeout(Duration::from_millis(500))
    });
    let lambda = scene.start().await;
    assert_eq!(run(&lambda, json!([])).await.unwrap().error, Some(FunctionError::Unhandled));
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extensions_init_error_fails_the_invocation() {
    let scene = Scene::recorded(json!({"init_error": true}));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([])).await.unwrap();
    assert_eq!(answer(&outcome)["errorType"], "Extension.InitError");
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_without_end_is_killed_at_the_deadline() {
    let scene = Scene::recorded(json!({"shutdown_sleep": 30}));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    let started = Instant::now();
    lambda.shutdown().await;
    let took = started.elapsed();
    assert!((Duration::from_millis(1_700)..Duration::from_millis(4_000)).contains(&took), "{took:?}");
    assert_eq!(lambda.environments("f"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_of_aws() {
    let scene = Scene::recorded(json!({"probe": true}));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    let probes: Vec<_> = scene
        .journal()
        .into_iter()
        .filter(|note| note.get("probe").is_some())
        .map(|note| {
            let text = |name: &str| note[name].as_str().unwrap_or("-").to_owned();
            format!("{}: {} {}", text("probe"), note["status"], text("error_type"))
        })
        .collect();
    assert_eq!(
        probes,
        [
            "no name: 403 Extension.InvalidExtensionName",
            "unknown event: 403 Extension.InvalidEventType",
            "twice: 403 Extension.InvalidExtensionState",
            "no identifier: 403 Extension.MissingExtensionIdentifier",
            "bad identifier: 403 Extension.InvalidExtensionIdentifier",
            "unknown identifier: 403 Extension.UnknownExtensionIdentifier",
            "error without type: 403 Extension.MissingHeader",
            "items: 400 ValidationError",
            "schema: 400 ValidationError",
            "host: 400 ValidationError",
            "unknown subscriber: 403 Extension.UnknownExtensionIdentifier",
            "no such path: 404 -",
            "response out of turn: 400 InvalidRequestID",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_scale_out_with_work_and_in_without() {
    let scene = Scene::bare().with(|mut f| {
        f.idle_timeout = Duration::from_millis(300);
        f.concurrency_max(3)
    });
    let lambda = scene.start().await;
    let calls = (0..30).map(|n| {
        let lambda = lambda.clone();
        tokio::spawn(
            async move { answer(&run(&lambda, json!([{"sleep": 0.05}, {"answer": n}])).await.unwrap()) },
        )
    });
    let calls: Vec<_> = calls.collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), json!(n));
    }
    assert_eq!(lambda.environments("f"), 3);
    let patience = Instant::now() + Duration::from_secs(10);
    while lambda.environments("f") > 0 {
        assert!(Instant::now() < patience, "idle environments live on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(run(&lambda, json!([])).await.unwrap().error, None);
    lambda.shutdown().await;
}

/// Where the process that is going to be killed tells its children's ids.
const PIDS_FILE: &str = "SANDBOX_TEST_PIDS";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the next test, in a process of its own"]
async fn a_process_that_will_be_killed() {
    let file = std::env::var(PIDS_FILE).unwrap();
    let scene = Scene::recorded(json!({}));
    let lambda = scene.start().await;
    let function = answer(&run(&lambda, json!([{"pid": 1}])).await.unwrap());
    let extension = scene.journal()[0]["instance"].clone();
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::fs::write(&file, json!([function, extension]).to_string()).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[test]
fn stopped_children_do_not_outlive_a_killed_process() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pids");
    let mut host = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "life::a_process_that_will_be_killed"])
        .env(PIDS_FILE, &file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    let wait = |what: &str, done: &dyn Fn() -> bool| {
        while !done() {
            assert!(Instant::now() < patience, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let pids = || -> Option<Vec<u32>> { serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok() };
    wait("no process ids", &|| pids().is_some());
    let state = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
    };
    let pids = pids().unwrap();
    assert!(pids.iter().all(|pid| state(*pid) == Some('T')), "they are stopped");
    host.kill().unwrap();
    host.wait().unwrap();
    wait("children live on", &|| pids.iter().all(|pid| matches!(state(*pid), None | Some('Z' | 'X'))));
}
