//! `kill -9` of the dev process at any moment: what was acknowledged is neither missing nor double afterwards.

use std::time::Duration;

use chance::Chance;
use model::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::dev::{Dev, python};
use crate::support::fault_proxy::FaultProxy;
use crate::support::fault_proxy::plan::Plan;
use crate::support::lines::{assert_exactly_once, counts, lines};
use crate::support::parts::{moto, prepare};
use crate::support::stream::put_records;

/// Moments after the first acknowledged record, in milliseconds: before, during and after the first commits.
const KILLED_AFTER_MS: [u64; 5] = [0, 120, 350, 700, 1_500];

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_records_survive_the_dev_process() {
    survive(&[]).await;
}

/// Commits are put-if-absent requests here: one may be under way when the process dies.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_records_survive_the_dev_process_over_a_bucket() {
    let server = moto();
    prepare("s3_bucket.py", &[&server.url(), "telemetry"]);
    survive(&["--store", "s3://telemetry/limelight", "--store-endpoint", &server.url()]).await;
}

async fn survive(flags: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for (round, after_ms) in KILLED_AFTER_MS.into_iter().enumerate() {
        let dev = Dev::start(data.path(), &[], flags);
        let stream = dev.address("stream").to_owned();
        let producer = tokio::spawn(async move {
            let mut taken = Vec::new();
            for number in 0.. {
                let marks: Vec<String> = (0..5).map(|n| format!("mark-{round}-{number}-{n};")).collect();
                let events: Vec<Value> = marks.iter().map(|mark| json!({ "mark": mark })).collect();
                let Some(answers) = put_records(&stream, "limelight", &events).await else { break };
                taken
                    .extend(marks.into_iter().zip(answers).filter(|(_, taken)| *taken).map(|(mark, _)| mark));
            }
            taken
        });
        tokio::time::sleep(Duration::from_millis(100 + after_ms)).await;
        dev.kill();
        acknowledged.extend(producer.await.unwrap());
    }
    assert!(acknowledged.len() > KILLED_AFTER_MS.len(), "the producer was never served");

    let dev = Dev::start(data.path(), &[], flags);
    let counted = dev.marks(acknowledged.len()).await;
    for mark in &acknowledged {
        assert_eq!(counted.get(mark), Some(&1), "{mark} of {} acknowledged", acknowledged.len());
    }
    dev.stop();
}

/// How often the dev process is killed, each time at another moment of its first seconds, which is when environments
/// start, batches travel and the first commits are made.
const KILLS: usize = 4;
const KILLED_WITHIN_MS: u64 = 2_500;
/// Callers at the same time.
const CALLERS: usize = 3;
/// As many lines as one query answers with.
const LINES_MAX: usize = 10_000;
const BURSTS_PER_CALLER: usize = LINES_MAX / 10 / CALLERS / KILLS;

#[tokio::test(flavor = "multi_thread")]
async fn what_functions_under_load_had_acknowledged_survives_the_dev_process() {
    let seed = crate::support::seed::of_run(1);
    println!("LIMELIGHT_FAULT_SEED={seed}");
    let mut chance = Chance::named(seed, "kill");
    let data = tempfile::tempdir().unwrap();
    let witness = FaultProxy::start("http://127.0.0.1:1", Plan::faultless()).await;
    let mut function = python("snake");
    function["env"] = json!({ "AWS_ENDPOINT_URL_KINESIS": witness.url() });
    let printed = lines("ff02", LINES_MAX);
    let mut bursts = printed.chunks(10).map(<[String]>::to_vec);
    for _ in 0..KILLS {
        let dev = Dev::start(data.path(), std::slice::from_ref(&function), &[]);
        witness.forward_to(dev.address("stream"));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let bursts: Vec<Vec<String>> = bursts.by_ref().take(BURSTS_PER_CALLER).collect();
            callers.spawn(invoke_until_it_is_gone(dev.address("invoke").to_owned(), bursts));
        }
        tokio::time::sleep(Duration::from_millis(500 + chance.below(KILLED_WITHIN_MS))).await;
        dev.kill();
        callers.join_all().await;
    }
    witness.settled().await;
    let taken = counts("ff02", &messages(&witness.taken()));
    assert!(taken.len() > 100, "only {} lines were acknowledged", taken.len());

    let dev = Dev::start(data.path(), &[], &[]);
    let events = dev.events_with("<ff02:", taken.len()).await;
    let texts: Vec<String> = events.iter().map(ToString::to_string).collect();
    let found = counts("ff02", &texts);
    let missing: Vec<_> = taken.keys().filter(|number| !found.contains_key(number)).collect();
    let double: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        missing.is_empty() && double.is_empty(),
        "seed {seed}: of {} missing {missing:?}, double {double:?}: {}",
        taken.len(),
        dev.log()
    );
    dev.stop();
}

async fn invoke_until_it_is_gone(address: String, bursts: Vec<Vec<String>>) {
    let (http, url) = (reqwest::Client::new(), format!("{address}/2015-03-31/functions/snake/invocations"));
    for lines in bursts {
        if http.post(&url).json(&json!({ "lines": lines })).send().await.is_err() {
            return;
        }
    }
}

/// The functions' lines in records of the stream.
fn messages(records: &[Vec<u8>]) -> Vec<String> {
    let context =
        wire::Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: wire::printed::as_text };
    let read = |data: &Vec<u8>| wire::decode(data, &context, &wire::Limits::default()).unwrap().events;
    records.iter().flat_map(read).filter_map(|event| event.message).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_extension_costs_no_acknowledged_line_and_doubles_none() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    dev.invoke("snake", &json!({ "lines": lines("aa02", 10) })).await;
    assert_exactly_once("aa02", 10, &dev.events_with("<aa02:", 10).await);

    dev.kill_extensions();
    // The environment is replaced, as Lambda does after Extension.Crash: one invocation may fail, the next works.
    dev.invoke("snake", &json!({})).await;
    dev.invoke("snake", &json!({ "lines": lines("aa03", 10) })).await;
    assert_exactly_once("aa03", 10, &dev.events_with("<aa03:", 10).await);
    assert_exactly_once("aa02", 10, &dev.events_with("<aa02:", 10).await);
    dev.stop();
}
