//! The second destination: a copy of every sealed batch as OTLP/HTTP requests (protobuf, gzip) to an endpoint of the
//! team's choice, for teams who keep their vendor beside Limelight.
//!
//! It has a queue of its own, bounded, and its failures are its own: nothing that goes to the stream waits for it, and
//! the sandbox is held for it only while it answers, and within the same budget.

mod queue;
mod request;

use std::sync::Arc;
use std::time::Duration;

use pipeline::batch::Sealed;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::Mirrored;
use crate::notice;
use queue::Queue;
use request::{Client, Outcome, Parcel};

/// The task takes batches whenever it is polled, so this only bridges one turn of the event loop.
const BATCHES_MAX: usize = 32;
/// OTLP specification, "OTLP/HTTP Throttling": without Retry-After an exponential backoff.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// A vendor that is down for minutes is asked twice a minute.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Status {
    /// Batches that are settled: taken, refused or dropped.
    settled: u64,
    /// The last request was not answered well.
    failing: bool,
    /// Events that the destination did not get.
    lost: u64,
}

/// The way to the second destination. Dropping it ends the task.
#[derive(Debug)]
pub struct Mirror {
    batches: mpsc::Sender<Sealed>,
    status: watch::Receiver<Status>,
    sent: u64,
    shed: u64,
}

impl Mirror {
    /// Starts the task. Nothing is connected or built before there is something to send.
    pub fn start(target: Mirrored, bytes_max: usize) -> Self {
        let (batches, inbox) = mpsc::channel(BATCHES_MAX);
        let (publish, status) = watch::channel(Status::default());
        let courier = Courier {
            target: Arc::new(target),
            client: None,
            inbox,
            queue: Queue::new(bytes_max),
            flight: None,
            failures: 0,
            resume_at: None,
            publish,
        };
        tokio::spawn(courier.run());
        Self { batches, status, sent: 0, shed: 0 }
    }

    /// Hands over a copy, or drops it where there is no room; never waits.
    pub fn send(&mut self, batch: &Sealed) {
        match self.batches.try_send(batch.clone()) {
            Ok(()) => self.sent += 1,
            Err(_) => self.shed += batch.events,
        }
    }

    /// Batches to wait for: none while the destination fails.
    pub fn outstanding(&self) -> usize {
        let status = *self.status.borrow();
        let unsettled = self.sent.saturating_sub(status.settled);
        if status.failing { 0 } else { usize::try_from(unsettled).unwrap_or(usize::MAX) }
    }

    /// Events that never reached it, so far.
    pub fn lost(&self) -> u64 {
        self.shed + self.status.borrow().lost
    }

    /// Returns when something changed. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.status.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The news of a mirror, if there is one. Cancel-safe.
pub(crate) async fn changed(mirror: &mut Option<Mirror>) {
    match mirror {
        Some(mirror) => mirror.changed().await,
        None => std::future::pending().await,
    }
}

/// The task.
struct Courier {
    target: Arc<Mirrored>,
    client: Option<Arc<Client>>,
    inbox: mpsc::Receiver<Sealed>,
    queue: Queue,
    flight: Option<Flight>,
    failures: u32,
    resume_at: Option<Instant>,
    publish: watch::Sender<Status>,
}

/// The request that is on its way.
struct Flight {
    parcel: Arc<Parcel>,
    task: JoinHandle<Outcome>,
}

impl Courier {
    async fn run(mut self) {
        loop {
            self.take_off();
            tokio::select! {
                batch = self.inbox.recv() => match batch {
                    Some(batch) => self.push(batch),
                    None => return,
                },
                outcome = landing(&mut self.flight) => self.settle(outcome),
                () = reach(self.resume_at) => self.resume_at = None,
            }
        }
    }

    fn push(&mut self, batch: Sealed) {
        let dropped = self.queue.push(batch);
        if dropped.batches > 0 {
            self.publish.send_modify(|status| {
                status.settled += dropped.batches;
                status.lost += dropped.events;
            });
        }
    }

    /// One request at a time, in the order of the batches.
    fn take_off(&mut self) {
        while self.flight.is_none() && self.resume_at.is_none() {
            let Some(parcel) = self.queue.parcel() else {
                // A batch without records for others (an account) is settled by having nothing to send.
                if self.queue.finish_batch() {
                    self.publish.send_modify(|status| status.settled += 1);
                    continue;
                }
                return;
            };
            let client = self.client.get_or_insert_with(|| Arc::new(Client::default())).clone();
            let (target, cargo) = (self.target.clone(), parcel.clone());
            let task = tokio::spawn(async move { client.post(&target, &cargo).await });
            self.flight = Some(Flight { parcel, task });
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let Some(flight) = self.flight.take() else { return };
        match outcome {
            Outcome::Taken => self.recovered(),
            Outcome::Later { after, why } => {
                self.queue.put_back(flight.parcel);
                self.pause(after);
                self.failing(&why, "trying again");
            }
            Outcome::Refused(why) => {
                self.publish.send_modify(|status| status.lost += flight.parcel.events);
                self.failing(&why, "such data is dropped");
            }
        }
    }

    fn pause(&mut self, after: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let doubled = PAUSE_MIN.saturating_mul(1 << self.failures.min(16).saturating_sub(1));
        self.resume_at = Some(Instant::now() + after.unwrap_or(doubled).min(PAUSE_MAX));
    }

    fn failing(&self, why: &str, consequence: &str) {
        if !self.publish.borrow().failing {
            let endpoint = &self.target.endpoint;
            notice::say(format_args!(
                "the second destination {endpoint} does not take data: {why}; {consequence}"
            ));
            self.publish.send_modify(|status| status.failing = true);
        }
    }

    fn recovered(&mut self) {
        self.failures = 0;
        if self.publish.borrow().failing {
            notice::say(format_args!("the second destination {} takes data again", self.target.endpoint));
            self.publish.send_modify(|status| status.failing = false);
        }
    }
}

/// The request's end; never without a request.
async fn landing(flight: &mut Option<Flight>) -> Outcome {
    match flight {
        Some(flight) => (&mut flight.task).await.unwrap_or_else(|error| Outcome::Later {
            after: None,
            why: format!("the request's task ended: {error}"),
        }),
        None => std::future::pending().await,
    }
}

async fn reach(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
