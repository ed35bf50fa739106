//! One subscriber's task: collects records, POSTs batches, one at a time; none begins
//! while the environment is frozen.
//!
//! Batches that fill while a POST is unanswered wait, up to the function's `telemetry_backlog`; one more is dropped
//! whole and told as `platform.logsDropped`, as AWS's emulator does without any backlog; a POST that nobody takes is
//! tried again, as AWS's documentation says of the service.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use lambda_api::telemetry::{Category, LogsDropped, Record, SEQUENCE_HEADER, SchemaVersion, Subscription};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::buffer::{Buffer, Item};
use super::disturbance::Disturbance;
use super::{Tempo, cut, schema, wants};
use crate::apis::Inbox;
use crate::fault::{Dice, word};
use crate::message::Message;

/// Records between the environment and a relay. The relay's task only ever moves them into its buffer, so this
/// fills only when the machine is too busy to run it; what is over it is dropped and told.
const QUEUE_RECORDS_MAX: usize = 16_384;

/// AWS documents retries without figures; these deliver over a listener's restart within a second.
const ATTEMPTS_MAX: u32 = 5;
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// An unanswered POST is given up after so long without a freeze.
const POST_TIMEOUT: Duration = Duration::from_secs(10);

const TOO_SLOW: &str =
    "Some logs were dropped because the downstream consumer is slower than the logs production rate";

/// Where batches go: a port of the loopback address, whichever of its names the subscriber used.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
}

/// The environment's end of a relay; the task ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) extension: String,
    types: Vec<Category>,
    version: SchemaVersion,
    queue: mpsc::Sender<Item>,
    /// Records offered, and records that were answered or dropped.
    offered: u64,
    settled: Arc<AtomicU64>,
    shed: LogsDropped,
    task: AbortHandle,
}

impl Relay {
    pub(crate) fn start(
        extension: String,
        subscription: &Subscription,
        target: Target,
        tempo: watch::Receiver<Tempo>,
        inbox: Inbox,
        dice: Option<Dice>,
        backlog_max: usize,
    ) -> Self {
        let (queue, records) = mpsc::channel(QUEUE_RECORDS_MAX);
        let settled = Arc::new(AtomicU64::new(0));
        let task = Task {
            records,
            buffer: Buffer::new(&subscription.buffering.unwrap_or_default()),
            target: Arc::new(target),
            tempo,
            inbox,
            owed: VecDeque::new(),
            settled: settled.clone(),
            dice,
            backlog_max,
            backlog: VecDeque::new(),
        };
        Self {
            extension,
            types: subscription.types.clone(),
            version: subscription.schema_version,
            queue,
            offered: 0,
            settled,
            shed: LogsDropped::default(),
            task: tokio::spawn(task.run()).abort_handle(),
        }
    }

    /// Takes the record if the subscriber wants it; never waits.
    pub(crate) fn offer(&mut self, record: &Record) {
        if !wants(&self.types, record) {
            return;
        }
        let item = schema::item(record, self.version);
        let bytes = item.bytes() as u64;
        match self.queue.try_send(item) {
            Ok(()) => self.offered += 1,
            Err(_) => {
                self.shed.dropped_records += 1;
                self.shed.dropped_bytes += bytes;
            }
        }
    }

    /// What did not fit into the queue since the last call, if anything and if it has room again.
    pub(crate) fn take_shed(&mut self) -> Option<LogsDropped> {
        let told = self.shed.dropped_records > 0 && self.queue.capacity() > QUEUE_RECORDS_MAX / 2;
        told.then(|| LogsDropped { reason: TOO_SLOW.to_owned(), ..std::mem::take(&mut self.shed) })
    }

    /// Whether nothing waits and nothing is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.settled.load(Ordering::Acquire) >= self.offered
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What became of a batch.
struct Sent {
    records: usize,
    bytes: usize,
    failure: Option<String>,
}

type Flight = Pin<Box<dyn Future<Output = Sent> + Send>>;

struct Task {
    records: mpsc::Receiver<Item>,
    buffer: Buffer,
    target: Arc<Target>,
    tempo: watch::Receiver<Tempo>,
    inbox: Inbox,
    /// Losses that the environment has not been told of: its inbox may be full of lines, and while the subscriber is
    /// slow the notice would be lost like the rest.
    owed: VecDeque<LogsDropped>,
    settled: Arc<AtomicU64>,
    dice: Option<Dice>,
    /// Batches that filled behind an unanswered POST, and how many may wait.
    backlog: VecDeque<Vec<Item>>,
    backlog_max: usize,
}

impl Task {
    async fn run(mut self) {
        let inbox = self.inbox.clone();
        let mut flight: Option<Flight> = None;
        loop {
            let tempo = *self.tempo.borrow_and_update();
            let now = Instant::now();
            let due = match tempo {
                Tempo::Frozen => None,
                _ if !self.backlog.is_empty() => Some(now),
                Tempo::Normal => self.buffer.due(now),
                Tempo::Closing => self.buffer.due(now).map(|_| now),
            };
            if let Some(due) = due
                && flight.is_none()
                && self.owed.is_empty()
                && due <= now
            {
                flight = Some(self.take_off());
                continue;
            }
            tokio::select! {
                record = self.records.recv() => match record {
                    Some(item) => self.keep(item, flight.is_some()),
                    None => return,
                },
                sent = async { flight.as_mut()?.await.into() }, if flight.is_some() => {
                    flight = None;
                    self.land(sent);
                }
                permit = inbox.reserve(), if !self.owed.is_empty() && flight.is_none() => {
                    if let (Ok(permit), Some(owed)) = (permit, self.owed.pop_front()) {
                        permit.send(Message::Dropped(owed));
                    }
                }
                () = sleep_until(due), if due.is_some() && flight.is_none() && self.owed.is_empty() => {}
                changed = self.tempo.changed() => if changed.is_err() { return },
            }
        }
    }

    fn keep(&mut self, item: Item, in_flight: bool) {
        self.buffer.push(Instant::now(), item);
        if !in_flight || !self.buffer.is_full() {
            return;
        }
        let items = self.buffer.take();
        if self.backlog.len() < self.backlog_max {
            self.backlog.push_back(items);
        } else {
            let bytes = items.iter().map(Item::bytes).sum();
            self.settled.fetch_add(items.len() as u64, Ordering::Release);
            self.owe(items.len(), bytes, TOO_SLOW.to_owned());
        }
    }

    fn owe(&mut self, records: usize, bytes: usize, reason: String) {
        match self.owed.back_mut() {
            Some(owed) if owed.reason == reason => {
                owed.dropped_records += records as u64;
                owed.dropped_bytes += bytes as u64;
            }
            _ => self.owed.push_back(LogsDropped {
                reason,
                dropped_records: records as u64,
                dropped_bytes: bytes as u64,
            }),
        }
    }

    fn take_off(&mut self) -> Flight {
        let items = self.backlog.pop_front().unwrap_or_else(|| self.buffer.take());
        let cut_at =
            self.dice.as_mut().and_then(|dice| dice.cut(items.len(), |index| items[index].value.len()));
        let twice = self.dice.as_mut().is_some_and(Dice::redelivers);
        let mut disturbance = Disturbance::drawn(self.dice.as_mut(), &self.inbox);
        let bodies = cut::bodies(&items, self.buffer.bytes_max(), cut_at);
        let strikes = self.dice.as_ref().map(Dice::strikes);
        if let (Some(strikes), Some(_), 2..) = (&strikes, cut_at, bodies.len()) {
            strikes.count(word::CUT);
        }
        let (records, bytes) = (items.len(), items.iter().map(Item::bytes).sum());
        let target = self.target.clone();
        let tempo = self.tempo.clone();
        Box::pin(async move {
            let mut failure = None;
            for body in bodies {
                failure = deliver(&target, &body, &tempo, &mut disturbance).await.err();
                if twice && failure.is_none() {
                    // The first answer was lost on the way, so to speak: what this one says does not matter.
                    let _ = deliver(&target, &body, &tempo, &mut Disturbance::default()).await;
                    strikes.iter().for_each(|strikes| strikes.count(word::REDELIVERY));
                }
            }
            disturbance.after().await;
            Sent { records, bytes, failure }
        })
    }

    fn land(&mut self, sent: Option<Sent>) {
        let Some(sent) = sent else { return };
        self.settled.fetch_add(sent.records as u64, Ordering::Release);
        if let Some(failure) = sent.failure {
            self.owe(sent.records, sent.bytes, format!("could not send events: {failure}"));
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// POSTs until it is answered with success, or the attempts are used up.
async fn deliver(
    target: &Target,
    body: &Bytes,
    tempo: &watch::Receiver<Tempo>,
    disturbance: &mut Disturbance,
) -> Result<(), String> {
    let mut pause = RETRY_PAUSE;
    for attempt in 1.. {
        thawed(tempo.clone()).await;
        let failure = match unless_slow(post(target, body.clone(), disturbance), tempo.clone()).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if attempt >= ATTEMPTS_MAX {
            return Err(failure);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Ok(())
}

async fn thawed(mut tempo: watch::Receiver<Tempo>) {
    let _ = tempo.wait_for(|tempo| *tempo != Tempo::Frozen).await;
}

/// Time that the subscriber spends frozen does not count as slowness. What is on its way then stays there.
async fn unless_slow(
    post: impl Future<Output = Result<(), String>>,
    mut tempo: watch::Receiver<Tempo>,
) -> Result<(), String> {
    let mut post = std::pin::pin!(post);
    let mut left = POST_TIMEOUT;
    loop {
        let frozen = *tempo.borrow_and_update() == Tempo::Frozen;
        let began = Instant::now();
        tokio::select! {
            answer = &mut post => return answer,
            () = tokio::time::sleep(left), if !frozen => return Err("no answer".to_owned()),
            Ok(()) = tempo.changed() => {}
        }
        if !frozen {
            left = left.saturating_sub(began.elapsed());
        }
    }
}

/// One POST on a connection of its own: a pooled one would not survive a freeze any better here than on AWS.
async fn post(target: &Target, body: Bytes, disturbance: &mut Disturbance) -> Result<(), String> {
    let stream = TcpStream::connect(("127.0.0.1", target.port)).await.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let client = hyper::client::conn::http1::Builder::new().title_case_headers(true).to_owned();
    let (mut sender, connection) =
        client.handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let request = http::Request::post(&target.path)
        .header(http::header::HOST, format!("{}:{}", target.host, target.port))
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(SEQUENCE_HEADER, STANDARD.encode(Sha256::digest(&body)))
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    disturbance.before().await;
    let exchange = async move {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let _ = response.into_body().collect().await;
        if status.is_success() { Ok(()) } else { Err(format!("the subscriber answered {status}")) }
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // A subscriber may close right after its answer, which is then still to be read.
        _ = connection => exchange.await,
    }
}
