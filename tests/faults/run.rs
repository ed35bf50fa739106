//! One scenario with one seed: the function and the extension as it ships in a sandbox, its records through the fault
//! proxy to the stream of a running `limelight dev`; out comes what was seen.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chance::Chance;
use sandbox::{FakedClock, FaultPlan, FunctionConfig, Invocation, Lambda, Output, OutputLine, Source};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::books::{self, Book};
use super::name_server::NameServer;
use super::scenario::Scenario;
use super::stalls::Stalls;
use crate::support::dev::Dev;
use crate::support::fault_proxy::FaultProxy;
use crate::support::fault_proxy::plan::{Plan, Tally};
use crate::support::processes;
use crate::support::programs::{extension, part, program, root};

/// The flush budget of the scenarios, milliseconds: what the extension may add while the stream is not known to be
/// down.
pub const BUDGET_MS: u64 = 50;

/// The word for a scenario's own kills.
pub const EXTENSION_KILLED: &str = "extension killed from outside";

/// Everything that a verdict needs.
#[derive(Debug, Default)]
pub struct Seen {
    /// Marks that the sandbox read from the function's output, and when.
    pub printed: BTreeMap<u64, Instant>,
    /// How often a query found each mark.
    pub found: BTreeMap<u64, u64>,
    pub calls: Vec<Call>,
    pub kills: Vec<Kill>,
    /// What each sandbox says became of its records.
    pub books: Vec<Book>,
    /// Batches that the stream took and no query finds.
    pub batches_missing: usize,
    /// By request: how long the extension held the sandbox, milliseconds, as the platform reports it.
    pub added_ms: BTreeMap<String, f64>,
    /// How often each fault struck, in the sandbox and on the way to the stream.
    pub struck: Tally,
    /// The longest that this machine kept a ready thread waiting meanwhile.
    pub stall: Duration,
    pub took: Duration,
}

/// An extension was killed.
#[derive(Debug, Clone, Copy)]
pub struct Kill {
    pub at: Instant,
    /// During which invocation, or after it and before the next one, which finds another sandbox.
    pub invocation: u64,
}

/// One invocation.
#[derive(Debug)]
pub struct Call {
    pub request_id: String,
    /// How it was told to end.
    pub end: &'static str,
    /// The error's text, if it failed.
    pub error: Option<String>,
}

/// Where scenarios run.
pub struct Stage {
    pub dev: Dev,
    pub stalls: Stalls,
}

pub async fn run(scenario: &Scenario, seed: u64, stage: &Stage) -> Seen {
    let began = Instant::now();
    let mut chance = Chance::named(seed, scenario.name);
    let plan = Plan::new(&scenario.stream, Chance::named(seed, &format!("{} stream", scenario.name)));
    let proxy = FaultProxy::start(stage.dev.address("stream"), plan).await;
    let names = scenario.unresolvable.then(NameServer::without_an_entry);
    let function = format!("{}-{seed}", scenario.name);
    let printed: Arc<Mutex<BTreeMap<u64, Instant>>> = Arc::default();
    let folder = tempfile::tempdir().unwrap();
    let mut config = function_config(scenario, &function, &mut chance)
        .env("AWS_ENDPOINT_URL_KINESIS", endpoint(&proxy, names.as_ref()))
        // The disk of a sandbox whose extension is killed: its successor finds what was left there.
        .env("LIMELIGHT_JOURNAL_DIR", folder.path().join("journal").to_str().unwrap())
        .output(collect_marks(printed.clone()));
    config
        .env
        .extend(scenario.settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    config.extensions = vec![names.as_ref().map_or_else(extension, NameServer::extension)];
    config.clock = scenario.own_clock.then(|| FakedClock::compile(folder.path()).unwrap());
    let strikes = config.strikes.clone();
    let lambda = Lambda::start(vec![config]).await.unwrap();

    let (mut calls, mut kills) = (Vec::new(), Vec::new());
    let ill = ill_invocations(scenario);
    for number in 0..scenario.load.invocations {
        if number == ill {
            proxy.heal();
            names.iter().for_each(NameServer::add_the_entry);
        }
        let killer = killer(scenario, &function, &mut chance);
        calls.push(call(&lambda, scenario, &function, number).await);
        kills.extend(killer.await.unwrap().map(|at| Kill { at, invocation: number }));
        tokio::time::sleep(Duration::from_millis(chance.below(scenario.load.pause_ms))).await;
    }
    lambda.shutdown().await;
    if scenario.replayed {
        proxy.heal();
        replay(&folder.path().join("journal"), &proxy).await;
    }
    proxy.settled().await;

    let printed = std::mem::take(&mut *printed.lock().unwrap());
    let stall = stage.stalls.longest_since(began);
    let found = books::read(&stage.dev, &function, &proxy.taken(), &printed).await;
    let mut struck = proxy.tally();
    struck.extend(strikes.counts());
    struck.extend((!kills.is_empty()).then_some((EXTENSION_KILLED, kills.len() as u64)));
    Seen { printed, calls, kills, struck, stall, took: began.elapsed(), ..found }
}

/// Sends what is left on the disk.
async fn replay(journal: &Path, proxy: &FaultProxy) {
    let mut replay = tokio::process::Command::new(program("limelight"));
    let output =
        replay.arg("replay").arg(journal).args(["--stream-endpoint", &proxy.url()]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Kills the extension at a drawn moment of the invocation that begins now, if that is drawn; when it did.
fn killer(scenario: &Scenario, function: &str, chance: &mut Chance) -> JoinHandle<Option<Instant>> {
    let kills = chance.happens(scenario.kills_extension);
    let after = Duration::from_millis(chance.below(scenario.load.work_ms * 3 / 2));
    let function = function.to_owned();
    tokio::spawn(async move {
        if !kills {
            return None;
        }
        tokio::time::sleep(after).await;
        (processes::kill_beside(&function, "limelight-extension") > 0).then(Instant::now)
    })
}

/// How many invocations the trouble lasts for.
pub(super) fn ill_invocations(scenario: &Scenario) -> u64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "hundreds at the most")]
    let ill = (scenario.load.invocations as f64 * scenario.ill_for).round() as u64;
    ill
}

fn function_config(scenario: &Scenario, name: &str, chance: &mut Chance) -> FunctionConfig {
    let faults = FaultPlan { seed: chance.below(u64::MAX), odds: scenario.sandbox };
    let flush = if chance.happens(0.5) { "learned" } else { "end" };
    let python = part("RUNTIME_PYTHON").join("bin/python").to_str().unwrap().to_owned();
    let command = vec![python, "-m".to_owned(), "awslambdaric".to_owned(), "marker.handler".to_owned()];
    let mut config = FunctionConfig::new(name, command)
        .handler("marker.handler")
        .working_dir(root().join("tests/fixtures/functions"))
        .env("LIMELIGHT_STREAM", "limelight")
        .env("LIMELIGHT_FLUSH_BUDGET_MS", BUDGET_MS.to_string())
        .env("LIMELIGHT_FLUSH", flush)
        .env("LIMELIGHT_PORT", "0")
        .memory_mb(scenario.memory_mb)
        .timeout(scenario.timeout)
        .faults(faults);
    config.concurrency_max = 1;
    config
}

fn endpoint(proxy: &FaultProxy, names: Option<&NameServer>) -> String {
    names.map_or_else(|| proxy.url(), |_| format!("http://{}:{}", NameServer::NAME, proxy.port()))
}

fn collect_marks(printed: Arc<Mutex<BTreeMap<u64, Instant>>>) -> Output {
    Output::to(move |line: &OutputLine| {
        if line.source == Source::Function
            && let Ok(line) = serde_json::from_str::<Value>(&line.text)
            && let Some(mark) = line["mark"].as_u64()
        {
            printed.lock().unwrap().insert(mark, Instant::now());
        }
    })
}

async fn call(lambda: &Lambda, scenario: &Scenario, function: &str, number: u64) -> Call {
    let load = scenario.load;
    let turn = usize::try_from(number).unwrap() % scenario.ends.len();
    let end = scenario.ends[turn];
    let payload = json!({
        "first": number * load.lines, "lines": load.lines, "line_bytes": load.line_bytes, "noise": load.noise,
        "work_ms": load.work_ms, "end": end,
    });
    let outcome = lambda.invoke(Invocation::new(function, payload.to_string())).await.unwrap();
    let error = outcome.error.map(|_| String::from_utf8_lossy(&outcome.payload).into_owned());
    Call { request_id: outcome.request_id, end, error }
}
