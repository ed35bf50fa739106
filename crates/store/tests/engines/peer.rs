//! An engine that we did not write, in a Python process of its own: statements go in, results come out, one JSON object
//! a line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use store::Rows;

/// The running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    process: Child,
}

impl Peer {
    /// A script beside this file, with the Python of a part, in a folder.
    pub(crate) fn start(part: &str, script: &str, folder: &Path) -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines");
        let mut process = Command::new(python(part))
            .arg(scripts.join(script))
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut pipes = (stdin, BufReader::new(stdout));
        let ready = read(&mut pipes.1);
        assert!(ready["version"].is_string(), "{script} did not start: {ready}");
        Self { pipes: Mutex::new(pipes), process }
    }

    /// A statement's result, or what the engine says is wrong with it.
    pub(crate) fn ask(&self, sql: &str) -> Result<Rows, String> {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{}", json!({ "sql": sql })).unwrap();
        let result = read(&mut pipes.1);
        if let Some(error) = result["error"].as_str() {
            return Err(format!("{error}\nof {sql}"));
        }
        let texts = |row: &Value| -> Vec<Option<String>> {
            row.as_array().unwrap().iter().map(|value| value.as_str().map(str::to_owned)).collect()
        };
        let rows = result["rows"].as_array().unwrap().iter().map(texts).collect();
        Ok(Rows { columns: texts(&result["columns"]).into_iter().flatten().collect(), rows, bytes_read: 0 })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(from: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

/// The Python of a part that `make test` installs, by the variable in which it hands the part's folder over.
fn python(part: &str) -> PathBuf {
    let folder =
        std::env::var(part).unwrap_or_else(|_| panic!("{part} is not set: run the tests by `make test`"));
    PathBuf::from(folder).join("bin/python")
}
