//! `limelight replay` in a person's hands: what it shows, and what it says when something is not as it should be.

#![allow(clippy::unwrap_used, reason = "all of it is test code, also what is not inside a #[test]")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use model::{BatchId, Timestamp};
use tempfile::TempDir;
use wire::Letter;

fn replay(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_limelight"))
        .arg("replay")
        .args(words)
        .current_dir(folder)
        .env("LIMELIGHT_JOURNAL_DIR", folder.join("journal"))
        .env("COLUMNS", "200")
        .env_remove("LIMELIGHT_ENDPOINT")
        .env_remove("AWS_ENDPOINT_URL_KINESIS")
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn refused(folder: &Path, words: &[&str], code: i32, says: &[&str]) {
    let output = replay(folder, words);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    for word in says {
        assert!(text.contains(word), "{words:?} does not say {word:?}: {text}");
    }
}

fn letter(sequence: u64, at: Timestamp, data: &[u8]) -> Letter {
    let id = BatchId { sandbox: "5a".repeat(16), sequence };
    let stream = "telemetry".to_owned();
    Letter { at, id, events: 1, stream, reason: String::new(), data: data.to_vec() }
}

/// A folder with the journal of a sandbox.
fn journal(letters: &[Letter]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal/a.letters");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let frames = letters.iter().flat_map(wire::letter::frame);
    std::fs::write(&path, wire::letter::HEAD.iter().copied().chain(frames).collect::<Vec<u8>>()).unwrap();
    (folder, path)
}

const EVENT: &[u8] = br#"{"namespace": "orders", "message": "a"}"#;

#[test]
fn a_dry_run_shows_what_is_there_and_touches_nothing() {
    let (folder, path) = journal(&[letter(0, Timestamp::EPOCH, EVENT), letter(1, Timestamp::EPOCH, EVENT)]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend([7; 5]);
    std::fs::write(&path, &bytes).unwrap();
    let output = replay(folder.path(), &["-n"]);
    assert!(output.status.success());
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    let summary = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        table.contains("a.letters") && table.contains("orders") && table.contains("telemetry"),
        "{table}"
    );
    let said = "2 batches in 1 file: 2 to send, 5 B at an end that was never written whole";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn without_anything_to_send_nothing_is_wrong() {
    let folder = TempDir::new().unwrap();
    let output = replay(folder.path(), &[]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("nothing waits in") && text.contains("journal"), "{text}");
}

#[test]
fn what_is_not_there_or_something_else_is_named() {
    let (folder, path) = journal(&[letter(0, Timestamp::EPOCH, EVENT)]);
    refused(folder.path(), &["gone.letters"], 3, &["gone.letters"]);
    let other = folder.path().join("other.txt");
    std::fs::write(&other, "hello").unwrap();
    refused(folder.path(), &[other.to_str().unwrap(), "-n"], 2, &["other.txt", "no file of letters"]);
    refused(folder.path(), &["-n", "--remove"], 2, &["--remove"]);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    refused(folder.path(), &["-n"], 1, &["damaged"]);
}

#[test]
fn nobody_to_send_to_is_told_with_a_way_out() {
    let now = Timestamp::from(std::time::SystemTime::now());
    let (folder, _) = journal(&[letter(0, now, EVENT)]);
    refused(folder.path(), &[], 2, &["limelight dev", "--stream", "--stream-endpoint"]);
    refused(folder.path(), &["--stream", "telemetry"], 2, &["AWS_REGION"]);
    let closed = ["--stream-endpoint", "http://127.0.0.1:9"];
    refused(folder.path(), &closed, 1, &["telemetry", "http://127.0.0.1:9", "cannot be reached", "refused"]);
}

#[test]
fn what_the_store_might_take_twice_is_not_sent_unasked() {
    let (folder, _) = journal(&[letter(0, Timestamp::EPOCH, EVENT)]);
    let closed = ["--stream-endpoint", "http://127.0.0.1:9"];
    refused(folder.path(), &closed, 2, &["1 of the batches", "--endpoint", "--unchecked"]);
    refused(folder.path(), &[&closed[..], &["--unchecked"]].concat(), 1, &["cannot be reached"]);
    let asked = [&closed[..], &["--endpoint", "http://127.0.0.1:9"]].concat();
    refused(folder.path(), &asked, 1, &["cannot ask which batches the store has"]);
}
