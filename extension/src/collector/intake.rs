//! One delivery in; its records read and put through the stages into the open batch; and what they said about the
//! invocation's course. Everything is counted on the way. No task, no socket, no clock.

mod stages;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use model::Timestamp;
use pipeline::account::{Delivery as Delivered, Ledger, Reason};
use pipeline::batch::{Batcher, Limits, Sealed};
use pipeline::flush::Pending;
use pipeline::payload::Payloads;
use pipeline::usage::{Meter, Reading};
use pipeline::{App, Assembler, CloseReason, FunctionContext, Select};

use crate::config::Selection;
use crate::inbound::{Capture, Message};
use crate::listener::Delivery;
use crate::listener::body::Bodies;
use crate::listener::redelivery::Redelivery;
use stages::Stages;

/// The pipeline from a body to a sealed batch.
#[derive(Debug)]
pub struct Intake {
    redelivery: Redelivery,
    bodies: Bodies,
    stages: Stages,
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
    /// Something of what the platform had to tell has not come, or cannot be read: it may have been an end.
    Missed,
    /// `platform.restoreStart`: the sandbox was made from a snapshot, and keys from before it are void.
    Restored,
}

impl Intake {
    /// For the sandbox with this name, before its first record.
    pub fn new(sandbox: String, function: FunctionContext, limits: Limits, selection: Selection) -> Self {
        let stages = Stages {
            sandbox: sandbox.clone(),
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
        };
        Self { redelivery: Redelivery::default(), bodies: Bodies::default(), stages }
    }

    /// With what the proxy copies.
    pub fn with(mut self, payloads: Option<Payloads>) -> Self {
        self.stages.payloads = payloads;
        self
    }

    /// What the exporter says stands in all batches from now on; what is over its room is packed by worth.
    pub fn follow(&mut self, room_bytes: usize, delivered: Delivered) {
        (self.stages.room_bytes, self.stages.delivered) = (room_bytes, delivered);
    }

    /// Takes a whole delivery; a repeated one is dropped.
    pub fn take(&mut self, delivery: &Delivery, now: Timestamp) -> Vec<Milestone> {
        if self.redelivery.repeats(delivery.sequence.as_deref()) {
            return Vec::new();
        }
        let stages = &mut self.stages;
        let Some(elements) = self.bodies.read(&delivery.body, now) else {
            stages.ledger.lost(Reason::UnreadableBody, 1);
            return vec![Milestone::Missed];
        };
        stages.made_at = None;
        let milestones = elements.filter_map(|element| stages.element(element, now)).collect();
        stages.assemble(now, Assembler::settle);
        milestones
    }

    /// An invocation begins; what was made before it says nothing about how late we are told of it.
    pub fn invoked(&mut self, now: Timestamp) {
        self.stages.invoked_at = now;
    }

    /// What batches say of whom they come from.
    pub fn sandbox(&self) -> &str {
        &self.stages.sandbox
    }

    /// How long the first record of this invocation in the last delivery was on its way, at `now`.
    pub fn lag(&self, now: Timestamp) -> Duration {
        self.stages.made_at.map_or(Duration::ZERO, |made_at| now.since(made_at))
    }

    /// When [`Intake::release`] will have something, if nothing is delivered before.
    pub fn due(&self) -> Option<Timestamp> {
        let stages = &self.stages;
        [self.bodies.due(), stages.assembler.due(), stages.select.due()].into_iter().flatten().min()
    }

    /// What has waited long enough goes on: for its other half, for the next line of its stack trace, for the end of
    /// its invocation.
    pub fn release(&mut self, now: Timestamp) -> Option<Milestone> {
        let part = self.bodies.release(now);
        let milestone = part.and_then(|part| self.stages.element(part, now));
        if self.stages.assembler.due().is_some_and(|due| due <= now) {
            self.stages.assemble(now, |assembler| assembler.release(now));
        }
        let released = self.stages.select.release(now);
        self.stages.pack(released, now);
        milestone
    }

    /// Whether a look at the kernel's counters is worth its cost now.
    pub fn wants_reading(&self, now: Timestamp) -> bool {
        self.stages.meter.as_ref().is_some_and(|meter| meter.wants(now))
    }

    /// The same where no invocation is announced, and so nobody waits for us.
    pub fn wants_reading_between(&self, now: Timestamp) -> bool {
        self.stages.overlaps && self.wants_reading(now)
    }

    /// The same for the sandbox's end.
    pub fn wants_last_reading(&self) -> bool {
        self.stages.meter.as_ref().is_some_and(Meter::wants_last)
    }

    /// Takes what the kernel's counters say.
    pub fn read(&mut self, reading: Reading) {
        if let Some(meter) = &mut self.stages.meter {
            let now = reading.at;
            let points = meter.take(reading);
            self.stages.push(points, now);
        }
    }

    /// Takes what the function's own process told.
    pub fn hear(&mut self, message: Message, now: Timestamp) {
        let events = message.records();
        let stages = &mut self.stages;
        let (app, payloads) = (&mut stages.app, &mut stages.payloads);
        let (resource, overlaps) = (stages.assembler.resource(), stages.overlaps);
        let heard = catch_unwind(AssertUnwindSafe(|| match message {
            Message::Export(export) => app.place(export, &resource, overlaps),
            Message::Payload(Capture { part, request_id, bytes, cut }) => payloads
                .as_mut()
                .map(|payloads| payloads.take(part, &request_id, &bytes, cut, now))
                .unwrap_or_default(),
        }));
        match heard {
            Ok(signals) => stages.push(signals, now),
            Err(_) => stages.ledger.lost(Reason::Panic, events),
        }
    }

    /// Copies for which the queue had no room.
    pub fn missed(&mut self, copies: u64) {
        if copies > 0 {
            self.stages.ledger.lost(Reason::Payload, copies);
        }
    }

    /// INVOKE came.
    pub fn announce(&mut self, request_id: &str) {
        self.stages.app.announce(request_id);
    }

    /// What INVOKE tells about the function.
    pub fn learn_arn(&mut self, arn: &str) {
        self.stages.assembler.learn_arn(arn);
    }

    /// What waits to be sealed.
    pub fn pending(&self) -> Option<Pending> {
        self.stages.batcher.pending()
    }

    /// The sandbox ends: what is still open becomes what is known of it.
    pub fn close(&mut self, reason: CloseReason, now: Timestamp) {
        let stages = &mut self.stages;
        if let Some(part) = self.bodies.close() {
            stages.element(part, now);
        }
        stages.assemble(now, |assembler| assembler.close(reason, now));
        if let Some(payloads) = &mut stages.payloads {
            let copies = payloads.close();
            stages.push(copies, now);
        }
        let held = stages.select.close();
        stages.pack(held, now);
    }

    /// The next batch, if anything is pending.
    pub fn seal(&mut self) -> Option<Sealed> {
        self.stages.seal()
    }

    /// The sandbox's last word.
    pub fn seal_account(&mut self, reason: CloseReason) -> Option<Sealed> {
        self.stages.seal_account(closed_as(reason))
    }

    /// A fault outside of a record's own handling made away with so many records, as far as they can be counted.
    pub fn forgotten(&mut self, records: u64) {
        self.stages.ledger.lost(Reason::Panic, records);
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
