//! One delivery in; its records parsed, assembled, scrubbed and put into the open batch; and what they said about the
//! invocation's course. Everything is counted on the way. No task, no socket, no clock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lambda_api::telemetry::{Record, kind};
use model::Timestamp;
use pipeline::account::{Delivery as Delivered, Ledger, Reason};
use pipeline::batch::{Batcher, Limits, Packing, Seal, Sealed};
use pipeline::flush::Pending;
use pipeline::payload::Payloads;
use pipeline::usage::{Meter, Reading};
use pipeline::{App, Assembler, CloseReason, FunctionContext, Select, Signals, measure};
use serde_json::Value;

use crate::config::Selection;
use crate::identity;
use crate::inbound::{Capture, Message};
use crate::listener::Delivery;
use crate::listener::body;
use crate::listener::redelivery::Redelivery;

/// The pipeline from a body to a sealed batch.
#[derive(Debug)]
pub struct Intake {
    sandbox: String,
    redelivery: Redelivery,
    /// Several invocations at a time: nothing is announced, and only reports tell an end.
    overlaps: bool,
    assembler: Assembler,
    /// None if a team wants no enhanced metrics.
    meter: Option<Meter>,
    select: Select,
    app: App,
    /// None where nothing is copied.
    payloads: Option<Payloads>,
    ledger: Ledger,
    batcher: Batcher,
    /// How the exporter fares, as of [`Intake::follow`].
    room_bytes: usize,
    delivered: Delivered,
    /// When the current invocation began, and when the first record of it in the last delivery was made.
    invoked_at: Timestamp,
    made_at: Option<Timestamp>,
}

/// What a record says about an invocation's course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Milestone {
    /// `platform.initReport`: every extension is ready.
    Ready,
    /// `platform.runtimeDone`: the function's work is over.
    Done {
        /// Whose.
        request_id: String,
        /// Since when, by the platform's clock.
        at: Timestamp,
    },
    /// `platform.report`: the invocation is over, extensions included.
    Reported(String),
    /// `platform.restoreStart`: the sandbox was made from a snapshot, and keys from before it are void.
    Restored,
}

impl Intake {
    /// For the sandbox with this name, before its first record.
    pub fn new(sandbox: String, function: FunctionContext, limits: Limits, selection: Selection) -> Self {
        Self {
            sandbox: sandbox.clone(),
            redelivery: Redelivery::default(),
            overlaps: function.overlaps(),
            assembler: Assembler::new(function),
            meter: selection.metrics.then(Meter::default),
            select: Select::new(selection.gate),
            app: App::default(),
            payloads: None,
            ledger: Ledger::default(),
            batcher: Batcher::new(sandbox, limits),
            room_bytes: usize::MAX,
            delivered: Delivered::default(),
            invoked_at: Timestamp::EPOCH,
            made_at: None,
        }
    }

    /// With what the proxy copies.
    pub fn with(self, payloads: Option<Payloads>) -> Self {
        Self { payloads, ..self }
    }

    /// What the exporter says stands in all batches from now on; what is over its room is packed by worth.
    pub fn follow(&mut self, room_bytes: usize, delivered: Delivered) {
        (self.room_bytes, self.delivered) = (room_bytes, delivered);
    }

    fn packing(&self) -> Packing {
        let waiting = self.batcher.pending().map_or(0, |pending| pending.bytes);
        if waiting > self.room_bytes { Packing::ByWorth } else { Packing::Together }
    }

    /// Takes a whole delivery; a repeated one is dropped.
    pub fn take(&mut self, delivery: &Delivery, now: Timestamp) -> Vec<Milestone> {
        if self.redelivery.repeats(delivery.sequence.as_deref()) {
            return Vec::new();
        }
        let Some(elements) = body::elements(&delivery.body) else {
            self.ledger.lost(Reason::UnreadableBody, 1);
            return Vec::new();
        };
        let mut milestones = Vec::new();
        self.made_at = None;
        for element in elements {
            match element {
                Some(record) => milestones.extend(self.accept(record, now)),
                None => self.ledger.lost(Reason::Unreadable, 1),
            }
        }
        milestones
    }

    /// An invocation begins; what was made before it says nothing about how late we are told of it.
    pub fn invoked(&mut self, now: Timestamp) {
        self.invoked_at = now;
    }

    /// The sandbox was made from a snapshot, as others were of the same: what comes now is nobody else's.
    fn become_another(&mut self) {
        // Without random numbers there is no better name than the old one.
        let Ok(sandbox) = identity::sandbox() else { return };
        let resource = self.assembler.resource();
        let seal = Seal { packing: self.packing(), resource: &resource, delivery: &self.delivered };
        self.batcher.rename(sandbox.clone(), seal, &mut self.ledger);
        self.ledger = Ledger::default();
        self.sandbox = sandbox;
    }

    /// What batches say of whom they come from.
    pub fn sandbox(&self) -> &str {
        &self.sandbox
    }

    /// How long the first record of this invocation in the last delivery was on its way, at `now`.
    pub fn lag(&self, now: Timestamp) -> Duration {
        self.made_at.map_or(Duration::ZERO, |made_at| now.since(made_at))
    }

    fn accept(&mut self, record: Record, now: Timestamp) -> Option<Milestone> {
        if self.made_at.is_none() {
            self.made_at = record.time.parse().ok().filter(|made_at| *made_at >= self.invoked_at);
        }
        if record.kind == kind::LOGS_DROPPED {
            self.ledger.lost(Reason::Platform, dropped_records(&record.record));
        }
        if record.kind == kind::RESTORE_START {
            self.become_another();
        }
        let milestone = milestone(&record, now);
        let ended = match &milestone {
            Some(Milestone::Done { request_id, .. }) => Some(request_id),
            Some(Milestone::Reported(request_id)) if self.overlaps => Some(request_id),
            _ => None,
        };
        if let (Some(meter), Some(request_id)) = (&mut self.meter, ended) {
            meter.ended(request_id, now);
        }
        self.app.observe(&record);
        self.assemble(now, |assembler| assembler.accept(record, now));
        milestone
    }

    /// The assembler's state is plain data: after a panic it may lack a span, and is otherwise good to go on.
    fn assemble(&mut self, now: Timestamp, step: impl FnOnce(&mut Assembler) -> Signals) {
        let (assembler, measures) = (&mut self.assembler, self.meter.is_some());
        let payloads = &mut self.payloads;
        let assembled = catch_unwind(AssertUnwindSafe(|| {
            let mut signals = step(assembler);
            if let Some(payloads) = payloads {
                payloads.dress(&mut signals);
            }
            if measures {
                measure::append(&mut signals);
            }
            signals
        }));
        match assembled {
            Ok(signals) => self.push(signals, now),
            Err(_) => self.ledger.lost(Reason::Panic, 1),
        }
    }

    fn push(&mut self, signals: Signals, now: Timestamp) {
        let events = u64::try_from(signals.len()).unwrap_or(u64::MAX);
        let (select, ledger) = (&mut self.select, &mut self.ledger);
        match catch_unwind(AssertUnwindSafe(|| select.take(signals, now, ledger))) {
            Ok(selected) => self.pack(selected, now),
            // What may not have been scrubbed to its end does not leave the sandbox.
            Err(_) => self.ledger.lost(Reason::Panic, events),
        }
    }

    /// What is full is sealed at once: values take far more room than bytes.
    fn pack(&mut self, signals: Signals, now: Timestamp) {
        self.batcher.push(now, signals);
        if self.batcher.is_full() {
            let resource = self.assembler.resource();
            let (packing, delivery) = (self.packing(), &self.delivered);
            self.batcher.seal_full(Seal { packing, resource: &resource, delivery }, &mut self.ledger);
        }
    }

    /// When [`Intake::release`] will have something, if nothing is delivered before.
    pub fn due(&self) -> Option<Timestamp> {
        self.select.due()
    }

    /// What has waited long enough for the end of its invocation goes on.
    pub fn release(&mut self, now: Timestamp) {
        let released = self.select.release(now);
        self.pack(released, now);
    }

    /// Whether a look at the kernel's counters is worth its cost now.
    pub fn wants_reading(&self, now: Timestamp) -> bool {
        self.meter.as_ref().is_some_and(|meter| meter.wants(now))
    }

    /// The same where no invocation is announced, and so nobody waits for us.
    pub fn wants_reading_between(&self, now: Timestamp) -> bool {
        self.overlaps && self.wants_reading(now)
    }

    /// The same for the sandbox's end.
    pub fn wants_last_reading(&self) -> bool {
        self.meter.as_ref().is_some_and(Meter::wants_last)
    }

    /// Takes what the kernel's counters say.
    pub fn read(&mut self, reading: Reading) {
        if let Some(meter) = &mut self.meter {
            let now = reading.at;
            let points = meter.take(reading);
            self.push(points, now);
        }
    }

    /// Takes what the function's own process told.
    pub fn hear(&mut self, message: Message, now: Timestamp) {
        let events = message.records();
        let (app, payloads) = (&mut self.app, &mut self.payloads);
        let (resource, overlaps) = (self.assembler.resource(), self.overlaps);
        let heard = catch_unwind(AssertUnwindSafe(|| match message {
            Message::Export(export) => app.place(export, &resource, overlaps),
            Message::Payload(Capture { part, request_id, bytes, cut }) => payloads
                .as_mut()
                .map(|payloads| payloads.take(part, &request_id, &bytes, cut, now))
                .unwrap_or_default(),
        }));
        match heard {
            Ok(signals) => self.push(signals, now),
            Err(_) => self.ledger.lost(Reason::Panic, events),
        }
    }

    /// INVOKE came.
    pub fn announce(&mut self, request_id: &str) {
        self.app.announce(request_id);
    }

    /// What INVOKE tells about the function.
    pub fn learn_arn(&mut self, arn: &str) {
        self.assembler.learn_arn(arn);
    }

    /// What waits to be sealed.
    pub fn pending(&self) -> Option<Pending> {
        self.batcher.pending()
    }

    /// The sandbox ends: what is still open becomes what is known of it.
    pub fn close(&mut self, reason: CloseReason, now: Timestamp) {
        self.assemble(now, |assembler| assembler.close(reason, now));
        if let Some(payloads) = &mut self.payloads {
            let copies = payloads.close();
            self.push(copies, now);
        }
        let held = self.select.close();
        self.pack(held, now);
    }

    /// The next batch, if anything is pending.
    pub fn seal(&mut self) -> Option<Sealed> {
        let resource = self.assembler.resource();
        let seal = Seal { packing: self.packing(), resource: &resource, delivery: &self.delivered };
        self.batcher.seal(seal, &mut self.ledger)
    }

    /// The sandbox's last word.
    pub fn seal_account(&mut self, reason: CloseReason) -> Option<Sealed> {
        let resource = self.assembler.resource();
        let seal = Seal { packing: self.packing(), resource: &resource, delivery: &self.delivered };
        self.batcher.seal_account(closed_as(reason), seal, &self.ledger)
    }

    /// A panic outside of a record's own handling: something is gone, at least one event.
    pub fn panicked(&mut self) {
        self.ledger.lost(Reason::Panic, 1);
    }
}

/// The stored word.
fn closed_as(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Spindown => "spindown",
        CloseReason::Timeout => "timeout",
        CloseReason::Failure => "failure",
    }
}

fn milestone(record: &Record, now: Timestamp) -> Option<Milestone> {
    let request_id = || record.record.get("requestId").and_then(Value::as_str).map(str::to_owned);
    match record.kind.as_str() {
        kind::RUNTIME_DONE => {
            let at = record.time.parse().unwrap_or(now);
            request_id().map(|request_id| Milestone::Done { request_id, at })
        }
        kind::INIT_REPORT => Some(Milestone::Ready),
        kind::REPORT => request_id().map(Milestone::Reported),
        kind::RESTORE_START => Some(Milestone::Restored),
        _ => None,
    }
}

/// At least one, whatever the record says: it is there because something was lost.
fn dropped_records(record: &Value) -> u64 {
    record.get("droppedRecords").and_then(Value::as_u64).unwrap_or(1).max(1)
}
