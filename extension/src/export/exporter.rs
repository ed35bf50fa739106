//! The exporter's task: one request at a time, exactly what failed again, with the breaker's permission; what cannot be
//! sent before a freeze goes to the disk as well, and what memory has no room for stays there until it can be sent.

mod settlement;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Timestamp;
use pipeline::account::Delivery;
use pipeline::batch::Sealed;
use pipeline::flush::backoff::Urgency;
use pipeline::flush::{Breaker, Ready};
use tokio::sync::{mpsc, watch};

use super::backlog::Backlog;
use super::flight::Flight;
use super::journal::{Journal, Kept, Parked};
use super::kinesis::{Kinesis, Outcome};
use super::tally::Tally;
use super::{Order, Settings, Status};
use crate::fault::{self, Place};
use crate::supervise::{Patience, guarded, panics};
use crate::{clock, notice};

/// What is read from the disk again goes along in requests of this size: one that is answered within the budget.
const REFILL_BYTES: usize = 256 * 1_024;

pub(super) struct Exporter {
    settings: Settings,
    kinesis: Option<Arc<Kinesis>>,
    inbox: mpsc::Receiver<Order>,
    backlog: Backlog,
    journal: Journal,
    flight: Option<Flight>,
    breaker: Breaker,
    urgency: Urgency,
    tally: Tally,
    /// In this process under another name.
    panics_before: u64,
    /// Somebody has given an order: the sandbox's start is over.
    awake: bool,
    /// People know that the stream is down.
    told: bool,
    /// Batches that were refused for good since the stream last took one.
    refusals: u32,
    /// The first of all refusals has been said.
    told_refusal: bool,
    publish: watch::Sender<Status>,
}

impl Exporter {
    pub(super) fn new(
        settings: Settings,
        inbox: mpsc::Receiver<Order>,
        publish: watch::Sender<Status>,
    ) -> Self {
        let stream = settings.destination.stream.to_string();
        Self {
            kinesis: None,
            inbox,
            backlog: Backlog::new(settings.backlog_bytes_max, settings.request_bytes_max),
            journal: Journal::new(settings.journal.clone(), settings.sandbox.clone(), stream),
            tally: Tally::new(settings.sandbox.clone()),
            settings,
            flight: None,
            breaker: Breaker::default(),
            urgency: Urgency::Usual,
            panics_before: 0,
            awake: false,
            told: false,
            refusals: 0,
            told_refusal: false,
            publish,
        }
    }

    /// Until nobody can give orders any more. A panic costs the batch that it interrupted.
    pub(super) async fn run(mut self) {
        self.journal.inherit();
        let mut patience = Patience::default();
        loop {
            if guarded(self.work()).await.is_ok() {
                return;
            }
            self.recover();
            if !patience.bears_another(clock::now()) {
                break;
            }
        }
        notice::say(format_args!("nothing is sent any more: too many faults of the extension itself"));
        // Whoever waits is told.
        self.publish.send_modify(|status| status.prompt = false);
    }

    async fn work(&mut self) {
        loop {
            // All that is there goes into one request.
            while let Ok(order) = self.inbox.try_recv() {
                self.obey(order);
            }
            let wake = self.take_off(clock::now());
            self.report();
            tokio::select! {
                // An answer that is there is read before anybody asks whether it is late.
                biased;
                outcome = landing(&mut self.flight) => {
                    self.beat();
                    self.settle(outcome);
                }
                order = self.inbox.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                () = clock::reach(wake) => self.beat(),
            }
        }
    }

    fn obey(&mut self, order: Order) {
        self.awake = true;
        match order {
            Order::Send(batch) => self.keep(batch),
            Order::Prepare => {
                self.beat();
                if self.flight.as_ref().is_some_and(Flight::is_uncertain) {
                    self.put_away();
                }
                self.kinesis().prepare();
            }
            Order::Overran => {
                self.breaker.overran();
                self.put_away();
            }
            Order::Renew(sandbox) => {
                self.tally.renamed(sandbox);
                self.panics_before = panics();
                self.kinesis = None;
                self.breaker.wake();
            }
            Order::Hurry => {
                self.urgency = Urgency::Last;
                self.breaker.wake();
                if let Some(flight) = &mut self.flight {
                    flight.hurry(clock::now());
                }
            }
            Order::PutAway => {
                self.put_away();
                self.journal.close();
            }
            Order::Report(done) => {
                self.report();
                let _ = done.send(());
            }
        }
    }

    fn keep(&mut self, batch: Sealed) {
        self.tally.taken(&batch);
        if !self.breaker.is_closed() {
            write(&mut self.journal, &mut self.tally, &batch);
        }
        self.admit(batch);
    }

    /// Into memory; what has no room there stays on the disk, if there is room for it.
    fn admit(&mut self, batch: Sealed) {
        for batch in self.backlog.push(batch) {
            let Parked { kept, given_up } = self.journal.park(&batch, clock::now());
            given_up.iter().for_each(|lesser| self.tally.dropped_from_disk(lesser));
            count(&mut self.tally, kept, &batch);
            match kept {
                Kept::Written | Kept::Known => self.tally.put_away(&batch),
                Kept::Failed | Kept::Nowhere => self.tally.dropped(&batch),
            }
        }
    }

    /// There is room in memory, and the stream takes data: what is on the disk alone is read again.
    fn refill(&mut self) {
        let room = REFILL_BYTES.saturating_sub(self.backlog.bytes());
        if room == 0 || !self.awake || !self.journal.has_more() {
            return;
        }
        let fetched = self.journal.fetch(room);
        fetched.unreadable.iter().for_each(|lost| self.tally.dropped_from_disk(lost));
        for batch in fetched.batches {
            self.tally.taken_back(&batch);
            self.admit(batch);
        }
    }

    /// Everything that is not acknowledged, to the disk.
    fn put_away(&mut self) {
        let flying = self.flight.iter().flat_map(|flight| flight.batches());
        for batch in flying.chain(self.backlog.iter()) {
            write(&mut self.journal, &mut self.tally, batch);
        }
    }

    fn kinesis(&mut self) -> Arc<Kinesis> {
        let destination = &self.settings.destination;
        self.kinesis.get_or_insert_with(|| Arc::new(Kinesis::new(destination))).clone()
    }

    /// Starts a request if there is something to send, none is on its way and no pause is due; says when to look
    /// again.
    fn take_off(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let Some(flight) = &self.flight {
            return Some(flight.next_beat());
        }
        let ready = self.breaker.ready(now);
        if ready == Ready::All || self.backlog.is_empty() {
            self.refill();
        }
        if self.backlog.is_empty() {
            return None;
        }
        let batches = match ready {
            Ready::At(time) => return Some(time),
            Ready::Probe => self.backlog.take_one(),
            Ready::All => self.backlog.take_request(),
        };
        let (kinesis, batches) = (self.kinesis(), Arc::new(batches));
        let cargo = batches.clone();
        let task = tokio::spawn(async move {
            fault::pass(Place::Request);
            kinesis.put(&cargo).await
        });
        let mut flight = Flight::new(batches, task);
        if self.urgency == Urgency::Last {
            flight.hurry(now);
        }
        let next_beat = flight.next_beat();
        self.flight = Some(flight);
        Some(next_beat)
    }

    /// A request that a freeze cut, or that takes too long for the sandbox's end, is sent again.
    fn beat(&mut self) {
        let now = clock::now();
        let Some(flight) = &mut self.flight else { return };
        flight.beat(now);
        if flight.is_overdue(now)
            && let Some(flight) = self.flight.take()
        {
            self.repeat(flight.into_batches());
        }
    }

    /// Publishes what others go by, if it has changed.
    fn report(&self) {
        let status = Status {
            settled: self.tally.settled,
            put_away: self.tally.put_away,
            is_behind: !self.journal.is_done(),
            prompt: self.breaker.is_closed(),
            room_bytes: self.backlog.room_bytes(),
            delivery: Delivery { panics: panics() - self.panics_before, ..self.tally.delivery },
        };
        self.publish.send_if_modified(|known| {
            let changed = *known != status;
            *known = status;
            changed
        });
    }

    /// After a panic: the request is repeated, and what is neither settled nor here any more is counted.
    fn recover(&mut self) {
        if let Some(flight) = self.flight.take() {
            self.backlog.put_back(flight.into_batches());
        }
        self.backlog.recount();
        let here: BTreeSet<_> = self.backlog.iter().map(|batch| batch.id.clone()).collect();
        let recalled = self.journal.recall(|id| here.contains(id));
        recalled.iter().for_each(|batch| self.tally.put_away(batch));
        self.tally.remaining(self.backlog.iter());
    }
}

fn write(journal: &mut Journal, tally: &mut Tally, batch: &Sealed) {
    count(tally, journal.keep(batch, clock::now()), batch);
}

fn count(tally: &mut Tally, kept: Kept, batch: &Sealed) {
    match kept {
        Kept::Written => tally.delivery.journalled += batch.events,
        Kept::Failed => tally.delivery.journal_failed += 1,
        Kept::Known | Kept::Nowhere => {}
    }
}

async fn landing(flight: &mut Option<Flight>) -> Outcome {
    match flight {
        Some(flight) => flight.landing().await,
        None => std::future::pending().await,
    }
}
