//! What a request came to → what becomes of its batches: done, repeated as they are, or given up and counted.

use std::time::Duration;

use pipeline::batch::Sealed;
use pipeline::flush::backoff::Cause;

use super::Exporter;
use crate::export::kinesis::{Failure, Outcome};
use crate::fault::{self, Place};
use crate::identity::entropy;
use crate::{clock, notice};

/// A batch that cannot be taken stands alone as a rule: so many in a row say that the stream's name, or its record
/// limit, is wrong. They are lost to that knowledge, and counted; all others are kept.
const REFUSALS_MAX: u32 = 3;

impl Exporter {
    pub(super) fn settle(&mut self, outcome: Outcome) {
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
            self.refusals = 0;
            self.breaker.answered(took, self.settings.budget);
            self.recovered();
            if some_failed {
                self.breaker.throttled(clock::now(), self.urgency, entropy());
            }
        }
    }

    /// A refused request of several batches is repeated with one at a time, until it is known which one it was. Where
    /// one after the other is refused and nothing is taken, it is not the batches: somebody has to mend something.
    fn settle_refusal(&mut self, batches: Vec<Sealed>, why: &str) {
        if batches.len() > 1 {
            self.backlog.send_singly(batches.len());
            return self.repeat(batches);
        }
        if self.refusals >= REFUSALS_MAX {
            self.repeat(batches);
            return self.failed(Cause::Setup, why);
        }
        self.refusals += 1;
        for batch in batches {
            if !self.told_refusal {
                self.told_refusal = true;
                let (stream, events) = (&self.settings.destination.stream, batch.events);
                notice::say(format_args!(
                    "{stream} refused a batch of {events} events: {why}; more of them are only counted"
                ));
            }
            self.backlog.settle(&batch);
            self.journal.settle(&batch.id);
            self.tally.refused(&batch);
        }
    }

    pub(super) fn repeat(&mut self, batches: Vec<Sealed>) {
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
}
