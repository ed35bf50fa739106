//! One delivery in; its records parsed, assembled, scrubbed and put into the open batch; and what they said about the
//! invocation's course. Everything is counted on the way. No task, no socket, no clock.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lambda_api::telemetry::{Record, kind};
use model::Timestamp;
use pipeline::account::{Delivery as Delivered, Ledger, Reason};
use pipeline::batch::{Batcher, Limits, Sealed};
use pipeline::flush::Pending;
use pipeline::usage::{Meter, Reading};
use pipeline::{Assembler, CloseReason, FunctionContext, Select, Signals, measure};
use serde_json::Value;

use crate::config::Selection;
use crate::listener::Delivery;
use crate::listener::body;
use crate::listener::redelivery::Redelivery;

/// The pipeline from a body to a sealed batch.
#[derive(Debug)]
pub struct Intake {
    redelivery: Redelivery,
    assembler: Assembler,
    /// None if a team wants no enhanced metrics.
    meter: Option<Meter>,
    select: Select,
    ledger: Ledger,
    batcher: Batcher,
}

/// What a record says about an invocation's course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Milestone {
    /// `platform.runtimeDone`: the function's work is over.
    Done(String),
    /// `platform.report`: the invocation is over, extensions included.
    Reported(String),
}

impl Intake {
    /// For the sandbox with this name, before its first record.
    pub fn new(sandbox: String, function: FunctionContext, limits: Limits, selection: Selection) -> Self {
        Self {
            redelivery: Redelivery::default(),
            assembler: Assembler::new(function),
            meter: selection.metrics.then(Meter::default),
            select: Select::new(selection.gate),
            ledger: Ledger::default(),
            batcher: Batcher::new(sandbox, limits),
        }
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
        for element in elements {
            match element {
                Some(record) => milestones.extend(self.accept(record, now)),
                None => self.ledger.lost(Reason::Unreadable, 1),
            }
        }
        milestones
    }

    fn accept(&mut self, record: Record, now: Timestamp) -> Option<Milestone> {
        if record.kind == kind::LOGS_DROPPED {
            self.ledger.lost(Reason::Platform, dropped_records(&record.record));
        }
        let milestone = milestone(&record);
        if let (Some(meter), Some(Milestone::Done(request_id))) = (&mut self.meter, &milestone) {
            meter.ended(request_id, now);
        }
        self.assemble(now, |assembler| assembler.accept(record, now));
        milestone
    }

    /// The assembler's state is plain data: after a panic it may lack a span, and is otherwise good to go on.
    fn assemble(&mut self, now: Timestamp, step: impl FnOnce(&mut Assembler) -> Signals) {
        let (assembler, measures) = (&mut self.assembler, self.meter.is_some());
        let assembled = catch_unwind(AssertUnwindSafe(|| {
            let mut signals = step(assembler);
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
            Ok(selected) => self.batcher.push(now, selected),
            // What may not have been scrubbed to its end does not leave the sandbox.
            Err(_) => self.ledger.lost(Reason::Panic, events),
        }
    }

    /// When [`Intake::release`] will have something, if nothing is delivered before.
    pub fn due(&self) -> Option<Timestamp> {
        self.select.due()
    }

    /// What has waited long enough for the end of its invocation goes on.
    pub fn release(&mut self, now: Timestamp) {
        let released = self.select.release(now);
        self.batcher.push(now, released);
    }

    /// Whether a look at the kernel's counters is worth its cost now.
    pub fn wants_reading(&self, now: Timestamp) -> bool {
        self.meter.as_ref().is_some_and(|meter| meter.wants(now))
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
        let held = self.select.close();
        self.batcher.push(now, held);
    }

    /// The next batch, if anything is pending.
    pub fn seal(&mut self, delivered: &Delivered) -> Option<Sealed> {
        self.batcher.seal(&self.assembler.resource(), &mut self.ledger, delivered)
    }

    /// A last batch for losses that no other has told.
    pub fn seal_account(&mut self, delivered: &Delivered) -> Option<Sealed> {
        self.batcher.seal_account(&self.assembler.resource(), &self.ledger, delivered)
    }
}

fn milestone(record: &Record) -> Option<Milestone> {
    let request_id = || record.record.get("requestId").and_then(Value::as_str).map(str::to_owned);
    match record.kind.as_str() {
        kind::RUNTIME_DONE => request_id().map(Milestone::Done),
        kind::REPORT => request_id().map(Milestone::Reported),
        _ => None,
    }
}

/// At least one, whatever the record says: it is there because something was lost.
fn dropped_records(record: &Value) -> u64 {
    record.get("droppedRecords").and_then(Value::as_u64).unwrap_or(1).max(1)
}
