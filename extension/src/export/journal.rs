//! Batches that are not acknowledged, kept on the sandbox's disk in case the extension is killed or memory has no room:
//! appended before a freeze may happen, read again when there is room, or by the next extension in the same sandbox.
//! What stands here has been scrubbed. Nothing that the disk does fails anything: it is counted.

mod directory;
mod segment;
mod shelf;

use std::io;
use std::path::PathBuf;

use model::{BatchId, Timestamp};
use pipeline::batch::{Sealed, Worth};
use wire::letter::{self, Letter};

use segment::Segment;
use shelf::Shelf;

use crate::notice;

/// A disk that failed so often in a row is left alone.
const FAILURES_MAX: u32 = 5;
/// As many batches as memory holds at the most; what is remembered of each is some hundred bytes.
const LETTERS_MAX: usize = 8_192;

/// How the journal is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A directory of its own; it is made when it is needed.
    pub directory: PathBuf,
    /// Everything in it comes to this size at the most, whoever has left it there; with 0 there is no journal.
    pub bytes_max: usize,
}

/// What became of a batch that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is on the disk now.
    Written,
    /// It was there already.
    Known,
    /// There is no journal, or its disk was given up.
    Nowhere,
    /// The disk, or its share of it, is full, or cannot be written.
    Failed,
}

/// What became of a batch for which memory has no room.
#[derive(Debug)]
pub(super) struct Parked {
    /// Where it is kept, it is kept alone, and will be read again.
    pub(super) kept: Kept,
    /// What was on the disk alone and had to go for it, without bytes.
    pub(super) given_up: Vec<Sealed>,
}

/// What was read again.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) batches: Vec<Sealed>,
    /// The disk has lost their bytes.
    pub(super) unreadable: Vec<Sealed>,
}

/// What is on the disk, and how that fares.
pub(super) struct Journal {
    shelf: Shelf,
    failures: u32,
    /// The first failure has been said.
    told: bool,
}

impl Journal {
    /// Touches no disk.
    pub(super) fn new(place: Place, sandbox: String, stream: String) -> Self {
        Self { shelf: Shelf::new(place, sandbox, stream), failures: 0, told: false }
    }

    /// Finds what former lives have left for the same stream; [`Self::fetch`] reads it.
    pub(super) fn inherit(&mut self) {
        self.shelf.inherit();
    }

    /// Writes the batch, unless it is there already.
    pub(super) fn keep(&mut self, batch: &Sealed, now: Timestamp) -> Kept {
        if self.shelf.segments().any(|segment| segment.holds(&batch.id)) {
            return Kept::Known;
        }
        if !self.shelf.is_wanted() || self.failures >= FAILURES_MAX {
            return Kept::Nowhere;
        }
        match self.append(batch, now) {
            Ok(kept) => kept,
            Err(error) => {
                self.failures += 1;
                if !self.told {
                    self.told = true;
                    let place = self.shelf.place();
                    notice::say(format_args!(
                        "cannot write the journal in {place}: {error}; what the stream does not take is kept in memory alone"
                    ));
                }
                Kept::Failed
            }
        }
    }

    /// Memory has no room for the batch: it stays here alone, if there is room for it or something goes that is missed
    /// less.
    pub(super) fn park(&mut self, batch: &Sealed, now: Timestamp) -> Parked {
        let mut given_up = Vec::new();
        let kept = loop {
            let kept = self.keep(batch, now);
            let lesser = if kept == Kept::Failed { self.shelf.give_up_for(batch) } else { None };
            let Some(lesser) = lesser else { break kept };
            given_up.extend(lesser);
        };
        self.shelf.segments_mut().any(|segment| segment.leave_alone(&batch.id));
        Parked { kept, given_up }
    }

    /// Whether there is something to [fetch](Self::fetch).
    pub(super) fn has_more(&self) -> bool {
        self.shelf.segments().any(Segment::has_more)
    }

    /// Whether nothing in here is needed any more.
    pub(super) fn is_done(&self) -> bool {
        self.shelf.segments().all(Segment::is_done)
    }

    /// Reads again what is in here alone, oldest first, up to `bytes_max`, and one batch at the least. Each of them
    /// comes back by [`Self::park`] or is [settled](Self::settle).
    pub(super) fn fetch(&mut self, bytes_max: usize) -> Fetched {
        let mut fetched = Fetched::default();
        let mut bytes = 0;
        for segment in self.shelf.segments_mut() {
            let worth = segment.worth();
            while bytes < bytes_max {
                match segment.next() {
                    Some(Ok(letter)) => {
                        bytes += letter.data.len();
                        fetched.batches.push(sealed(letter, worth));
                    }
                    Some(Err(unreadable)) => fetched.unreadable.push(unreadable),
                    None => break,
                }
            }
        }
        self.shelf.tidy();
        fetched
    }

    /// The batch is acknowledged or given up. A file of which nothing is needed goes.
    pub(super) fn settle(&mut self, id: &BatchId) {
        if self.shelf.segments_mut().any(|segment| segment.settle(id)) {
            self.shelf.tidy();
        }
    }

    /// A fault has made away with what was in memory: what is in here is in here alone then. Returns it, without bytes.
    pub(super) fn recall(&mut self, is_in_memory: impl Fn(&BatchId) -> bool) -> Vec<Sealed> {
        self.shelf.segments_mut().flat_map(|segment| segment.leave_all_alone_but(&is_in_memory)).collect()
    }

    /// The sandbox ends: of what is done no file stays behind.
    pub(super) fn close(&mut self) {
        self.shelf.close();
    }

    fn append(&mut self, batch: &Sealed, now: Timestamp) -> io::Result<Kept> {
        let frame = letter::frame(&self.letter(batch, now));
        let letters: usize = self.shelf.segments().map(Segment::len).sum();
        if letters >= LETTERS_MAX || !self.shelf.has_room(batch, &frame) {
            // There is room again when the stream takes something.
            return Ok(Kept::Failed);
        }
        self.shelf.open(batch.worth)?.append(batch, &frame)?;
        self.failures = 0;
        Ok(Kept::Written)
    }

    fn letter(&self, batch: &Sealed, now: Timestamp) -> Letter {
        Letter {
            at: now,
            id: batch.id.clone(),
            events: batch.events,
            stream: self.shelf.stream().to_owned(),
            reason: String::new(),
            data: batch.data.clone(),
        }
    }
}

fn sealed(letter: Letter, worth: Worth) -> Sealed {
    Sealed { id: letter.id, events: letter.events, worth, data: letter.data }
}

#[cfg(test)]
mod tests;
