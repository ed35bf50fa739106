//! What a killed extension leaves in its journal comes back by `limelight replay`: each line once, however much of it
//! the store has and however often it is run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use chance::Chance;
use model::Timestamp;
use sandbox::{FunctionConfig, Invocation, Lambda};
use serde_json::{Value, json};

use crate::support::dev::Dev;
use crate::support::fault_proxy::FaultProxy;
use crate::support::fault_proxy::plan::{Fault, Plan};
use crate::support::lines::{assert_exactly_once, counts, lines};
use crate::support::processes;
use crate::support::programs::{extension, part, program, root};

/// Lines of each of the three invocations: one whose batches are acknowledged, one whose acknowledgement is lost, one
/// that finds no stream.
const LINES: usize = 10;
/// Invocations within which everything of those before them is on the disk. Once the stream is known to be down a batch
/// goes there as soon as it is sealed; to know it, two requests must fail while the sandbox runs, and these are short.
const THAWS: usize = 20;

/// How a sandbox ends whose stream is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// SHUTDOWN, in vain; what is not acknowledged by then is put away.
    InOrder,
    /// `kill -9` between two invocations: the extension never knows.
    Killed,
}

/// A journal with batches that the stream has and others that it has not.
async fn journal_left_behind(run: &str, dev: &Dev, journal: &Path, end: End) {
    let healthy = FaultProxy::start(dev.address("stream"), Plan::faultless()).await;
    let losing =
        FaultProxy::start(dev.address("stream"), Plan::new(&[(Fault::AnswerLost, 1.0)], Chance::new(1)))
            .await;
    let python = part("RUNTIME_PYTHON").join("bin/python");
    let command = [python.to_str().unwrap(), "-m", "awslambdaric", "app.handler"].map(str::to_owned).to_vec();
    let function = FunctionConfig::new(run, command)
        .working_dir(root().join("tests/fixtures/functions"))
        .timeout(Duration::from_secs(20))
        .memory_mb(512)
        .concurrency_max(1)
        .env("LIMELIGHT_STREAM", "limelight")
        .env("LIMELIGHT_PORT", "0")
        .env("LIMELIGHT_FLUSH", "end")
        .env("LIMELIGHT_JOURNAL_DIR", journal.to_str().unwrap())
        .env("AWS_ENDPOINT_URL_KINESIS", healthy.url())
        .extension(extension());
    let lambda = Lambda::start(vec![function]).await.unwrap();
    let printed = lines(run, 3 * LINES);
    for (number, burst) in printed.chunks(LINES).enumerate() {
        match number {
            0 => {}
            1 => healthy.forward_to(&losing.url()),
            _ => healthy.forward_to("http://127.0.0.1:1"),
        }
        invoke(&lambda, run, burst).await;
    }
    if end == End::Killed {
        // What the platform had for the extension when it froze the sandbox comes with the next invocation.
        for _ in 0..THAWS {
            if !journalled(run, journal).contains_key(&(3 * LINES - 1)) {
                invoke(&lambda, run, &[]).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        assert_eq!(processes::kill_beside(run, "limelight-extension"), 1);
    }
    lambda.shutdown().await;
    losing.settled().await;
    let kept = journalled(run, journal);
    assert!(kept.contains_key(&(3 * LINES - 1)), "the journal has {kept:?}");
}

async fn invoke(lambda: &Lambda, function: &str, lines: &[String]) {
    let payload = json!({ "lines": lines, "sleep_ms": 50 }).to_string();
    assert!(lambda.invoke(Invocation::new(function, payload)).await.unwrap().error.is_none());
}

/// The lines in the journal's batches.
fn journalled(run: &str, journal: &Path) -> BTreeMap<usize, usize> {
    let files =
        std::fs::read_dir(journal).map(|files| files.flatten().collect()).unwrap_or_else(|_| Vec::new());
    let bytes = files.iter().flat_map(|file| std::fs::read(file.path()));
    let letters = bytes.flat_map(|bytes| wire::letter::read(&bytes).unwrap().letters);
    let context =
        wire::Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: wire::printed::as_text };
    let events = letters
        .flat_map(|letter| wire::decode(&letter.data, &context, &wire::Limits::default()).unwrap().events);
    counts(run, &events.filter_map(|event| event.message).collect::<Vec<_>>())
}

fn replay(journal: &Path, words: &[&str]) -> Output {
    Command::new(program("limelight"))
        .arg("replay")
        .arg(journal)
        .args(words)
        .env_remove("AWS_ENDPOINT_URL_KINESIS")
        .output()
        .unwrap()
}

fn told(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_that_a_sandbox_left_at_its_end_is_found_once_however_often_it_is_replayed() {
    comes_back_by_replay("rp01", End::InOrder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_killed_extension_is_found_once_however_often_it_is_replayed() {
    comes_back_by_replay("rp03", End::Killed).await;
}

async fn comes_back_by_replay(run: &str, end: End) {
    let data = tempfile::tempdir().unwrap();
    let journal = data.path().join("journal");
    let dev = Dev::start(data.path(), &[], &[]);
    journal_left_behind(run, &dev, &journal, end).await;

    let seen = told(&replay(&journal, &["--dry-run", "--format", "json"]));
    let batches = seen["waiting"].as_u64().unwrap();
    assert!(batches >= 2 && seen["damaged"] == 0, "{seen}");
    assert_eq!(seen["files"][0]["batches"][0]["namespaces"], json!([run]));

    let (mark, count) = (format!("<{run}:"), 3 * LINES);
    let here = ["--format", "json", "--data", data.path().to_str().unwrap()];
    let first = told(&replay(&journal, &here));
    assert!(first["sent"].as_u64().unwrap() >= 1, "{first}");
    assert_eq!(first["sent"].as_u64().unwrap() + first["stored"].as_u64().unwrap(), batches, "{first}");
    assert_exactly_once(run, count, &dev.events_with(&mark, count).await);

    let second = told(&replay(&journal, &[&here[..], &["--remove"]].concat()));
    assert_eq!((&second["sent"], second["stored"].as_u64()), (&json!(0), Some(batches)), "{second}");
    assert_eq!(std::fs::read_dir(&journal).unwrap().count(), 0, "what is done is removed when asked for");
    assert_exactly_once(run, count, &dev.events_with(&mark, count).await);
    dev.stop();
}

/// Nobody is asked what the store has: it drops by itself what it has just got.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_on_a_bad_day_gets_every_batch_and_the_store_each_once() {
    let data = tempfile::tempdir().unwrap();
    let journal = data.path().join("journal");
    let dev = Dev::start(data.path(), &[], &[]);
    journal_left_behind("rp02", &dev, &journal, End::InOrder).await;

    let bad_day = [(Fault::EntriesThrottled(0.5), 0.5), (Fault::ServerError, 0.2), (Fault::AnswerLost, 0.2)];
    let proxy = FaultProxy::start(dev.address("stream"), Plan::new(&bad_day, Chance::new(7))).await;
    let url = proxy.url();
    let to_proxy = ["--stream-endpoint", url.as_str(), "--stream", "limelight", "--format", "json"];
    let sent = told(&tokio::task::block_in_place(|| replay(&journal, &to_proxy)));
    assert_eq!(sent["sent"], sent["batches"], "{sent}");
    told(&tokio::task::block_in_place(|| replay(&journal, &to_proxy)));
    assert_exactly_once("rp02", 3 * LINES, &dev.events_with("<rp02:", 3 * LINES).await);
    dev.stop();
}
