//! Sealed batches in, acknowledged batches out of memory. One task owns the backlog, sends one request at a time,
//! repeats exactly what failed, and publishes how it fares. It waits for nobody and nobody waits in it: whoever wants
//! to know whether everything has arrived watches [`Status`].

pub mod backlog;
pub mod journal;
mod exporter;
mod tally;
mod flight;
pub mod credentials;
pub mod kinesis;
pub(crate) mod connection;
mod socket;

use std::time::Duration;

use pipeline::account::Delivery;
use pipeline::batch::Sealed;
use pipeline::flush::Outbound;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Destination;
use exporter::Exporter;

/// The exporter takes orders whenever it is polled, so this only bridges one turn of the event loop.
const ORDERS_MAX: usize = 64;

/// What the exporter works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose batches these are (see `BatchId::sandbox`).
    pub sandbox: String,
    /// Where to.
    pub destination: Destination,
    /// An answer that takes longer than this is not worth holding a sandbox for.
    pub budget: Duration,
    /// How many bytes of batches are kept while the stream does not take them.
    pub backlog_bytes_max: usize,
    /// How many bytes of batches go into one request; one batch always does.
    pub request_bytes_max: usize,
    /// Where what is not acknowledged is kept on the disk.
    pub journal: journal::Place,
}

/// What the exporter is told.
#[derive(Debug)]
enum Order {
    /// To be delivered.
    Send(Sealed),
    /// There is time now for what the first request would otherwise wait for.
    Prepare,
    /// The sandbox was held to the end of its budget, and no answer came.
    Overran,
    /// Keys and connections are those of another life; from now on batches carry this sandbox's name.
    Renew(String),
    /// The sandbox ends: no more patience.
    Hurry,
    /// What is not acknowledged by now may not be in this life.
    PutAway,
    /// To be told when everything before this has been done, and [`Status`] says what came of it.
    Report(oneshot::Sender<()>),
}

/// How the exporter fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    /// Batches that nobody waits for: acknowledged, given up and counted, or on the disk alone.
    settled: u64,
    /// Of these, the ones on the disk alone.
    put_away: u64,
    /// Something on the disk is not acknowledged, former lives' batches included.
    is_behind: bool,
    /// An answer can be expected within the budget.
    prompt: bool,
    /// How much more may come until room becomes short.
    room_bytes: usize,
    /// Totals for the account.
    delivery: Delivery,
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
    pub fn start(settings: Settings) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let fresh = Status {
            settled: 0,
            put_away: 0,
            is_behind: false,
            prompt: true,
            room_bytes: settings.backlog_bytes_max,
            delivery: Delivery::default(),
        };
        let (publish, status) = watch::channel(fresh);
        tokio::spawn(Exporter::new(settings, inbox, publish).run());
        Self { orders, status, sent: 0 }
    }

    /// Hands over one batch; from here on it is the exporter's to count.
    pub async fn send(&mut self, batch: Sealed) {
        self.sent += 1;
        // Fails only when the task has given up; then `outbound` says so.
        let _ = self.orders.send(Order::Send(batch)).await;
    }

    /// Says that this is a good moment to get ready.
    pub fn prepare(&self) {
        // A full queue means that it is at work already.
        let _ = self.orders.try_send(Order::Prepare);
    }

    /// Says that waiting was in vain.
    pub fn overran(&self) {
        let _ = self.orders.try_send(Order::Overran);
    }

    /// Says that the sandbox woke up from a snapshot, and is called `sandbox` now.
    pub async fn renew(&self, sandbox: String) {
        let _ = self.orders.send(Order::Renew(sandbox)).await;
        self.report().await;
    }

    /// Says that the sandbox ends.
    pub async fn hurry(&self) {
        let _ = self.orders.send(Order::Hurry).await;
    }

    /// Returns when everything that is still out stands on the disk, if there is room for it there; if nothing is, the
    /// disk is left as it was found.
    pub async fn put_away(&self) {
        let _ = self.orders.send(Order::PutAway).await;
        self.report().await;
    }

    /// Returns when what was handed over has been taken, and [`Self::delivery`] says what came of it so far.
    pub async fn report(&self) {
        let (done, is_done) = oneshot::channel();
        if self.orders.send(Order::Report(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// Batches of this sandbox without an acknowledgement, wherever they are.
    pub fn missing(&self) -> usize {
        let put_away = usize::try_from(self.status.borrow().put_away).unwrap_or(usize::MAX);
        self.outbound().unacknowledged.saturating_add(put_away)
    }

    /// Whether there is anything that the stream has not acknowledged, former lives' included.
    pub fn is_behind(&self) -> bool {
        self.outbound().unacknowledged > 0 || self.status.borrow().is_behind
    }

    /// Totals so far.
    pub fn delivery(&self) -> Delivery {
        self.status.borrow().delivery
    }

    /// What more may come until some of it may have to go; nothing while the stream does not take enough.
    pub fn room_bytes(&self) -> usize {
        let status = *self.status.borrow();
        if status.prompt { status.room_bytes } else { 0 }
    }

    /// What is still out, for the flush rules. Nobody waits for a task that is gone.
    pub fn outbound(&self) -> Outbound {
        let status = *self.status.borrow();
        let unacknowledged = usize::try_from(self.sent.saturating_sub(status.settled)).unwrap_or(usize::MAX);
        Outbound { unacknowledged, prompt: status.prompt && !self.orders.is_closed() }
    }

    /// Returns when something changed. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.status.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
