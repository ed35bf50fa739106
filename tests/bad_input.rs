//! What goes wrong in a person's hands: each a clear error with its own exit code, nothing lost, nothing half-written.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::dev::{Dev, python};
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::programs::{extension, part, program};
use crate::support::stream::put_bytes;

fn limelight(arguments: &[&str]) -> Output {
    Command::new(program("limelight")).args(arguments).output().unwrap()
}

fn fails(arguments: &[&str], says: &[&str]) {
    let output = limelight(arguments);
    let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    for word in says {
        assert!(text.contains(&word.to_lowercase()), "{arguments:?} does not say {word:?}: {text}");
    }
}

/// `limelight dev` on a folder, a first port and a configuration fails and says why.
fn dev_fails(data: &Path, port: &str, config: &serde_json::Value, says: &[&str]) {
    dev_fails_with(data, port, config, &[], says);
}

fn dev_fails_with(data: &Path, port: &str, config: &serde_json::Value, flags: &[&str], says: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("functions.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let extension = extension();
    let [data, file, extension] = [data, &file, &extension].map(|path| path.to_str().unwrap());
    let dev = ["dev", "--port-base", port, "--data", data, "--config", file, "--extension", extension];
    fails(&[&dev, flags].concat(), says);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_cannot_be_answered_say_why_and_where() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    dev.invoke("snake", &json!({ "lines": lines("bi01", 1) })).await;
    dev.events_with("<bi01:", 1).await;
    let api = dev.address("api").to_owned();
    fails(&["query", "COUNT FROM nowhere", "--endpoint", &api], &["nowhere", "lambda-logs"]);
    fails(&["query", "P98(@duration)", "--endpoint", &api], &["P98", "^"]);
    fails(
        &["query", "COUNT SINCE 2026-01-02T00:00:00Z UNTIL 2026-01-01T00:00:00Z", "--endpoint", &api],
        &["before"],
    );
    let reversed = ["query", "COUNT", "--from", "2026-01-02", "--to", "2026-01-01", "--endpoint", &api];
    fails(&reversed, &["before"]);
    fails(&["trace", "00000000000000000000000000000001", "--endpoint", &api], &["trace"]);

    let unknown = limelight(&["query", "WHERE no.such.key = 1", "--endpoint", &api]);
    assert!(unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no.such.key"), "{unknown:?}");
    dev.stop();
}

#[test]
fn an_endpoint_that_is_not_there_is_named() {
    fails(&["query", "COUNT", "--endpoint", "http://127.0.0.1:9"], &["127.0.0.1:9"]);
}

#[test]
fn a_handler_that_is_not_there_is_named() {
    let data = tempfile::tempdir().unwrap();
    let lost = json!({ "functions": [{ "name": "lost", "command": ["/no/such/program"], "handler": "x", "dir": "." }] });
    dev_fails(data.path(), "0", &lost, &["lost", "/no/such/program"]);
}

#[test]
fn a_module_that_is_not_there_is_named_with_its_folder() {
    let data = tempfile::tempdir().unwrap();
    let python = part("RUNTIME_PYTHON").join("bin/python");
    let folder = tempfile::tempdir().unwrap();
    let lost = json!({ "functions": [
        { "name": "lost", "runtime": "python", "handler": "gone.handler", "dir": folder.path() },
        { "name": "bare", "dir": folder.path() },
    ] });
    let folder = folder.path().to_str().unwrap();
    let flags = ["--python", python.to_str().unwrap()];
    dev_fails_with(data.path(), "0", &lost, &flags, &["lost", "no gone.py", "bare", "app.py", folder]);
}

/// Only the runtime can know; it says so at the first invocation, and the line is telemetry like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_its_module_does_not_have_is_told_by_the_runtime() {
    let data = tempfile::tempdir().unwrap();
    let mut lost = python("lost");
    lost["handler"] = "app.gone".into();
    lost["command"][3] = "app.gone".into();
    let dev = Dev::start(data.path(), &[lost], &[]);
    let answer = dev.invoke("lost", &json!({})).await;
    assert_eq!(answer["errorType"], "Runtime.HandlerNotFound", "{answer}");
    let said = dev.events_with("missing on module", 1).await;
    assert!(!said.is_empty(), "what the runtime said is not found");
    dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_and_a_folder_in_use_are_named() {
    let data = tempfile::tempdir().unwrap();
    let none = json!({ "functions": [] });
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    dev_fails(data.path(), &port, &none, &[&port, "in use"]);

    let dev = Dev::start(data.path(), &[], &[]);
    dev_fails(data.path(), "0", &none, &["another", "end it"]);
    dev.stop();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (file, none) = (file.to_str().unwrap(), json!({ "functions": [] }));
    dev_fails(&data.path().join("file/data"), "0", &none, &[file, "--data"]);
    let store = ["--store", &format!("{file}/store")];
    dev_fails_with(&data.path().join("state"), "0", &none, &store, &[file, "--store"]);
    fails(&["query", "COUNT", "--store", &format!("{file}/store")], &[file, "no store"]);
}

/// A bad batch among good ones costs only itself.
#[tokio::test(flavor = "multi_thread")]
async fn unreadable_records_become_dead_letters_and_the_rest_is_found() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[], &[]);
    let poison: Vec<Vec<u8>> = vec![
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 1, 2, 3],
        zip_bomb(),
        b"{\"cut\": \"of".to_vec(),
        vec![0xff; 300_000],
    ];
    let stream = dev.address("stream");
    let refusal = put_bytes(stream, "limelight", &vec![b'x'; 10 << 20]).await.unwrap_err();
    assert!(refusal.contains("10485760 bytes") && refusal.contains("1048576"), "{refusal}");
    for record in &poison {
        put_bytes(stream, "limelight", record).await.unwrap();
    }
    let good: Vec<serde_json::Value> =
        lines("bi02", 10).into_iter().map(|line| json!({ "text": line })).collect();
    crate::support::stream::put_records(stream, "limelight", &good).await.unwrap();
    let answer =
        dev.settled("FROM logs LIMIT 100 LAST 1h", |answer| answer["events"].as_array().unwrap().len() >= 10);
    let events = answer.await["events"].as_array().cloned().unwrap();
    assert_exactly_once("bi02", 10, &events);
    dev.stop();
    let letters = letters(&data.path().join("store/dead-letters"));
    assert_eq!(letters.len(), poison.len(), "each unreadable record is kept once");
    assert!(letters.iter().all(|letter| poison.contains(&letter.data) && !letter.reason.is_empty()));
}

/// Half a gigabyte of zeroes in half a megabyte.
fn zip_bomb() -> Vec<u8> {
    let script = "import gzip,sys; sys.stdout.buffer.write(gzip.compress(bytes(512 << 20)))";
    Command::new("python3").args(["-c", script]).output().unwrap().stdout
}

/// All letters of the files below a folder.
fn letters(folder: &Path) -> Vec<wire::letter::Letter> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => letters(&path),
            false => wire::letter::read(&std::fs::read(path).unwrap()).unwrap().letters,
        })
        .collect()
}
