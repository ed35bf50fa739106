//! What one record goes through: assembled, measured, selected and scrubbed, put into the open batch; and what it said
//! about the invocation's course.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lambda_api::telemetry::{Payload, kind};
use model::{Timestamp, Value};
use pipeline::account::{Delivery as Delivered, Ledger, Reason};
use pipeline::batch::{Batcher, Packing, Seal, Sealed};
use pipeline::payload::Payloads;
use pipeline::usage::Meter;
use pipeline::{App, Assembler, Select, Signals, measure};

use super::Milestone;
use crate::fault::{self, Place};
use crate::identity;
use crate::listener::body::{Element, Missing, Told};

/// On a log of whose record only a part came: which part is missing.
const CUT_MARK: &str = "limelight.cut";

/// The stages, in the order in which a record meets them.
#[derive(Debug)]
pub(super) struct Stages {
    pub(super) sandbox: String,
    /// Several invocations at a time: nothing is announced, and only reports tell an end.
    pub(super) overlaps: bool,
    pub(super) assembler: Assembler,
    /// None if a team wants no enhanced metrics.
    pub(super) meter: Option<Meter>,
    pub(super) select: Select,
    pub(super) app: App,
    /// None where nothing is copied.
    pub(super) payloads: Option<Payloads>,
    pub(super) ledger: Ledger,
    pub(super) batcher: Batcher,
    /// How the exporter fares, as of [`super::Intake::follow`].
    pub(super) room_bytes: usize,
    pub(super) delivered: Delivered,
    /// When the current invocation began, and when the first record of it in the last delivery was made.
    pub(super) invoked_at: Timestamp,
    pub(super) made_at: Option<Timestamp>,
}

impl Stages {
    /// Takes one element of a delivery.
    pub(super) fn element(&mut self, element: Element, now: Timestamp) -> Option<Milestone> {
        let (record, missing) = match element {
            Element::Record(record) => (record, None),
            Element::Part(record, missing) => (record.typed(), Some(missing)),
            Element::Unreadable => {
                self.ledger.lost(Reason::Unreadable, 1);
                return Some(Milestone::Missed);
            }
        };
        self.heed(&record);
        let milestone = milestone(&record, now);
        let ended = match &milestone {
            Some(Milestone::Done { request_id, .. }) => Some(request_id),
            Some(Milestone::Reported(request_id)) if self.overlaps => Some(request_id),
            _ => None,
        };
        if let (Some(meter), Some(request_id)) = (&mut self.meter, ended) {
            meter.ended(request_id, now);
        }
        self.assemble(now, |assembler| match missing {
            None => assembler.take(record, now),
            Some(missing) => part(assembler, record, missing, now),
        });
        // What came with the other part has not come either.
        milestone.or(missing.map(|_| Milestone::Missed))
    }

    /// What a record tells beside what it becomes.
    fn heed(&mut self, record: &Told) {
        if self.made_at.is_none() {
            let made_at = record.time.parse().ok();
            self.made_at = made_at.filter(|made_at| *made_at >= self.invoked_at);
        }
        if record.kind == kind::LOGS_DROPPED {
            self.ledger.lost(Reason::Platform, dropped_records(record));
        }
        if record.kind == kind::RESTORE_START {
            self.become_another();
        }
        self.app.observe(record);
    }

    /// The sandbox was made from a snapshot, as others were of the same: what comes now is nobody else's.
    fn become_another(&mut self) {
        // Without random numbers there is no better name than the old one.
        let Ok(sandbox) = identity::sandbox() else { return };
        while self.guarded(|batcher, seal, ledger| batcher.rename(sandbox.clone(), seal, ledger)).is_none() {}
        // Losses before the snapshot stand in the old name's account, which all clones share.
        (self.ledger, self.delivered) = (Ledger::default(), Delivered::default());
        self.sandbox = sandbox;
    }

    /// The assembler's state is plain data: after a panic it may lack a span, and is otherwise good to go on.
    pub(super) fn assemble(&mut self, now: Timestamp, step: impl FnOnce(&mut Assembler) -> Signals) {
        let (assembler, measures) = (&mut self.assembler, self.meter.is_some());
        let payloads = &mut self.payloads;
        let assembled = catch_unwind(AssertUnwindSafe(|| {
            fault::pass(Place::Intake);
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

    /// What is kept goes into the open batch.
    pub(super) fn push(&mut self, signals: Signals, now: Timestamp) {
        let events = u64::try_from(signals.len()).unwrap_or(u64::MAX);
        let (select, ledger) = (&mut self.select, &mut self.ledger);
        match catch_unwind(AssertUnwindSafe(|| select.take(signals, now, ledger))) {
            Ok(selected) => self.pack(selected, now),
            // What may not have been scrubbed to its end does not leave the sandbox.
            Err(_) => self.ledger.lost(Reason::Panic, events),
        }
    }

    /// What is full is sealed at once: values take far more room than bytes.
    pub(super) fn pack(&mut self, signals: Signals, now: Timestamp) {
        self.batcher.push(now, signals);
        if self.batcher.is_full() {
            self.guarded(Batcher::seal_full);
        }
    }

    /// The next batch, if anything is pending.
    pub(super) fn seal(&mut self) -> Option<Sealed> {
        while self.batcher.pending().is_some() {
            if let Some(sealed) = self.guarded(Batcher::seal) {
                return sealed;
            }
        }
        None
    }

    /// Packs something. A panic costs the events that were being packed; none is returned then. Whoever tries again
    /// comes to an end: with each panic there is less to pack.
    fn guarded<T>(&mut self, pack: impl FnOnce(&mut Batcher, Seal<'_>, &mut Ledger) -> T) -> Option<T> {
        let before = self.batcher.events();
        let (packing, delivery) = (self.packing(), &self.delivered);
        let (resource, batcher, ledger) = (self.assembler.resource(), &mut self.batcher, &mut self.ledger);
        let packed = catch_unwind(AssertUnwindSafe(|| {
            fault::pass(Place::Seal);
            pack(batcher, Seal { packing, resource: &resource, delivery }, ledger)
        }));
        if let Ok(packed) = packed {
            return Some(packed);
        }
        if self.batcher.events() == before {
            // It panics whatever it is given.
            self.batcher.forget();
        }
        self.ledger.lost_of_received(before.saturating_sub(self.batcher.events()));
        None
    }

    /// The sandbox's last word; `closed` says why it ended.
    pub(super) fn seal_account(&mut self, closed: &'static str) -> Option<Sealed> {
        let resource = self.assembler.resource();
        let seal = Seal { packing: self.packing(), resource: &resource, delivery: &self.delivered };
        self.batcher.seal_account(closed, seal, &self.ledger)
    }

    fn packing(&self) -> Packing {
        let waiting = self.batcher.pending().map_or(0, |pending| pending.bytes);
        if waiting > self.room_bytes { Packing::ByWorth } else { Packing::Together }
    }
}

/// A part of a record, marked as such; its neighbours are no lines of it.
fn part(assembler: &mut Assembler, record: Told, missing: Missing, now: Timestamp) -> Signals {
    let mut signals = assembler.finish_lines();
    let mut cut = assembler.take(record, now);
    cut.append(assembler.finish_lines());
    let word = match missing {
        Missing::Beginning => "beginning",
        Missing::End => "end",
    };
    for log in &mut cut.logs {
        log.body.insert(CUT_MARK.to_owned(), word.into());
    }
    signals.append(cut);
    signals
}

fn milestone(record: &Told, now: Timestamp) -> Option<Milestone> {
    match record.kind.as_str() {
        kind::RUNTIME_DONE => {
            let at = record.time.parse().unwrap_or(now);
            request_id(record).map(|request_id| Milestone::Done { request_id, at })
        }
        kind::INIT_REPORT => Some(Milestone::Ready),
        kind::REPORT => request_id(record).map(Milestone::Reported),
        kind::RESTORE_START => Some(Milestone::Restored),
        kind::LOGS_DROPPED => Some(Milestone::Missed),
        _ => None,
    }
}

/// Of an end; also of one in a shape that nobody knows yet.
fn request_id(record: &Told) -> Option<String> {
    let request_id = match &record.record {
        Payload::RuntimeDone(done) => done.request_id.as_str(),
        Payload::Report(report) => report.request_id.as_str(),
        Payload::Unknown(content) => content.as_object()?.get("requestId")?.as_str()?,
        _ => return None,
    };
    Some(request_id.to_owned()).filter(|id| !id.is_empty())
}

/// At least one, whatever the record says: it is there because something was lost.
fn dropped_records(record: &Told) -> u64 {
    let Payload::Unknown(content) = &record.record else { return 1 };
    match content.as_object().and_then(|fields| fields.get("droppedRecords")) {
        Some(Value::Int(count)) => u64::try_from(*count).unwrap_or(1).max(1),
        _ => 1,
    }
}
