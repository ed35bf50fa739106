//! The companion's own Lambda binary, `bootstrap`, behind an event source mapping in the sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use sandbox::event_source::{self, Mapping, client};
use sandbox::{FunctionConfig, Lambda};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::support::parts::{Server, kinesalite, prepare};
use crate::support::processes;
use crate::support::programs::program;
use crate::support::stream::put_marks;

/// A stream, the companion behind it, and where it keeps its datasets.
struct Deployment {
    _server: Server,
    kinesis: Client,
    lambda: Lambda,
    stop: oneshot::Sender<()>,
    poller: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Deployment {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = kinesalite(folder.path());
        prepare("kinesis_stream.py", &[&server.url(), "telemetry", "2"]);
        let bootstrap = program("bootstrap").to_str().unwrap().to_owned();
        let function = FunctionConfig::new("companion", vec![bootstrap])
            .working_dir(folder.path())
            .memory_mb(1_769)
            .timeout(Duration::from_secs(60))
            .env("LIMELIGHT_STORE", folder.path().join("store").to_str().unwrap());
        let lambda = Lambda::start(vec![function]).await.unwrap();
        let kinesis = Client::new(&client::settings(Some(&server.url()), "us-east-1").await);
        let mapping = Mapping {
            batch_size: 200,
            report_item_failures: true,
            bisect: true,
            poll_interval: Duration::from_millis(100),
            ..Mapping::new("telemetry", "companion")
        };
        let (stop, stopped) = oneshot::channel();
        let (pool, reader) = (lambda.clone(), kinesis.clone());
        let poller = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            event_source::run(pool, mapping, reader, stopped).await.unwrap();
        });
        Self { _server: server, kinesis, lambda, stop, poller, folder }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    async fn put(&self, marks: &[String]) {
        put_marks(&self.kinesis, "telemetry", marks).await;
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.poller.await.unwrap();
        self.lambda.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_both_shards_is_found_once() {
    let deployment = Deployment::start().await;
    let marks: Vec<String> = (0..1_000).map(|number| format!("mark-{number};")).collect();
    deployment.put(&marks).await;
    assert_once(&deployment.store(), &marks).await;
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_while_it_commits_it_loses_and_doubles_nothing() {
    let deployment = Deployment::start().await;
    let mut marks = Vec::new();
    for round in 0..8_u64 {
        let more: Vec<String> = (0..100).map(|number| format!("mark-{round}-{number};")).collect();
        deployment.put(&more).await;
        marks.extend(more);
        // Different moments: while it starts, decodes, writes files, commits.
        tokio::time::sleep(Duration::from_millis(150 + 90 * round)).await;
        processes::kill_children(std::process::id(), "bootstrap");
    }
    assert_once(&deployment.store(), &marks).await;
    deployment.end().await;
}

/// Waits until the store holds all marks, then asserts that each is there once.
async fn assert_once(store: &Path, marks: &[String]) {
    let mut counts = BTreeMap::new();
    for _ in 0..240 {
        counts = counts_in(store);
        if counts.len() >= marks.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let wrong: Vec<_> = marks.iter().filter(|mark| counts.get(*mark) != Some(&1)).collect();
    assert!(wrong.is_empty(), "{} of {} marks are not there once: {wrong:?}", wrong.len(), marks.len());
}

/// How often each mark is in the store, asked without a server.
fn counts_in(store: &Path) -> BTreeMap<String, u64> {
    let output = Command::new(program("limelight"))
        .args([
            "query",
            "COUNT as n FROM logs GROUP BY mark LIMIT 10000 LAST 1h",
            "--format",
            "json",
            "--store",
        ])
        .arg(store)
        .output()
        .unwrap();
    // Before the first commit there is no dataset, which the command says with its exit code.
    if !output.status.success() {
        return BTreeMap::new();
    }
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = answer.pointer("/calculations/aggregates").or_else(|| answer.get("aggregates")).cloned();
    rows.as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|row| {
            Some((row["groups"]["mark"].as_str()?.to_owned(), row["values"]["n"].as_f64()? as u64))
        })
        .collect()
}
