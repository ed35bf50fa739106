//! The questions that the READMEs teach, asked as they stand there: each can be asked, and those that prove what is
//! missing do: a batch that never came, records that were given up, a sandbox that was killed.

use std::collections::BTreeMap;
use std::process::Command;

use model::{BatchId, LogRecord, Resource, Timestamp};
use serde_json::Value;

use crate::support::dev::Dev;
use crate::support::programs::{program, root};
use crate::support::stream::put_bytes;

const READMES: [&str; 2] = ["README.md", "extension/README.md"];
/// Each batch has so many lines.
const RECORDS: u64 = 2;

/// Everything arrived, and it said goodbye.
const WHOLE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Batch 2 of 0 to 3 never arrived.
const WITH_A_GAP: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// Three of its records were refused, and it owns up to them.
const LOSER: &str = "cccccccccccccccccccccccccccccccc";
/// It has no last word.
const KILLED: &str = "dddddddddddddddddddddddddddddddd";
const REFUSED: u64 = 3;

fn batch(sandbox: &str, sequence: u64, closed: &str) -> Vec<u8> {
    let lost = if sandbox == LOSER { REFUSED } else { 0 };
    let shipped = RECORDS * (sequence + 1);
    let line = |number| LogRecord {
        time: now(),
        line: Some(format!("line {number} of batch {sequence}")),
        ..LogRecord::default()
    };
    let account = wire::Account {
        received: shipped + lost,
        shipped,
        lost: (lost > 0).then(|| ("refused".to_owned(), lost)).into_iter().collect(),
        closed: closed.to_owned(),
        ..wire::Account::default()
    };
    wire::encode(&wire::Batch {
        id: BatchId { sandbox: sandbox.to_owned(), sequence },
        first_record: RECORDS * sequence,
        resource: Resource { namespace: "checkout".to_owned(), ..Resource::default() },
        spans: Vec::new(),
        logs: (0..RECORDS).map(line).collect(),
        metrics: Vec::new(),
        account,
    })
}

fn now() -> Timestamp {
    Timestamp::from(std::time::SystemTime::now())
}

/// The sandboxes' batches as they arrived.
fn batches() -> Vec<Vec<u8>> {
    [(WHOLE, vec![0, 1, 2, 3]), (WITH_A_GAP, vec![0, 1, 3]), (LOSER, vec![0, 1, 2, 3]), (KILLED, vec![0, 1])]
        .into_iter()
        .flat_map(|(sandbox, sequences)| {
            sequences
                .into_iter()
                .map(move |sequence| batch(sandbox, sequence, if sequence == 3 { "spindown" } else { "" }))
        })
        .collect()
}

/// Every line of a README's blocks of commands that asks a question.
fn questions() -> Vec<String> {
    let asked = |readme: &str| -> Vec<String> {
        let text = std::fs::read_to_string(root().join(readme)).unwrap();
        let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        blocks
            .flat_map(str::lines)
            .filter(|line| line.starts_with("limelight query "))
            .map(str::to_owned)
            .collect()
    };
    READMES.iter().flat_map(|readme| asked(readme)).collect()
}

/// What a person's shell answers to the line.
fn ask(line: &str, dev: &Dev) -> Value {
    let folder = program("limelight").parent().unwrap().to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    // A comment behind the question must not swallow the flag.
    let typed = line.split(" #").next().unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{typed} --format json")])
        .env("PATH", path)
        .env("LIMELIGHT_ENDPOINT", dev.address("api"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answer's rows by sandbox, and the order in which these came.
fn rows(answer: &Value) -> (BTreeMap<String, BTreeMap<String, u64>>, Vec<String>) {
    let rows = answer["calculations"]["aggregates"].as_array().unwrap();
    let sandbox = |row: &Value| row["groups"]["sandbox"].as_str().unwrap().to_owned();
    #[allow(clippy::cast_sign_loss, reason = "counts")]
    let figures = |row: &Value| {
        let values = row["values"].as_object().unwrap();
        values.iter().map(|(name, value)| (name.clone(), value.as_f64().unwrap() as u64)).collect()
    };
    (rows.iter().map(|row| (sandbox(row), figures(row))).collect(), rows.iter().map(sandbox).collect())
}

/// The sandboxes whose figures are as `is` says.
fn those(answer: &Value, is: impl Fn(&BTreeMap<String, u64>) -> bool) -> Vec<String> {
    let (rows, _) = rows(answer);
    assert_eq!(rows.len(), 4, "{answer}");
    rows.into_iter().filter(|(_, figures)| is(figures)).map(|(sandbox, _)| sandbox).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_of_the_readmes_can_be_asked_and_the_proofs_prove() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[], &[]);
    let batches = batches();
    for data in &batches {
        put_bytes(dev.address("stream"), "limelight", data).await.unwrap();
    }
    let text = format!("FROM limelight WHERE $limelight.name = delivery LIMIT {}", 2 * batches.len());
    let taken = |answer: &Value| answer["events"].as_array().map_or(0, Vec::len);
    assert_eq!(taken(&dev.settled(&text, |answer| taken(answer) >= batches.len()).await), batches.len());

    let questions = questions();
    let answers: Vec<(&String, Value)> = questions.iter().map(|line| (line, ask(line, &dev))).collect();
    let answer = |words: &str| {
        let mut found = answers.iter().filter(|(line, _)| line.contains(words)).map(|(_, answer)| answer);
        let one = found.next().unwrap_or_else(|| panic!("no README asks {words:?}: {questions:#?}"));
        assert!(found.next().is_none(), "{words:?} is asked twice");
        one
    };

    // A gap is where the newest number says that there must be more.
    let numbered = answer("as newest");
    assert_eq!(those(numbered, |figures| figures["newest"] + 1 > figures["batches"]), [WITH_A_GAP]);
    let numbered = answer("as highest");
    assert_eq!(those(numbered, |figures| figures["highest"] + 1 != figures["n"]), [WITH_A_GAP]);
    // What was received and is not there: given up with a reason, or in a batch that is not there.
    let there = answer("SUM(records)");
    assert_eq!(those(there, |figures| figures["received"] - figures["there"] == REFUSED), [LOSER]);
    assert_eq!(those(there, |figures| figures["received"] - figures["there"] == RECORDS), [WITH_A_GAP]);
    // Whoever was killed has no last word, and stands first.
    let ended = answer("COUNT_DISTINCT(closed)");
    assert_eq!(those(ended, |figures| figures["closed"] == 0), [KILLED]);
    assert_eq!(rows(ended).1.first().map(String::as_str), Some(KILLED));
    dev.stop();
}
