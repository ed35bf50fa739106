//! The second destination: a copy of every sealed batch as OTLP/HTTP requests (protobuf, gzip) to an endpoint of the
//! team's choice, for teams who keep their vendor beside Limelight.
//!
//! It has a queue of its own, bounded, and its failures are its own: nothing that goes to the stream waits for it. The
//! sandbox is held for it within the same budget, and only while it answers within that; one that has overrun it twice
//! is not waited for until it is prompt again.

mod queue;
mod request;

use std::sync::Arc;
use std::time::Duration;

use pipeline::batch::Sealed;
use pipeline::flush::Breaker;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::Mirrored;
use crate::fault::{self, Place};
use crate::supervise::{Patience, guarded};
use crate::{clock, notice};
use queue::Queue;
use request::{Client, Outcome, Parcel};

/// The task takes orders whenever it is polled, so this only bridges one turn of the event loop.
const ORDERS_MAX: usize = 32;
/// OTLP specification, "OTLP/HTTP Throttling": without Retry-After an exponential backoff.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// A vendor that is down for minutes is asked twice a minute, unless it says when to come again.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Whoever says "tomorrow" is asked all the same: a sandbox lives for hours at the most.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// What the task is told.
#[derive(Debug)]
enum Order {
    /// To be delivered.
    Send(Sealed),
    /// The sandbox was held to the end of its budget, and no answer came.
    Overran,
}

/// How it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    /// Batches that are settled: taken, refused or dropped.
    settled: u64,
    /// Events that the destination has taken.
    taken: u64,
    /// Events that it will not get: refused, or there was no room.
    lost: u64,
    /// The last request was not answered well.
    failing: bool,
    /// An answer can be expected within the budget.
    prompt: bool,
    /// The task has ended.
    gone: bool,
}

/// The way to the second destination. Dropping it ends the task.
#[derive(Debug)]
pub struct Mirror {
    orders: mpsc::Sender<Order>,
    status: watch::Receiver<Status>,
    sent: u64,
    events: u64,
    /// Events of copies that the task had no place for.
    turned_away: u64,
}

impl Mirror {
    /// Starts the task. Nothing is connected or built before there is something to send. An answer that takes longer
    /// than the `budget` is not worth holding a sandbox for.
    pub fn start(target: Mirrored, bytes_max: usize, budget: Duration) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let (publish, status) = watch::channel(Status {
            settled: 0,
            taken: 0,
            lost: 0,
            failing: false,
            prompt: true,
            gone: false,
        });
        let courier = Courier {
            target: Arc::new(target),
            client: None,
            inbox,
            queue: Queue::new(bytes_max),
            flight: None,
            failures: 0,
            resume_at: None,
            breaker: Breaker::default(),
            budget,
            publish,
        };
        tokio::spawn(courier.run());
        Self { orders, status, sent: 0, events: 0, turned_away: 0 }
    }

    /// Hands over a copy, or drops it where there is no room; never waits.
    pub fn send(&mut self, batch: &Sealed) {
        self.events += batch.events;
        match self.orders.try_send(Order::Send(batch.clone())) {
            Ok(()) => self.sent += 1,
            Err(_) => self.turned_away += batch.events,
        }
    }

    /// Says that waiting was in vain.
    pub fn overran(&self) {
        // A full queue means that it is at work already.
        let _ = self.orders.try_send(Order::Overran);
    }

    /// Batches to hold a sandbox for: none while the destination fails or is slow.
    pub fn outstanding(&self) -> usize {
        if self.status.borrow().prompt { self.unsettled() } else { 0 }
    }

    /// Batches of which something can still be expected: none while the destination fails.
    pub fn unsettled(&self) -> usize {
        let status = *self.status.borrow();
        let unsettled = self.sent.saturating_sub(status.settled);
        if status.failing || status.gone { 0 } else { usize::try_from(unsettled).unwrap_or(usize::MAX) }
    }

    /// Events that it will not get. What is still out is not among them.
    pub fn lost(&self) -> u64 {
        self.turned_away + self.status.borrow().lost
    }

    /// Events that it has not taken, so far.
    pub fn missing(&self) -> u64 {
        self.events.saturating_sub(self.status.borrow().taken)
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
    inbox: mpsc::Receiver<Order>,
    queue: Queue,
    flight: Option<Flight>,
    failures: u32,
    resume_at: Option<Instant>,
    /// Whether it is slow; pauses are ruled by OTLP, not by it.
    breaker: Breaker,
    budget: Duration,
    publish: watch::Sender<Status>,
}

/// The request that is on its way.
struct Flight {
    parcel: Arc<Parcel>,
    since: Instant,
    task: JoinHandle<Outcome>,
}

impl Courier {
    /// Until nobody can give orders any more. A panic costs what it interrupted.
    async fn run(mut self) {
        let mut patience = Patience::default();
        loop {
            if guarded(self.work()).await.is_ok() {
                return;
            }
            if !patience.bears_another(clock::now()) {
                break;
            }
        }
        notice::say(format_args!(
            "the second destination gets nothing any more: too many faults of the extension itself"
        ));
        // Whoever waits is told.
        self.publish.send_modify(|status| status.gone = true);
    }

    async fn work(&mut self) {
        loop {
            self.take_off();
            tokio::select! {
                order = self.inbox.recv() => match order {
                    Some(Order::Send(batch)) => self.push(batch),
                    Some(Order::Overran) => self.breaker.overran(),
                    None => return,
                },
                outcome = landing(&mut self.flight) => self.settle(outcome),
                () = reach(self.resume_at) => self.resume_at = None,
            }
            let prompt = self.breaker.is_closed();
            self.publish.send_if_modified(|status| std::mem::replace(&mut status.prompt, prompt) != prompt);
        }
    }

    fn push(&mut self, batch: Sealed) {
        for dropped in self.queue.push(batch) {
            self.publish.send_modify(|status| {
                status.settled += 1;
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
            self.flight = Some(Flight { parcel, since: Instant::now(), task });
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let Some(flight) = self.flight.take() else { return };
        fault::pass(Place::Mirror);
        match outcome {
            Outcome::Taken => {
                self.breaker.answered(Some(flight.since.elapsed()), self.budget);
                self.publish.send_modify(|status| status.taken += flight.parcel.events);
                self.recovered();
            }
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
        let pause = after.map_or(doubled.min(PAUSE_MAX), |asked| asked.min(ASKED_PAUSE_MAX));
        self.resume_at = Some(Instant::now() + pause);
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
