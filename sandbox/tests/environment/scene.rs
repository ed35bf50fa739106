//! A function and an extension of our own in a local environment, and what the extension wrote down.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use lambda_api::telemetry::Record;
use sandbox::{FakedClock, FunctionConfig, Invocation, InvokeError, Lambda, Outcome, Output};
use serde_json::{Value, json};
use tempfile::TempDir;

/// One function `f`, at most one recorder.
pub(crate) struct Scene {
    pub(crate) config: FunctionConfig,
    journal: TempDir,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    /// A function without any extension.
    pub(crate) fn bare() -> Self {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let sink = printed.clone();
        let config =
            FunctionConfig::new("f", vec!["python3".to_owned(), "-u".to_owned(), "runtime.py".to_owned()])
                .working_dir(fixtures())
                .timeout(std::time::Duration::from_secs(10))
                .output(Output::to(move |line| sink.lock().unwrap().push(line.text.clone())));
        Self { config, journal: tempfile::tempdir().unwrap(), printed }
    }

    /// A function with the recorder; its settings change what it does.
    pub(crate) fn recorded(settings: Value) -> Self {
        let mut scene = Self::bare();
        let journal = scene.journal.path().join("journal").to_string_lossy().into_owned();
        scene.config = scene
            .config
            .extension(fixtures().join("recorder"))
            .env("RECORDER", settings.to_string())
            .env("RECORDER_JOURNAL", journal);
        scene
    }

    pub(crate) fn with(mut self, change: impl FnOnce(FunctionConfig) -> FunctionConfig) -> Self {
        self.config = change(self.config);
        self
    }

    pub(crate) async fn start(&self) -> Lambda {
        Lambda::start(vec![self.config.clone()]).await.unwrap()
    }

    /// A clock that all its processes see and that can be set.
    pub(crate) fn clock(&mut self) -> FakedClock {
        let clock = FakedClock::compile(self.journal.path()).unwrap();
        self.config.clock = Some(clock.clone());
        clock
    }

    /// Everything the recorder wrote down, in order.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.journal.path().join("journal")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// All bodies that were POSTed.
    pub(crate) fn posts(&self) -> Vec<String> {
        self.journal().iter().filter_map(|note| Some(note["post"].as_str()?.to_owned())).collect()
    }

    /// All records that were delivered, in order.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.posts().iter().flat_map(|post| serde_json::from_str::<Vec<Record>>(post).unwrap()).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.records().into_iter().map(|record| record.kind).collect()
    }

    /// The first record of a kind.
    pub(crate) fn record(&self, kind: &str) -> Value {
        let found = self.records().into_iter().find(|record| record.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {:?}", self.kinds())).record
    }

    /// Events that the recorder got.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.journal()
            .into_iter()
            .filter(|note| note.get("event").is_some())
            .map(|mut n| n["event"].take())
            .collect()
    }

    /// The function's log as CloudWatch would have it.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.printed.lock().unwrap().clone()
    }
}

/// The folder into which `.ci/provide` installs what these pins name; once, and again only when they change.
pub(crate) fn part(pins: &str) -> PathBuf {
    // Two tests must not install the same part at the same time.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    let provided = Command::new(root.join(".ci/provide")).arg(root.join(pins)).output().unwrap();
    assert!(provided.status.success(), "{}", String::from_utf8_lossy(&provided.stderr));
    String::from_utf8(provided.stdout).unwrap().trim().into()
}

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Lets `f` do these steps.
pub(crate) async fn run(lambda: &Lambda, steps: Value) -> Result<Outcome, InvokeError> {
    lambda.invoke(Invocation::new("f", json!({"do": steps}).to_string())).await
}

/// What the function answered.
pub(crate) fn answer(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.payload).unwrap()
}

/// Where a kind stands among others.
pub(crate) fn position(kinds: &[String], kind: &str) -> usize {
    kinds.iter().position(|other| other == kind).unwrap_or_else(|| panic!("no {kind} in {kinds:?}"))
}
