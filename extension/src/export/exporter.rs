//! The exporter's task: one request at a time, exactly what failed again, with the breaker's permission; and what
//! cannot be sent before a freeze goes to the disk as well.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use pipeline::account::Delivery;
use pipeline::batch::Sealed;
use pipeline::flush::backoff::{Cause, Urgency};
use pipeline::flush::{Breaker, Ready};
use tokio::sync::{mpsc, watch};

use super::backlog::Backlog;
use super::flight::Flight;
use super::journal::{Journal, Kept};
use super::kinesis::{Failure, Kinesis, Outcome};
use super::tally::Tally;
use super::{Order, Settings, Status};
use crate::fault::{self, Place};
use crate::identity::entropy;
use crate::supervise::{PANICS_MAX, guarded, panics};
use crate::{clock, notice};

/// A request that was out for this long when the next invocation began may not come back: what it carries is put on
/// the disk. Shorter ones are the usual case, and not worth a write.
const UNCERTAIN: Duration = Duration::from_millis(200);

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
    /// People know that the stream is down.
    told: bool,
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
            told: false,
            publish,
        }
    }

    /// Until nobody can give orders any more. A panic costs the batch that it interrupted.
    pub(super) async fn run(mut self) {
        for batch in self.journal.inherit() {
            // What finds no room stays on the disk.
            self.backlog.push(batch);
        }
        for _ in 0..PANICS_MAX {
            if guarded(self.work()).await.is_ok() {
                return;
            }
            self.recover();
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
        match order {
            Order::Send(batch) => self.keep(batch),
            Order::Prepare => {
                self.beat();
                if self.flight.as_ref().is_some_and(|flight| flight.took() > Some(UNCERTAIN)) {
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
            Order::PutAway(done) => {
                self.put_away();
                self.journal.close();
                let _ = done.send(());
            }
        }
    }

    fn keep(&mut self, batch: Sealed) {
        self.tally.taken(&batch);
        if !self.breaker.is_closed() {
            write(&mut self.journal, &mut self.tally, &batch);
        }
        for dropped in self.backlog.push(batch) {
            self.journal.settle(&dropped.id);
            self.tally.dropped(&dropped);
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
        if self.backlog.is_empty() {
            return None;
        }
        let batches = match self.breaker.ready(now) {
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

    fn settle(&mut self, outcome: Outcome) {
        let Some(flight) = self.flight.take() else { return };
        let took = flight.took();
        let batches = flight.into_batches();
        fault::pass(Place::Exporter);
        match outcome {
            Outcome::Answered(entries) => self.settle_entries(took, batches, &entries),
            Outcome::Failed(Failure::Refused(why)) => self.settle_refusal(batches, &why),
            Outcome::Failed(Failure::Unreachable(why)) => {
                self.repeat(batches);
                // A freeze breaks connections and time limits; that says nothing about the stream.
                if took.is_some() {
                    self.failed(Cause::Busy, &why);
                }
            }
            Outcome::Failed(Failure::Setup(why)) => {
                // The keys may be old ones: the next try asks for new ones.
                self.kinesis = None;
                self.repeat(batches);
                self.failed(Cause::Setup, &why);
            }
        }
    }

    /// The stream answers each batch on its own: what it took is done, what it did not is repeated as it is.
    fn settle_entries(
        &mut self,
        took: Option<Duration>,
        batches: Vec<Sealed>,
        entries: &[Result<(), String>],
    ) {
        let count = batches.len();
        let mut failed = Vec::new();
        for (at, batch) in batches.into_iter().enumerate() {
            if matches!(entries.get(at), Some(Ok(()))) {
                self.backlog.settle(&batch);
                self.journal.settle(&batch.id);
                self.tally.acknowledged(&batch);
            } else {
                failed.push(batch);
            }
        }
        let (all_failed, some_failed) = (failed.len() == count, !failed.is_empty());
        self.repeat(failed);
        if all_failed {
            let why = entries.iter().find_map(|entry| entry.as_ref().err());
            self.failed(Cause::Busy, why.map_or("an answer without entries", String::as_str));
        } else {
            self.breaker.answered(took, self.settings.budget);
            self.recovered();
            if some_failed {
                self.breaker.throttled(clock::now(), self.urgency, entropy());
            }
        }
    }

    /// A refused request of several batches is repeated with one at a time, until it is known which one it was.
    fn settle_refusal(&mut self, batches: Vec<Sealed>, why: &str) {
        if batches.len() > 1 {
            self.backlog.send_singly(batches.len());
            return self.repeat(batches);
        }
        let stream = &self.settings.destination.stream;
        for batch in batches {
            notice::say(format_args!("{stream} refused a batch of {} events: {why}", batch.events));
            self.backlog.settle(&batch);
            self.journal.settle(&batch.id);
            self.tally.refused(&batch);
        }
    }

    fn repeat(&mut self, batches: Vec<Sealed>) {
        batches.iter().for_each(|batch| self.tally.repeated(batch));
        self.backlog.put_back(batches);
    }

    fn failed(&mut self, cause: Cause, why: &str) {
        self.breaker.failed(clock::now(), cause, self.urgency, entropy());
        if !self.breaker.is_open() {
            return;
        }
        self.put_away();
        if !self.told {
            self.told = true;
            let stream = &self.settings.destination.stream;
            notice::say(format_args!("cannot send to {stream}: {why}; keeping the data and trying again"));
        }
    }

    fn recovered(&mut self) {
        if self.told {
            self.told = false;
            notice::say(format_args!("{} takes data again", self.settings.destination.stream));
        }
    }

    /// Publishes what others go by, if it has changed.
    fn report(&self) {
        let status = Status {
            settled: self.tally.settled,
            prompt: self.breaker.is_closed(),
            room_bytes: self.backlog.room_bytes(),
            delivery: Delivery { panics: panics(), ..self.tally.delivery },
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
        self.tally.remaining(self.backlog.iter());
    }
}

fn write(journal: &mut Journal, tally: &mut Tally, batch: &Sealed) {
    match journal.keep(batch, clock::now()) {
        Kept::Written => tally.delivery.journalled += batch.events,
        Kept::Failed => tally.delivery.journal_failed += 1,
        Kept::Nothing => {}
    }
}

async fn landing(flight: &mut Option<Flight>) -> Outcome {
    match flight {
        Some(flight) => flight.landing().await,
        None => std::future::pending().await,
    }
}
