//! AWS's own runtime clients, which we did not write, in the modes that they know: the log pipe, SnapStart, Managed
//! Instances.

use std::path::Path;
use std::time::Duration;

use lambda_api::telemetry::Record;
use sandbox::{Initialization, Invocation, Lambda, LogFormat, Outcome};
use serde_json::{Value, json};

use crate::scene::{Scene, answer, part, position};

/// The recorder beside a handler in Python under `awslambdaric`.
fn python(settings: Value, handler: &str, folder: &Path) -> Scene {
    std::fs::write(folder.join("app.py"), handler).unwrap();
    let python = part("sandbox/runtimes/python").join("bin/python");
    let command = [python.to_str().unwrap(), "-m", "awslambdaric", "app.handler"].map(str::to_owned).to_vec();
    Scene::recorded(settings).with(|mut f| {
        f.command = command;
        f.memory_mb(512).working_dir(folder)
    })
}

async fn invoke(lambda: &Lambda, payload: Value) -> Outcome {
    let outcome = lambda.invoke(Invocation::new("f", payload.to_string())).await.unwrap();
    assert!(outcome.error.is_none(), "{}", answer(&outcome));
    outcome
}

fn lines(scene: &Scene) -> Vec<Value> {
    let of_function = |record: &Record| record.kind == "function";
    scene.records().into_iter().filter(of_function).map(|record| record.record).collect()
}

const LOGGING: &str = r#"
import logging
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("printed")
    logging.info("first\nsecond\nthird")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("it failed")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_several_lines_is_one_record_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let scene = python(json!({}), LOGGING, folder.path());
    let lambda = scene.start().await;
    let outcome = invoke(&lambda, json!({})).await;
    lambda.shutdown().await;
    let lines = lines(&scene);
    assert_eq!(lines.len(), 3, "{lines:?}");
    let text = |index: usize| lines[index].as_str().unwrap();
    let whole = lines.iter().find(|line| line.as_str().unwrap().contains("first")).unwrap().as_str().unwrap();
    assert!(whole.starts_with("[INFO]") && whole.contains(&outcome.request_id), "{whole}");
    assert!(whole.ends_with("first\nsecond\nthird"), "{whole}");
    assert!((0..3).any(|index| text(index) == "printed"));
    let failed = (0..3).map(text).find(|text| text.contains("it failed")).unwrap();
    assert!(
        failed.contains("Traceback") && failed.ends_with("ZeroDivisionError: division by zero"),
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_pipe_every_line_is_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let scene = python(json!({}), LOGGING, folder.path()).with(|mut f| {
        f.log_pipe = false;
        f
    });
    let lambda = scene.start().await;
    invoke(&lambda, json!({})).await;
    lambda.shutdown().await;
    assert!(lines(&scene).contains(&json!("second")), "{:?}", lines(&scene));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_messages_come_through_the_pipe_as_objects() {
    let folder = tempfile::tempdir().unwrap();
    let scene = python(json!({}), LOGGING, folder.path()).with(|f| f.log_format(LogFormat::Json));
    let lambda = scene.start().await;
    let outcome = invoke(&lambda, json!({})).await;
    lambda.shutdown().await;
    let lines = lines(&scene);
    let message = lines.iter().find(|line| line["message"] == "first\nsecond\nthird");
    let message = message.unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!((&message["level"], &message["requestId"]), (&json!("INFO"), &json!(outcome.request_id)));
    assert!(lines.iter().any(|line| line["errorType"] == "ZeroDivisionError"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_several_lines_is_one_record_in_node() {
    let folder = tempfile::tempdir().unwrap();
    let handler = r#"exports.handler = async () => { console.warn("first\nsecond"); return 7; };"#;
    std::fs::write(folder.path().join("index.js"), handler).unwrap();
    let client = part("sandbox/runtimes/node").join("node_modules/aws-lambda-ric/bin/index.mjs");
    let scene = Scene::recorded(json!({})).with(|mut f| {
        f.command = vec!["node".to_owned(), client.to_str().unwrap().to_owned(), "index.handler".to_owned()];
        f.memory_mb(512).handler("index.handler").working_dir(folder.path())
    });
    let lambda = scene.start().await;
    assert_eq!(answer(&invoke(&lambda, json!({})).await), json!(7));
    lambda.shutdown().await;
    let lines = lines(&scene);
    let line = lines.iter().filter_map(Value::as_str).find(|line| line.contains("WARN"));
    assert!(line.is_some_and(|line| line.ends_with("first\nsecond")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_python_runs_its_hooks_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let handler = r#"
from snapshot_restore_py import register_before_snapshot, register_after_restore
register_before_snapshot(print, "before")
register_after_restore(print, "after")
def handler(event, context):
    print("invoked")
"#;
    let scene = python(json!({}), handler, folder.path())
        .with(|f| f.concurrency_max(1).initialization(Initialization::SnapStart));
    let lambda = scene.start().await;
    invoke(&lambda, json!({})).await;
    invoke(&lambda, json!({})).await;
    lambda.shutdown().await;
    assert_eq!(lines(&scene), [json!("before"), json!("after"), json!("invoked"), json!("invoked")]);
    let records = scene.records();
    let after = records.iter().position(|record| record.record == "after").unwrap();
    let kinds = scene.kinds();
    assert!(position(&kinds, "platform.restoreStart") < after);
    assert!(after < position(&kinds, "platform.restoreRuntimeDone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_python_share_a_managed_instance() {
    let folder = tempfile::tempdir().unwrap();
    // In one write: `print` makes two, and workers that share a stream may come between them.
    let handler = r#"
import os, time
def handler(event, context):
    os.write(1, (event["line"] + "\n").encode())
    time.sleep(0.5)
    return os.getpid()
"#;
    let managed = Initialization::ManagedInstances { environments: 1, concurrency: 3 };
    let scene = python(json!({"tries": [["SHUTDOWN"]]}), handler, folder.path())
        .with(|f| f.initialization(managed).timeout(Duration::from_secs(20)));
    let lambda = scene.start().await;
    let calls: Vec<_> = (0..3)
        .map(|n| {
            let lambda = lambda.clone();
            tokio::spawn(async move { answer(&invoke(&lambda, json!({"line": format!("line {n}")})).await) })
        })
        .collect();
    let mut pids = std::collections::BTreeSet::new();
    for call in calls {
        pids.insert(call.await.unwrap().as_u64().unwrap());
    }
    assert_eq!(pids.len(), 3, "each invocation had a worker of its own: {pids:?}");
    lambda.shutdown().await;
    let mut seen: Vec<_> = lines(&scene).iter().map(|line| line.as_str().unwrap().to_owned()).collect();
    seen.retain(|line| line.starts_with("line "));
    seen.sort();
    assert_eq!(seen, ["line 0", "line 1", "line 2"]);
    assert_eq!(scene.kinds().iter().filter(|kind| *kind == "platform.report").count(), 3);
}
