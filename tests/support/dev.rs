//! A running `limelight dev` on free ports with fixture functions under their real runtime clients.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::processes;
use super::programs::{extension, part, program, root};
use super::small_disk::SmallDisk;

/// The longest that draining may take: sandboxes have 2 s for their shutdown, the stream is then empty soon.
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// The longest that a printed line may take to be found before it counts as missing.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// The running program; killed when dropped.
pub struct Dev {
    process: Child,
    addresses: Value,
    log: PathBuf,
    http: reqwest::Client,
}

impl Dev {
    /// Starts it on a state folder with functions (see [`python`] and [`node`]) and further flags.
    pub fn start(data: &Path, functions: &[Value], flags: &[&str]) -> Self {
        Self::launch(Command::new(program("limelight")), data, data, functions, flags)
    }

    /// Starts it without functions where it sees the small disk.
    pub fn start_on(disk: &SmallDisk, state: &Path, flags: &[&str]) -> Self {
        Self::launch(disk.command(&program("limelight")), disk.folder(), state, &[], flags)
    }

    fn launch(
        mut command: Command,
        folder: &Path,
        state: &Path,
        functions: &[Value],
        flags: &[&str],
    ) -> Self {
        let config = folder.join("functions.json");
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&config, json!({ "functions": functions }).to_string()).unwrap();
        let log = folder.join("dev.log");
        let log_file = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut process = command
            .args(["dev", "--port-base", "0", "--format", "json"])
            .arg("--config")
            .arg(&config)
            .arg("--data")
            .arg(state)
            .arg("--extension")
            .arg(extension())
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = process.kill();
            panic!("limelight dev did not start: {}", std::fs::read_to_string(&log).unwrap())
        });
        Self { process, addresses, log, http: reqwest::Client::new() }
    }

    /// One of the addresses that it printed: `api`, `invoke`, `http`, `stream`.
    pub fn address(&self, name: &str) -> &str {
        self.addresses[name].as_str().unwrap_or_else(|| panic!("no address {name} in {}", self.addresses))
    }

    /// Invokes a function through the Invoke API; the payload it answered with.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.address("invoke"));
        self.http.post(url).json(payload).send().await.unwrap().json().await.unwrap()
    }

    /// The answer to a query in text; an empty one while the dataset does not exist yet.
    pub async fn query(&self, text: &str) -> Value {
        let url = format!("{}/v1/query", self.address("api"));
        let answer = self.http.post(url).json(&json!({ "text": text })).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        if status == reqwest::StatusCode::NOT_FOUND {
            return json!({ "events": [], "calculations": { "aggregates": [], "series": [] } });
        }
        assert!(status.is_success(), "{text}: {status} {body}");
        body["data"].clone()
    }

    /// The events that hold a text, waited for until there are `count` or time is up.
    pub async fn events_with(&self, needle: &str, count: usize) -> Vec<Value> {
        let text = format!("FROM lambda-logs SEARCH \"{needle}\" LIMIT 10000 LAST 1h");
        self.settled(&text, |answer| answer["events"].as_array().map_or(0, Vec::len) >= count).await["events"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// The answer to a query, asked again until it is `settled` or time is up.
    pub async fn settled(&self, text: &str, settled: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.query(text).await;
            if settled(&answer) || began.elapsed() > SETTLE_WITHIN {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// How often each posted `mark` is found, once there are `count` of them or time is up.
    pub async fn marks(&self, count: usize) -> BTreeMap<String, u64> {
        let text = "COUNT as n FROM logs GROUP BY mark LIMIT 10000 LAST 1h";
        let rows =
            |answer: &Value| answer["calculations"]["aggregates"].as_array().cloned().unwrap_or_default();
        rows(&self.settled(text, |answer| rows(answer).len() >= count).await)
            .iter()
            .filter_map(|row| {
                Some((row["groups"]["mark"].as_str()?.to_owned(), row["values"]["n"].as_f64()? as u64))
            })
            .collect()
    }

    /// What it said on standard error, in this run and those before it on the same folder.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Ends it as Ctrl-C does and waits until it has drained.
    pub fn stop(mut self) {
        self.signal("-INT");
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < STOP_WITHIN, "limelight dev does not end after Ctrl-C");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "limelight dev ended with {status}");
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Kills the extensions of all sandboxes, as the kernel does when memory runs out.
    pub fn kill_extensions(&self) {
        assert!(processes::kill_children(self.process.id(), "limelight-extension") > 0, "no extension runs");
    }

    fn signal(&self, signal: &str) {
        assert!(
            Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success()
        );
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A Python function under awslambdaric that prints what it is told to (fixtures/functions/app.py).
pub fn python(name: &str) -> Value {
    let interpreter = part("RUNTIME_PYTHON").join("bin/python");
    function(name, &[&text(&interpreter), "-m", "awslambdaric", "app.handler"], "app.handler")
}

/// A Node function under aws-lambda-ric that prints what it is told to (fixtures/functions/index.mjs).
pub fn node(name: &str) -> Value {
    let client = part("RUNTIME_NODE").join("node_modules/aws-lambda-ric/bin/index.mjs");
    function(name, &["node", &text(&client), "index.handler"], "index.handler")
}

fn function(name: &str, command: &[&str], handler: &str) -> Value {
    json!({
        "name": name, "command": command, "handler": handler, "dir": root().join("tests/fixtures/functions"),
        "memoryMb": 512, "timeoutSeconds": 10, "concurrency": 4,
        // A stream in Python on a busy machine is slower than Kinesis; what would not be sent before the freeze would wait
        // for an invocation that no test makes. How long a sandbox is held has tests of its own.
        "env": { "LIMELIGHT_FLUSH_BUDGET_MS": "5000" },
    })
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
