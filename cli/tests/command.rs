//! The built command as a person uses it: `dev` without functions, records through its Kinesis API, answers through
//! the other subcommands, faults with their messages and exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of it is test code, also what is not inside a #[test]"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

fn limelight(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_limelight"))
        .args(words)
        .env_remove("LIMELIGHT_ENDPOINT")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(words: &[&str], code: i32) -> String {
    let output = limelight(words);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// `limelight dev` without functions, on free ports; killed when dropped.
struct Dev {
    process: Child,
    _out: BufReader<ChildStdout>,
    addresses: Value,
}

impl Dev {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_limelight"))
            .args(["dev", "--port-base", "0", "--format", "json", "--data"])
            .arg(data)
            .current_dir(data.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut why = String::new();
            process.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("dev did not start: {why}");
        }
        Self { process, _out: lines, addresses: serde_json::from_str(&line).unwrap() }
    }

    async fn put(&self, events: &[Value]) {
        let records: Vec<Value> = events
            .iter()
            .map(|event| json!({"Data": STANDARD.encode(event.to_string()), "PartitionKey": "test"}))
            .collect();
        let answer = reqwest::Client::new()
            .post(self.addresses["stream"].as_str().unwrap())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "Kinesis_20131202.PutRecords")
            .body(json!({"StreamName": "limelight", "Records": records}).to_string())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Ctrl-C; the exit code.
    fn stop(mut self) -> Option<i32> {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn what_was_put_is_found_by_every_command_also_after_a_restart_and_without_a_server() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("state");
    let place = data.to_str().unwrap();
    let dev = Dev::start(&data);
    dev.put(&[
        json!({"message": "first \u{1b}[2J", "user": {"id": 7}}),
        json!({"message": "second", "user": {"id": 8}}),
    ])
    .await;
    assert_eq!(dev.stop(), Some(0), "Ctrl-C drains");
    assert!(!data.join("dev.json").exists());

    let store = data.join("store");
    let store = store.to_str().unwrap();
    let datasets = out(&limelight(&["datasets", "--store", store]));
    assert!(
        datasets.lines().nth(1).is_some_and(|row| row.starts_with("logs") && row.contains(" 2 ")),
        "{datasets}"
    );

    let dev = Dev::start(&data);
    let counted =
        out(&limelight(&["query", "COUNT as n FROM logs LAST 1h", "--format", "ndjson", "--data", place]));
    assert_eq!(serde_json::from_str::<Value>(&counted).unwrap()["values"]["n"], 2, "{counted}");
    let chart =
        out(&limelight(&["query", "COUNT FROM logs LAST 1h EVERY 1m", "--format", "chart", "--data", place]));
    assert!(chart.starts_with("COUNT\n") && chart.contains("UTC"), "{chart}");

    let tail = out(&limelight(&["tail", "--dataset", "logs", "--data", place]));
    assert!(tail.contains("first \\x1b[2J user.id=7") && tail.contains("second user.id=8"), "{tail}");
    assert!(!tail.contains('\u{1b}'));
    let field = out(&limelight(&[
        "tail",
        "--dataset",
        "logs",
        "--field",
        "user.id",
        "--needle",
        "second",
        "--data",
        place,
    ]));
    assert_eq!(field, "8\n");

    let text = refused(&["query", "COUNT FROM nowhere", "--data", place], 3);
    assert!(text.contains("nowhere") && text.contains("logs"), "{text}");
    let text = refused(&["query", "CUONT FROM logs", "--data", place], 2);
    assert!(text.contains("^^^^^") && text.contains("COUNT"), "{text}");
    let text = refused(&["trace", "58406520a006649127e371903a2de979", "--data", place], 3);
    assert!(text.contains("58406520a006649127e371903a2de979"), "{text}");

    let text = refused(&["dev", "--port-base", "0", "--data", place], 1);
    assert!(text.contains(&dev.addresses["pid"].to_string()) && text.contains("--data"), "{text}");
    let port = dev.addresses["api"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let other = folder.path().join("other");
    let text = refused(&["dev", "--port-base", &port, "--data", other.to_str().unwrap()], 2);
    assert!(text.contains(&format!("port {port}")) && text.contains("--port-base 0"), "{text}");
    assert_eq!(dev.stop(), Some(0));
}

#[tokio::test]
async fn a_following_tail_shows_each_event_once_as_it_comes() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("state");
    let dev = Dev::start(&data);
    let mut tail = Command::new(env!("CARGO_BIN_EXE_limelight"))
        .args(["tail", "-f", "--dataset", "logs", "--field", "message", "--data"])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    for round in 0..5 {
        dev.put(&[json!({"message": format!("line {round}")})]).await;
        assert_eq!(lines.next().unwrap().unwrap(), format!("line {round}"));
    }
    assert!(Command::new("kill").args(["-INT", &tail.id().to_string()]).status().unwrap().success());
    assert!(tail.wait().unwrap().success());
    assert_eq!(lines.count(), 0, "nothing twice");
    assert_eq!(dev.stop(), Some(0));
}

/// The store's files and what nobody could read, while a `limelight dev` runs on them and after it.
#[tokio::test]
async fn a_store_is_looked_after_and_what_nobody_could_read_is_shown() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("state");
    let place = data.to_str().unwrap();
    let dev = Dev::start(&data);
    dev.put(&[json!({"n": 1}), json!("a text is no telemetry"), json!({"n": 2})]).await;
    assert_eq!(dev.stop(), Some(0));
    let dev = Dev::start(&data);

    let listed = out(&limelight(&["dlq", "list", "--data", place, "--format", "json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let id = listed["letters"][0]["id"].as_str().unwrap();
    assert!(listed["letters"][0]["reason"].as_str().unwrap().contains("nor JSON"), "{listed}");
    let shown = out(&limelight(&["dlq", "show", id, "--data", place]));
    assert!(shown.contains("a text is no telemetry") && shown.contains("nor JSON"), "{shown}");
    assert_eq!(out(&limelight(&["dlq", "show", id, "--raw", "--data", place])), "\"a text is no telemetry\"");
    let text = refused(&["dlq", "replay", id, "--data", place], 1);
    assert!(text.contains("stays") && text.contains("1 letters stay"), "{text}");
    refused(&["dlq", "show", "nothing-0", "--data", place], 3);

    let stats = out(&limelight(&["store", "stats", "--data", place, "--format", "json"]));
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!((&stats["datasets"][0]["name"], &stats["datasets"][0]["events"]), (&json!("logs"), &json!(2)));
    out(&limelight(&["store", "compact", "--data", place]));
    out(&limelight(&["store", "vacuum", "--data", place]));
    let proof: Value =
        serde_json::from_str(&out(&limelight(&["store", "verify", "--data", place, "--format", "json"])))
            .unwrap();
    assert_eq!((&proof["faults"], &proof["datasets"][0]["events"]), (&json!([]), &json!(2)));
    let exported = out(&limelight(&["store", "export", "logs", "--data", place, "--last", "1h"]));
    assert_eq!(exported.lines().count(), 2, "{exported}");
    refused(&["store", "export", "nowhere", "--data", place], 3);
    refused(&["store", "compact", "nowhere", "--data", place], 3);
    refused(&["store", "compact", "--retention", "soon", "--data", place], 2);

    let files = files_below(&data.join("store/datasets/logs"));
    let one = files.iter().find(|path| path.extension().is_some_and(|end| end == "parquet")).unwrap();
    let mut bytes = std::fs::read(one).unwrap();
    bytes[40] ^= 1;
    std::fs::write(one, bytes).unwrap();
    let text = refused(&["store", "verify", "--data", place], 1);
    assert!(text.contains("FAULT logs:") && text.contains("is damaged"), "{text}");
    assert_eq!(dev.stop(), Some(0));
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn what_athena_would_be_asked_is_told_and_without_one_nothing_is_run() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("state");
    let dev = Dev::start(&data);
    dev.put(&[json!({"message": "first", "user": {"id": 7}})]).await;
    assert_eq!(dev.stop(), Some(0));
    let store = data.join("store");
    let asked = |flags: &[&'static str]| {
        let text = "COUNT FROM logs WHERE user.id = 7 LAST 1h";
        let words = ["query", text, "--store", store.to_str().unwrap()];
        words.iter().copied().chain(flags.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let words =
        |flags: &[&'static str]| limelight(&asked(flags).iter().map(String::as_str).collect::<Vec<_>>());
    let refused = words(&["--engine", "athena"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && told.contains("LIMELIGHT_ATHENA_DATABASE"), "{told}");
    let explained = words(&["--engine", "athena", "--explain"]);
    let told = String::from_utf8_lossy(&explained.stderr).into_owned();
    assert!(explained.status.success() && told.contains("nothing was run"), "{told}");
    assert!(told.contains("\n0 ms · 0 rows · SELECT"), "a statement begins a line: {told}");
    assert!(told.contains("SELECT ") && told.contains(" UTC' AND (\"k_user__did__i\" = 7)"), "{told}");
    let here = words(&["--engine", "auto", "--explain"]);
    let told = String::from_utf8_lossy(&here.stderr).into_owned();
    assert!(here.status.success() && told.contains("the files of this time have "), "{told}");
}

#[test]
fn what_is_typed_wrong_is_told_with_a_way_out() {
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("nowhere");
    let text = refused(&["query", "COUNT", "--data", nowhere.to_str().unwrap()], 2);
    assert!(text.contains("limelight dev") && text.contains("--endpoint"), "{text}");
    let text = refused(&["datasets", "--endpoint", "http://127.0.0.1:1"], 1);
    assert!(text.contains("http://127.0.0.1:1 does not answer"), "{text}");
    refused(&["query", "COUNT", "--calc", "COUNT"], 2);
    let text = refused(&["query", "-f", nowhere.to_str().unwrap()], 3);
    assert!(text.contains("nowhere cannot be read"), "{text}");
    refused(&["query", "-f", folder.path().to_str().unwrap()], 2);
    refused(&["tail", "-f", "--to", "now", "--endpoint", "http://127.0.0.1:1"], 2);
    let text = refused(&["dev", "--data", "/proc/limelight", "--port-base", "0"], 1);
    assert!(text.contains("/proc/limelight") && text.contains("--data"), "{text}");
    assert!(out(&limelight(&["completions", "bash"])).contains("limelight"));
}
