//! A managed instance of ours beside AWS's own emulator in that mode: the same runtime and the same extension, and so
//! the same answers and records. Where they differ, the emulator is right, or the difference stands here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lambda_api::telemetry::Record;
use sandbox::Initialization;
use serde_json::{Value, json};

use crate::scene::{Scene, fixtures, part, run};

const SETTINGS: &str = r#"{"tries": [["INVOKE", "SHUTDOWN"], ["SHUTDOWN"]], "shutdown_sleep": 0.5}"#;
const STEPS: &str = r#"{"do": [{"print": "hello"}, {"answer": {"ok": true}}]}"#;

/// AWS's runtime interface emulator, in a mount namespace of its own because it wants `/opt` and `/var/task`. It comes
/// inside PyPI's `aws-sam-cli`. Killed with its children when dropped.
struct Emulator {
    process: Child,
    port: u16,
}

impl Emulator {
    /// `folder` gets what is mounted; processes run as another user and write into its `task`.
    fn start(folder: &Path) -> Self {
        let (port, runtime_port) = (free_port(), free_port());
        for (name, mode) in [("opt/extensions", 0o755), ("task", 0o777)] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::copy(fixtures().join("recorder"), folder.join("opt/extensions/recorder")).unwrap();
        std::fs::copy(fixtures().join("runtime.py"), folder.join("task/runtime.py")).unwrap();
        executable(&folder.join("opt/bootstrap"), "#!/bin/sh\nexec python3 -u /var/task/runtime.py\n");
        let library = part("tests/parts/python").join("lib");
        let python = std::fs::read_dir(&library).unwrap().next().unwrap().unwrap().path();
        let program = python.join("site-packages/samcli/local/rapid/aws-lambda-rie-x86_64");
        let script = format!(
            "#!/bin/sh\nset -e\nmkdir -p /var/task\nmount --bind '{0}/opt' /opt\nmount --bind '{0}/task' /var/task\n\
             exec '{1}' --runtime-interface-emulator-address 127.0.0.1:{port} --runtime-api-address 127.0.0.1:{runtime_port}\n",
            folder.display(),
            program.display(),
        );
        executable(&folder.join("start"), &script);
        let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
        let process = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child"])
            .args((!is_root).then_some("--map-root-user"))
            .arg(folder.join("start"))
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "f"),
                ("_HANDLER", "app.handler"),
                ("LAMBDA_TASK_ROOT", "/var/task"),
            ])
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
            ])
            .envs([("AWS_LAMBDA_MAX_CONCURRENCY", "2"), ("RECORDER", SETTINGS)])
            .env("RECORDER_JOURNAL", "/var/task/journal")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let emulator = Self { process, port };
        until("the emulator listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        emulator
    }

    async fn invoke(&self) -> String {
        let url = format!("http://127.0.0.1:{}/2015-03-31/functions/function/invocations", self.port);
        let trace = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1";
        let request = reqwest::Client::new().post(url).header("X-Amzn-Trace-Id", trace).body(STEPS);
        request.send().await.unwrap().text().await.unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a journal shows of a platform, without what differs from run to run.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    answers: Vec<Value>,
    /// The paths of a kind's fields, each with the type of its value.
    fields: BTreeMap<String, BTreeSet<String>>,
    lines: Vec<Value>,
    events: Vec<String>,
}

impl Seen {
    fn of(journal: &[Value]) -> Self {
        let noted = |name: &'static str| journal.iter().filter_map(move |note| note.get(name));
        let records: Vec<Record> = noted("post")
            .flat_map(|post| serde_json::from_str::<Vec<Record>>(post.as_str().unwrap()).unwrap())
            .collect();
        let mut fields = BTreeMap::<String, BTreeSet<String>>::new();
        for record in records.iter().filter(|record| record.kind.starts_with("platform.")) {
            paths(&record.record, "", fields.entry(record.kind.clone()).or_default());
        }
        let lines = records.iter().filter(|record| !record.kind.starts_with("platform."));
        let refused =
            journal.iter().filter(|note| note["registered"] == 403).map(|note| note["answer"].clone());
        let subscribed = journal.iter().filter(|note| note.get("subscribed").is_some());
        Self {
            answers: refused.chain(subscribed.map(|note| note["subscribed"].clone())).collect(),
            fields,
            lines: lines.map(|record| json!([record.kind, record.record])).collect(),
            events: noted("event").map(|event| event["eventType"].as_str().unwrap().to_owned()).collect(),
        }
    }
}

fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| paths(value, &format!("{path}.{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{path}[]"), found)),
        Value::String(_) => drop(found.insert(format!("{path}: text"))),
        Value::Number(_) => drop(found.insert(format!("{path}: number"))),
        other => drop(found.insert(format!("{path}: {other}"))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_instance_is_what_the_emulator_has() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let emulator = Emulator::start(folder.path());
    let answer = emulator.invoke().await;
    assert_eq!(answer, r#"{"ok": true}"#);
    let theirs = || -> Vec<Value> {
        let text = std::fs::read_to_string(folder.path().join("task/journal")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    until("the emulator reports", || {
        theirs().iter().any(|note| note.to_string().contains("platform.report"))
    });
    drop(emulator);

    let managed = Initialization::ManagedInstances { environments: 1, concurrency: 2 };
    let settings = serde_json::from_str(SETTINGS).unwrap();
    let scene = Scene::recorded(settings).with(|mut f| {
        // The emulator has these fields without a version too, empty.
        f.runtime_version = Some("python:3.11.v1".to_owned());
        f.memory_mb(2_048).initialization(managed)
    });
    let lambda = scene.start().await;
    run(&lambda, serde_json::from_str::<Value>(STEPS).unwrap()["do"].take()).await.unwrap();
    until("ours reports", || scene.kinds().contains(&"platform.report".to_owned()));
    let mut ours = Seen::of(&scene.journal());
    // The emulator passes traces on; here tracing is active, so that an invocation has a span of its own.
    for fields in ours.fields.values_mut() {
        fields.remove(".tracing.spanId: text");
    }
    lambda.shutdown().await;

    assert_eq!(ours, Seen::of(&theirs()));
}
