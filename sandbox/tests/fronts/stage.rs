//! What every test of the fronts stands on: one environment with one function, and its fronts on free ports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sandbox::event_source::{self, Mapping, client};
use sandbox::http_front::{self, Routes};
use sandbox::invoke_api::{self, EventSettings};
use sandbox::{FunctionConfig, Lambda};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Longer than anything a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running environment; [`Stage::end`] stops it and fails if a front failed.
pub(crate) struct Stage {
    pub(crate) lambda: Lambda,
    stop: watch::Sender<bool>,
    fronts: Vec<JoinHandle<()>>,
    folder: TempDir,
}

impl Stage {
    /// With the function `shop`, which does what its event says.
    pub(crate) async fn new() -> Self {
        Self::set(|shop| shop).await
    }

    /// The same with other settings.
    pub(crate) async fn set(settings: impl FnOnce(FunctionConfig) -> FunctionConfig) -> Self {
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fronts/function.py");
        let command = vec!["python3".to_owned(), program.display().to_string()];
        Self::started(command, tempfile::tempdir().unwrap(), settings).await
    }

    /// With a function `shop` that this command runs in the test's folder, once it has been made.
    pub(crate) async fn with(command: Vec<String>, make: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        Self::started(command, folder, |shop| shop).await
    }

    async fn started(
        command: Vec<String>,
        folder: TempDir,
        settings: impl FnOnce(FunctionConfig) -> FunctionConfig,
    ) -> Self {
        let shop = FunctionConfig::new("shop", command)
            .working_dir(folder.path())
            .handler("index.handler")
            .memory_mb(512)
            .env("SEEN", folder.path().join("seen.jsonl").display().to_string())
            .timeout(Duration::from_secs(10));
        let shop = FunctionConfig { region: "eu-west-1".into(), account: "123456789012".into(), ..shop };
        let lambda = Lambda::start(vec![settings(shop)]).await.unwrap();
        Self { lambda, stop: watch::Sender::new(false), fronts: Vec::new(), folder }
    }

    /// The address of a new Invoke API whose events are tried again at once.
    pub(crate) async fn invoke_api(&mut self) -> String {
        self.invoke_api_with(vec![Duration::from_millis(1); 2]).await
    }

    /// The same with other waits between the tries of an event.
    pub(crate) async fn invoke_api_with(&mut self, retry_waits: Vec<Duration>) -> String {
        let (listener, address) = bind().await;
        let events = EventSettings { retry_waits, ..EventSettings::default() };
        let served = invoke_api::serve_with(self.lambda.clone(), events, listener, self.stopped());
        self.fronts.push(tokio::spawn(async move { served.await.unwrap() }));
        format!("http://{address}/2015-03-31/functions")
    }

    /// The address of a new HTTP front.
    pub(crate) async fn http_front(&mut self, routes: &[(&str, &str)]) -> String {
        let (listener, address) = bind().await;
        let add = |all: Routes, (key, function): &(&str, &str)| all.route(key, function).unwrap();
        let routes = routes.iter().fold(Routes::new(), add);
        let served = http_front::serve(self.lambda.clone(), routes, listener, self.stopped());
        self.fronts.push(tokio::spawn(async move { served.await.unwrap() }));
        format!("http://{address}")
    }

    /// Feeds the function from a Kinesis API until the end, or until the given signal.
    pub(crate) async fn event_source(
        &mut self,
        mapping: Mapping,
        kinesis: SocketAddr,
    ) -> watch::Sender<bool> {
        let settings = client::settings(Some(&format!("http://{kinesis}")), "eu-west-1").await;
        let kinesis = aws_sdk_kinesis::Client::new(&settings);
        let stop = watch::Sender::new(false);
        let (one, all) = (until(&stop), self.stopped());
        let stopped = async move {
            tokio::select! { () = one => {}, () = all => {} }
        };
        let run = event_source::run(self.lambda.clone(), mapping, kinesis, stopped);
        self.fronts.push(tokio::spawn(async move { run.await.unwrap() }));
        stop
    }

    /// Waits for the event sources and fronts that were told to stop.
    pub(crate) async fn last_front_ended(&mut self) {
        let front = self.fronts.pop().unwrap();
        tokio::time::timeout(PATIENCE, front).await.unwrap().unwrap();
    }

    /// Lets the function send its next part.
    pub(crate) fn go(&self, number: usize) {
        std::fs::write(self.path(&format!("go-{number}")), "").unwrap();
    }

    /// A file in the test's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lines of a JSON file in the test's folder.
    pub(crate) fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The texts of all records that the function saw, batch by batch.
    pub(crate) fn batches(&self) -> Vec<Vec<String>> {
        let texts = |line: &Value| serde_json::from_value(line["texts"].clone()).unwrap();
        self.lines("seen.jsonl").iter().map(texts).collect()
    }

    /// Looks until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "{what}; seen: {:?}", self.lines("seen.jsonl"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops fronts and environment.
    pub(crate) async fn end(self) {
        self.stop.send_replace(true);
        for front in self.fronts {
            tokio::time::timeout(PATIENCE, front).await.unwrap().unwrap();
        }
        tokio::time::timeout(PATIENCE, self.lambda.shutdown()).await.unwrap();
    }

    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        until(&self.stop)
    }
}

/// The folder into which `.ci/provide` installs what these pins name; once, and again only when they change.
pub(crate) fn part(pins: &str) -> PathBuf {
    // Two tests must not install the same part at the same time.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    let provided =
        std::process::Command::new(root.join(".ci/provide")).arg(root.join(pins)).output().unwrap();
    assert!(provided.status.success(), "{}", String::from_utf8_lossy(&provided.stderr));
    String::from_utf8(provided.stdout).unwrap().trim().into()
}

/// A mapping that looks often and tries again soon.
pub(crate) fn brisk() -> Mapping {
    Mapping {
        poll_interval: Duration::from_millis(20),
        shard_interval: Duration::from_millis(50),
        retry_wait: (Duration::from_millis(1), Duration::from_millis(10)),
        ..Mapping::new("orders", "shop")
    }
}

fn until(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stopping = stop.subscribe();
    async move {
        let told = stopping.wait_for(|stop| *stop).await.is_ok();
        // A test that dropped the signal never meant to give it.
        if !told {
            std::future::pending::<()>().await;
        }
    }
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}
