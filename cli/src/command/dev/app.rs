//! The running whole: built sink first, drained in the other direction.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use axum::middleware;
use companion::{Companion, StreamRecord};
use model::Timestamp;
use sandbox::http_front::Routes;
use sandbox::{Lambda, http_front, invoke_api};
use store::Location;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::addresses::{Addresses, FunctionAddress};
use super::functions::{Plan, Planned};
use super::loopback;
use super::poller;
use super::ports::{self, Ports};
use super::state::State;
use super::{echo, extension, variables};
use crate::args::DevArgs;
use crate::command::place;
use crate::exit::Refused;
use crate::stream::consumer::{self, Handed, Progress};
use crate::stream::endpoint::{Endpoint, SHARD_ID};
use crate::stream::frame::Record;
use crate::stream::journal::{Journal, Limits};

/// How long servers may take for the requests that are under way when they are told to end.
const REQUESTS_WAIT: Duration = Duration::from_secs(12);

/// Between two looks after the store's files, and how long one may begin new work.
const UPKEEP_EVERY: Duration = Duration::from_secs(20);
const UPKEEP_TIME: Duration = Duration::from_secs(10);

/// Everything that runs, and the switches that end it in order.
pub(super) struct App {
    pub(super) addresses: Addresses,
    lambda: Lambda,
    fronts: Part,
    stream: Part,
    consumer: Part,
    progress: watch::Receiver<Progress>,
    api: Part,
    failures: tokio::sync::Mutex<mpsc::Receiver<anyhow::Error>>,
    /// Where what is not stored yet waits for the next start.
    pub(super) rest: &'static str,
}

/// Tasks that end together.
struct Part {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    failures: mpsc::Sender<anyhow::Error>,
}

impl Part {
    fn new(failures: &mpsc::Sender<anyhow::Error>) -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new(), failures: failures.clone() }
    }

    /// Completes when the part shall end.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            // A switch that is gone is a switch that was thrown.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Runs a task; its error ends the whole.
    fn spawn<E>(&mut self, what: &'static str, task: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<anyhow::Error> + Send,
    {
        let failures = self.failures.clone();
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = task.await {
                // The first failure is enough.
                let _ = failures.try_send(error.into().context(format!("the {what} failed")));
            }
        }));
    }

    async fn end(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

impl App {
    pub(super) async fn build(
        arguments: &DevArgs,
        plan: Plan,
        state: &State,
        ports: Ports,
    ) -> anyhow::Result<Self> {
        let (failed, failures) = mpsc::channel(1);
        let store = arguments.store.clone().unwrap_or_else(|| state.store().to_string_lossy().into_owned());
        let location = Location::parse(&store).map_err(|error| Refused::usage(error.to_string()))?;
        let companion =
            Companion::open(place::settings(location)?).await.context("--store must name another place")?;
        let stream_url = match &arguments.stream_endpoint {
            Some(url) => url.clone(),
            None => ports::url(&ports.stream)?,
        };
        let addresses = Addresses {
            pid: std::process::id(),
            api: ports::url(&ports.api)?,
            invoke: ports::url(&ports.invoke)?,
            http: ports::url(&ports.http)?,
            stream: stream_url,
            stream_name: arguments.stream.clone(),
            store,
            functions: plan.functions.iter().map(address).collect(),
        };

        let mut api = Part::new(&failed);
        let router = companion.router().layer(middleware::from_fn(loopback::only));
        let served = axum::serve(ports.api, router).with_graceful_shutdown(api.stopped());
        api.spawn("API", served.into_future());
        let stop = api.stopped();
        api.spawn("upkeep", upkeep(companion.clone(), stop));
        let mut consumer = Part::new(&failed);
        let mut stream = Part::new(&failed);
        let (progress, watched) = watch::channel(Progress::default());
        if arguments.stream_endpoint.is_some() {
            let (url, name) = (addresses.stream.clone(), arguments.stream.clone());
            let source = poller::Source { url, stream: name, region: plan.region.clone() };
            consumer.spawn("stream's consumer", poller::run(source, companion, consumer.stop.subscribe()));
        } else {
            let journal = open_journal(&state.stream())?;
            let endpoint =
                Endpoint::new(&arguments.stream, &plan.account, &plan.region, journal.clone(), now());
            let router = endpoint.router().layer(middleware::from_fn(loopback::only));
            let served = axum::serve(ports.stream, router).with_graceful_shutdown(stream.stopped());
            stream.spawn("stream", served.into_future());
            let (name, stop) = (arguments.stream.clone(), consumer.stop.subscribe());
            let ingest = move |records| hand_over(companion.clone(), name.clone(), records);
            consumer.spawn("stream's consumer", async move {
                consumer::run(journal, ingest, progress, stop).await;
                anyhow::Ok(())
            });
        }
        let (lambda, fronts) = start_functions(
            arguments,
            plan,
            &addresses,
            state.journals()?,
            ports.invoke,
            ports.http,
            &failed,
        )
        .await?;
        let failures = tokio::sync::Mutex::new(failures);
        let rest = if arguments.stream_endpoint.is_some() { "on the stream" } else { "in the journal" };
        Ok(Self { addresses, lambda, fronts, stream, consumer, progress: watched, api, failures, rest })
    }

    /// Waits until a part fails; most never do.
    pub(super) async fn failure(&self) -> anyhow::Error {
        match self.failures.lock().await.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Ends everything in order, so that nothing that was accepted is lost.
    pub(super) async fn drain(self) -> anyhow::Result<()> {
        let within = |part: Part| async { tokio::time::timeout(REQUESTS_WAIT, part.end()).await.is_ok() };
        within(self.fronts).await;
        self.lambda.shutdown().await;
        within(self.stream).await;
        let progress = self.progress;
        let drained = tokio::time::timeout(super::DRAIN_WAIT / 2, self.consumer.end()).await;
        within(self.api).await;
        let failing = progress.borrow().failing.clone();
        match (drained, failing) {
            (Ok(()), _) => Ok(()),
            (Err(_), why) => anyhow::bail!(
                "the store does not take the rest ({}); it is {} and is stored at the next start",
                why.unwrap_or_else(|| "too slow".to_owned()),
                self.rest
            ),
        }
    }
}

fn address(function: &Planned) -> FunctionAddress {
    FunctionAddress {
        name: function.config.name.clone(),
        routes: function.routes.clone(),
        initialization: function.config.initialization.as_str().to_owned(),
        faults_seed: function.config.faults.map(|plan| plan.seed),
    }
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

fn open_journal(directory: &Path) -> anyhow::Result<Journal> {
    let (journal, opened) = Journal::open(directory, Limits::default(), now())
        .with_context(|| format!("the stream's journal {} cannot be opened", directory.display()))?;
    if opened.cut_bytes > 0 {
        tracing::info!(
            bytes = opened.cut_bytes,
            "cut a record that was never acknowledged off the journal's end"
        );
    }
    if opened.damaged_bytes > 0 {
        tracing::error!(
            bytes = opened.damaged_bytes,
            "the journal is damaged; its segment will be kept as .damaged"
        );
    }
    Ok(journal)
}

/// What a schedule does in AWS: keeps the store's files few. A commit each 300 ms leaves many.
async fn upkeep(companion: Companion, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(UPKEEP_EVERY) => {}
        }
        // What fails is logged, and tried again next time; what is broken off leaves nothing half done.
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = companion.look_after(UPKEEP_TIME) => {}
        }
    }
}

/// The consumer's sink: the companion in this process.
async fn hand_over(companion: Companion, stream: String, records: Vec<Record>) -> Handed {
    let first = records.first().map(|record| record.sequence);
    let records = records
        .into_iter()
        .map(|record| StreamRecord {
            sequence: record.sequence.to_string(),
            arrived_at: record.arrived_at,
            data: record.data,
        })
        .collect();
    let report = companion.ingest(&stream, SHARD_ID, records).await;
    tracing::debug!(
        events = report.events,
        duplicates = report.duplicates,
        dead = report.dead_letters,
        "ingested"
    );
    match (report.first_failure, first) {
        (None, _) | (_, None) => Handed::All,
        (Some((sequence, why)), Some(first)) => Handed::Until(sequence.parse().unwrap_or(first), why),
    }
}

async fn start_functions(
    arguments: &DevArgs,
    plan: Plan,
    addresses: &Addresses,
    journals: PathBuf,
    invoke: TcpListener,
    http: TcpListener,
    failed: &mpsc::Sender<anyhow::Error>,
) -> anyhow::Result<(Lambda, Part)> {
    let wanted = plan.functions.iter().any(|function| function.with_extension);
    let extension = if wanted { Some(extension::find(arguments.extension.as_deref())?) } else { None };
    let variables = variables::all(addresses, &journals);
    let output = if arguments.quiet { sandbox::Output::none() } else { echo::to_terminal() };
    let functions = plan.functions.into_iter().map(|function| {
        let mut config = function.config.output(output.clone());
        for (name, value) in &variables {
            config.env.entry((*name).to_owned()).or_insert_with(|| value.clone());
        }
        match &extension {
            Some(extension) if function.with_extension => config.extension(extension.clone()),
            _ => config,
        }
    });
    let lambda =
        Lambda::start(functions.collect()).await.map_err(|error| Refused::usage(error.to_string()))?;
    let mut fronts = Part::new(failed);
    let routes: Routes = plan.routes;
    let stopped = (fronts.stopped(), fronts.stopped());
    fronts.spawn("Invoke API", invoke_api::serve(lambda.clone(), invoke, stopped.0));
    fronts.spawn("HTTP front", http_front::serve(lambda.clone(), routes, http, stopped.1));
    Ok((lambda, fronts))
}
