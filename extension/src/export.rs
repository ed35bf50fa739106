//! Sealed batches in, acknowledged batches out of memory. One task owns the backlog, sends one request at a time,
//! repeats exactly what failed, and publishes how it fares. It waits for nobody and nobody waits in it: whoever wants
//! to know whether everything has arrived watches [`Status`].

pub mod backlog;
pub mod backoff;
pub mod credentials;
pub mod kinesis;

use std::sync::Arc;
use std::time::Duration;

use pipeline::account::Delivery;
use pipeline::batch::Sealed;
use pipeline::flush::Outbound;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::Destination;
use crate::notice;
use backlog::Backlog;
use kinesis::{Failure, Kinesis, Outcome};

/// The exporter takes orders whenever it is polled, so this only bridges one turn of the event loop.
const ORDERS_MAX: usize = 64;
/// How old a request may be when the sandbox ends (or thaws) before it is taken for dead and repeated on a new
/// connection. A repetition is harmless: the reader knows the batch.
const STALE_REQUEST: Duration = Duration::from_millis(400);

/// How long a request may take when the sandbox ends: two tries fit into what is left.
const HURRIED_REQUEST: Duration = Duration::from_millis(600);

/// What the exporter is told.
#[derive(Debug)]
enum Order {
    /// To be delivered.
    Send(Sealed),
    /// There is time now for what the first request would otherwise wait for.
    Prepare,
    /// The sandbox ends: no more patience.
    Hurry,
}

/// How the exporter fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Batches that are settled: acknowledged, or given up and counted.
    pub settled: u64,
    /// The last request got through.
    pub healthy: bool,
    /// Totals for the account.
    pub delivery: Delivery,
}

/// The way to the exporter. Dropping it ends the task.
#[derive(Debug)]
pub struct Export {
    orders: mpsc::Sender<Order>,
    status: watch::Receiver<Status>,
    sent: u64,
}

impl Export {
    /// Starts the task. Nothing is connected or built before there is something to send or [`Self::prepare`].
    pub fn start(destination: Destination, backlog_bytes_max: usize, request_bytes_max: usize) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let fresh = Status { settled: 0, healthy: true, delivery: Delivery::default() };
        let (publish, status) = watch::channel(fresh);
        let exporter = Exporter {
            destination: Arc::new(destination),
            kinesis: None,
            inbox,
            backlog: Backlog::new(backlog_bytes_max, request_bytes_max),
            flight: None,
            failures: 0,
            retry_at: None,
            hurried: false,
            publish,
        };
        tokio::spawn(exporter.run());
        Self { orders, status, sent: 0 }
    }

    /// Hands over one batch; from here on it is the exporter's to count.
    pub async fn send(&mut self, batch: Sealed) {
        self.sent += 1;
        // Fails only when the task is gone, which ends with its handle and not before.
        let _ = self.orders.send(Order::Send(batch)).await;
    }

    /// Says that this is a good moment to get ready.
    pub fn prepare(&self) {
        // A full queue means that it is at work already.
        let _ = self.orders.try_send(Order::Prepare);
    }

    /// Says that the sandbox ends.
    pub async fn hurry(&self) {
        let _ = self.orders.send(Order::Hurry).await;
    }

    /// Totals so far.
    pub fn delivery(&self) -> Delivery {
        self.status.borrow().delivery
    }

    /// What is still out, for the flush rules.
    pub fn outbound(&self) -> Outbound {
        let status = *self.status.borrow();
        let unacknowledged = usize::try_from(self.sent.saturating_sub(status.settled)).unwrap_or(usize::MAX);
        Outbound { unacknowledged, healthy: status.healthy }
    }

    /// Returns when something changed. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.status.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The task.
struct Exporter {
    destination: Arc<Destination>,
    kinesis: Option<Arc<Kinesis>>,
    inbox: mpsc::Receiver<Order>,
    backlog: Backlog,
    flight: Option<Flight>,
    failures: u32,
    retry_at: Option<Instant>,
    hurried: bool,
    publish: watch::Sender<Status>,
}

/// The request that is on its way. The batches stay here, so that nothing that happens to the task loses them.
struct Flight {
    batches: Arc<Vec<Sealed>>,
    since: Instant,
    task: JoinHandle<Outcome>,
}

impl Exporter {
    async fn run(mut self) {
        loop {
            // All that is there goes into one request.
            while let Ok(order) = self.inbox.try_recv() {
                self.obey(order);
            }
            self.take_off();
            let overdue =
                self.flight.as_ref().filter(|_| self.hurried).map(|flight| flight.since + HURRIED_REQUEST);
            tokio::select! {
                order = self.inbox.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                () = reach(overdue) => self.abandon_flight(),
                outcome = landing(&mut self.flight) => self.settle(outcome),
                () = reach(self.retry_at) => self.retry_at = None,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Send(batch) => {
                let dropped = self.backlog.push(batch);
                if dropped.batches > 0 {
                    self.publish.send_modify(|status| {
                        status.settled += dropped.batches;
                        status.delivery.lost_backlog += dropped.events;
                    });
                }
            }
            Order::Prepare => {
                self.kinesis();
                self.abandon_stale_flight();
            }
            Order::Hurry => {
                self.hurried = true;
                self.retry_at = None;
                self.abandon_stale_flight();
            }
        }
    }

    fn kinesis(&mut self) -> Arc<Kinesis> {
        let destination = &self.destination;
        self.kinesis.get_or_insert_with(|| Arc::new(Kinesis::new(destination))).clone()
    }

    /// Starts a request if there is something to send, none is on its way and no pause is due.
    fn take_off(&mut self) {
        if self.flight.is_some() || self.retry_at.is_some() {
            return;
        }
        let batches = self.backlog.take_request();
        if batches.is_empty() {
            return;
        }
        let (kinesis, batches) = (self.kinesis(), Arc::new(batches));
        let cargo = batches.clone();
        let task = tokio::spawn(async move { kinesis.put(&cargo).await });
        self.flight = Some(Flight { batches, since: Instant::now(), task });
    }

    /// A request from before a freeze will not be answered any more.
    fn abandon_stale_flight(&mut self) {
        if self.flight.as_ref().is_some_and(|flight| flight.since.elapsed() > STALE_REQUEST) {
            self.abandon_flight();
        }
    }

    fn abandon_flight(&mut self) {
        if let Some(flight) = self.flight.take() {
            flight.task.abort();
            self.repeat(unwrap(flight.batches));
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let Some(flight) = self.flight.take() else { return };
        let batches = unwrap(flight.batches);
        match outcome {
            Outcome::Answered(entries) => self.settle_entries(batches, &entries),
            Outcome::Failed(Failure::Refused(why)) => self.settle_refusal(batches, &why),
            Outcome::Failed(failure) => {
                self.failed(&failure);
                self.repeat(batches);
            }
        }
    }

    /// The stream answers each batch on its own: what it took is done, what it did not is repeated as it is.
    fn settle_entries(&mut self, batches: Vec<Sealed>, entries: &[Result<(), String>]) {
        let mut failed = Vec::new();
        let (mut settled, mut acknowledged) = (0, 0);
        for (at, batch) in batches.into_iter().enumerate() {
            if matches!(entries.get(at), Some(Ok(()))) {
                settled += 1;
                acknowledged += batch.events;
            } else {
                failed.push(batch);
            }
        }
        if settled > 0 {
            self.recovered();
        }
        self.publish.send_modify(|status| {
            status.settled += settled;
            status.delivery.acknowledged += acknowledged;
        });
        if failed.is_empty() {
            return;
        }
        self.pause(backoff::Cause::Busy);
        if settled == 0 {
            let why = entries.iter().find_map(|entry| entry.as_ref().err());
            self.unhealthy(why.map_or("an answer without entries", String::as_str));
        }
        self.repeat(failed);
    }

    /// A refused request of several batches is repeated with one at a time, until it is known which one it was.
    fn settle_refusal(&mut self, batches: Vec<Sealed>, why: &str) {
        if batches.len() > 1 {
            self.backlog.send_singly(batches.len());
            self.repeat(batches);
            return;
        }
        let events: u64 = batches.iter().map(|batch| batch.events).sum();
        notice::say(format_args!("{} refused a batch of {events} events: {why}", self.destination.stream));
        self.publish.send_modify(|status| {
            status.settled += 1;
            status.delivery.lost_refused += events;
        });
    }

    fn repeat(&mut self, batches: Vec<Sealed>) {
        let events: u64 = batches.iter().map(|batch| batch.events).sum();
        self.backlog.put_back(batches);
        if events > 0 {
            self.publish.send_modify(|status| status.delivery.retried += events);
        }
    }

    fn failed(&mut self, failure: &Failure) {
        let (cause, why) = match failure {
            Failure::Unreachable(why) | Failure::Refused(why) => (backoff::Cause::Busy, why),
            Failure::Setup(why) => (backoff::Cause::Setup, why),
        };
        self.pause(cause);
        self.unhealthy(why);
    }

    fn pause(&mut self, cause: backoff::Cause) {
        self.failures = self.failures.saturating_add(1);
        let pause = backoff::pause(cause, self.failures, self.hurried, backoff::entropy());
        self.retry_at = Some(Instant::now() + pause);
    }

    fn unhealthy(&mut self, why: &str) {
        let was_healthy = self.publish.borrow().healthy;
        if was_healthy {
            let stream = &self.destination.stream;
            notice::say(format_args!("cannot send to {stream}: {why}; keeping the data and trying again"));
        }
        self.publish.send_modify(|status| status.healthy = false);
    }

    fn recovered(&mut self) {
        self.failures = 0;
        let was_healthy = self.publish.borrow().healthy;
        if !was_healthy {
            notice::say(format_args!("{} takes data again", self.destination.stream));
            self.publish.send_modify(|status| status.healthy = true);
        }
    }
}

/// The request's end; never without a request. A panic in it is a failed attempt like any other.
async fn landing(flight: &mut Option<Flight>) -> Outcome {
    match flight {
        Some(flight) => match (&mut flight.task).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(Failure::Unreachable(format!("the request's task ended: {error}"))),
        },
        None => std::future::pending().await,
    }
}

async fn reach(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The request's task has ended or was aborted, but may not have let go yet: then this is a copy.
fn unwrap(batches: Arc<Vec<Sealed>>) -> Vec<Sealed> {
    Arc::try_unwrap(batches).unwrap_or_else(|shared| shared.to_vec())
}
