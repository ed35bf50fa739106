//! Batches that are not acknowledged, kept on the sandbox's disk in case the extension is killed or memory has no room:
//! appended before a freeze may happen, read again when there is room, or by the next extension in the same sandbox.
//! What stands here has been scrubbed. Nothing that the disk does fails anything: it is counted.

mod directory;
mod segment;

use std::io;
use std::path::PathBuf;

use model::{BatchId, Timestamp};
use pipeline::batch::{Sealed, Worth};
use wire::letter::{self, Letter};

use directory::Directory;
use segment::Segment;

use crate::notice;

/// A disk that failed so often in a row is left alone.
const FAILURES_MAX: u32 = 5;
/// Files of sandboxes that died before this one are read so many at a time.
const HEIRLOOMS_MAX: usize = 16;
/// A file takes this part of the whole: the grain in which room is given back.
const SEGMENTS: u64 = 16;
/// As many batches as memory holds at the most; what is remembered of each is some hundred bytes.
const LETTERS_MAX: usize = 8_192;
/// Room for a sandbox's last word, where others find none.
const LAST_WORD_BYTES: u64 = 4_096;

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

/// This sandbox's files, and those of its former lives.
pub(super) struct Journal {
    directory: Directory,
    bytes_max: u64,
    sandbox: String,
    stream: String,
    /// Oldest first, each for one worth; of each worth the last one is open.
    own: Vec<Segment>,
    /// How many there ever were: a part of the next one's name.
    begun: u64,
    /// Former lives', oldest first.
    heirlooms: Vec<Segment>,
    /// What others have in the directory, as of the last look at it.
    strange_bytes: u64,
    failures: u32,
    /// The first failure has been said.
    told: bool,
}

impl Journal {
    /// Touches no disk.
    pub(super) fn new(place: Place, sandbox: String, stream: String) -> Self {
        Self {
            directory: Directory::new(place.directory),
            bytes_max: place.bytes_max as u64,
            sandbox,
            stream,
            own: Vec::new(),
            begun: 0,
            heirlooms: Vec::new(),
            strange_bytes: 0,
            failures: 0,
            told: false,
        }
    }

    /// Finds what former lives have left for the same stream; [`Self::fetch`] reads it. Files of sandboxes that live
    /// are not touched, and what is no journal or another stream's is left alone: it only takes its room.
    pub(super) fn inherit(&mut self) {
        if self.bytes_max == 0 {
            return;
        }
        for (file, path) in self.directory.left_behind() {
            let Some(mut segment) = Segment::open(file, path) else { continue };
            match segment.stream() {
                Some(stream) if stream == self.stream => self.heirlooms.push(segment),
                Some(_) => {}
                None => drop(segment.remove()),
            }
            if self.heirlooms.len() == HEIRLOOMS_MAX {
                break;
            }
        }
        self.look();
    }

    /// Writes the batch, unless it is there already.
    pub(super) fn keep(&mut self, batch: &Sealed, now: Timestamp) -> Kept {
        if self.segments().any(|segment| segment.holds(&batch.id)) {
            return Kept::Known;
        }
        if self.bytes_max == 0 || self.failures >= FAILURES_MAX {
            return Kept::Nowhere;
        }
        match self.append(batch, now) {
            Ok(kept) => kept,
            Err(error) => {
                self.failures += 1;
                if !self.told {
                    self.told = true;
                    let place = self.directory.path().display();
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
            let lesser = if kept == Kept::Failed { self.give_up_for(batch) } else { None };
            let Some(lesser) = lesser else { break kept };
            given_up.extend(lesser);
        };
        self.segments_mut().any(|segment| segment.leave_alone(&batch.id));
        Parked { kept, given_up }
    }

    /// Whether there is something to [fetch](Self::fetch).
    pub(super) fn has_more(&self) -> bool {
        self.segments().any(Segment::has_more)
    }

    /// Whether nothing in here is needed any more.
    pub(super) fn is_done(&self) -> bool {
        self.segments().all(Segment::is_done)
    }

    /// Reads again what is in here alone, oldest first, up to `bytes_max`, and one batch at the least. Each of them
    /// comes back by [`Self::park`] or is [settled](Self::settle).
    pub(super) fn fetch(&mut self, bytes_max: usize) -> Fetched {
        let mut fetched = Fetched::default();
        let mut bytes = 0;
        for segment in self.heirlooms.iter_mut().chain(&mut self.own) {
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
        self.tidy();
        fetched
    }

    /// The batch is acknowledged or given up. A file of which nothing is needed goes.
    pub(super) fn settle(&mut self, id: &BatchId) {
        if self.segments_mut().any(|segment| segment.settle(id)) {
            self.tidy();
        }
    }

    /// A fault has made away with what was in memory: what is in here is in here alone then. Returns it, without bytes.
    pub(super) fn recall(&mut self, is_in_memory: impl Fn(&BatchId) -> bool) -> Vec<Sealed> {
        self.segments_mut().flat_map(|segment| segment.leave_all_alone_but(&is_in_memory)).collect()
    }

    /// The sandbox ends: of what is done no file stays behind.
    pub(super) fn close(&mut self) {
        for segment in self.own.extract_if(.., |segment| segment.is_done()) {
            segment.remove();
        }
    }
}

impl Journal {
    fn append(&mut self, batch: &Sealed, now: Timestamp) -> io::Result<Kept> {
        let frame = letter::frame(&self.letter(batch, now));
        let reserved = if batch.is_account() { 0 } else { LAST_WORD_BYTES.min(self.bytes_max / SEGMENTS) };
        let letters: usize = self.segments().map(Segment::len).sum();
        let begun = (letter::HEAD.len() + frame.len()) as u64;
        if letters >= LETTERS_MAX || self.bytes().saturating_add(begun + reserved) > self.bytes_max {
            // There is room again when the stream takes something.
            return Ok(Kept::Failed);
        }
        let grain = self.bytes_max / SEGMENTS;
        let is_open = |segment: &&mut Segment| {
            segment.worth() == batch.worth && !segment.is_torn() && segment.bytes() < grain
        };
        if let Some(open) = self.own.iter_mut().rev().find(is_open) {
            open.append(batch, &frame)?;
        } else {
            self.begin(batch.worth)?.append(batch, &frame)?;
        }
        self.failures = 0;
        Ok(Kept::Written)
    }

    fn begin(&mut self, worth: Worth) -> io::Result<&mut Segment> {
        self.begun += 1;
        let (file, path) = self.directory.create(&format!("{}-{}", self.sandbox, self.begun))?;
        self.own.push(Segment::begin(file, path, worth)?);
        self.look();
        self.own.last_mut().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn letter(&self, batch: &Sealed, now: Timestamp) -> Letter {
        Letter {
            at: now,
            id: batch.id.clone(),
            events: batch.events,
            stream: self.stream.clone(),
            reason: String::new(),
            data: batch.data.clone(),
        }
    }

    /// Takes away the oldest file of the least worth, if that is not worth more than the batch, and if the batch can have
    /// room at all. What former lives have left is never given up: nobody would count it.
    fn give_up_for(&mut self, batch: &Sealed) -> Option<Vec<Sealed>> {
        let others = self.heirlooms.iter().map(Segment::bytes).fold(self.strange_bytes, u64::saturating_add);
        let needed = batch.data.len() as u64 + 2 * LAST_WORD_BYTES.min(self.bytes_max / SEGMENTS);
        if others.saturating_add(needed) > self.bytes_max {
            return None;
        }
        let used = (0..self.own.len()).filter(|at| self.own.get(*at).is_some_and(|own| own.len() > 0));
        let least = used.min_by_key(|at| self.own.get(*at).map(Segment::worth))?;
        let is_less = self.own.get(least).is_some_and(|own| own.worth() <= batch.worth);
        is_less.then(|| self.own.remove(least).remove())
    }

    fn bytes(&self) -> u64 {
        self.segments().map(Segment::bytes).fold(self.strange_bytes, u64::saturating_add)
    }

    /// Sees what others have in the directory.
    fn look(&mut self) {
        let ours: u64 = self.segments().map(Segment::bytes).sum();
        self.strange_bytes = self.directory.bytes().saturating_sub(ours);
    }

    /// Takes away what is done; the newest file of our own is emptied and used again.
    fn tidy(&mut self) {
        let inherited = self.heirlooms.len();
        for done in self.heirlooms.extract_if(.., |segment| segment.is_done()) {
            done.remove();
        }
        if inherited > 0 && self.heirlooms.is_empty() {
            // There may have been more of them than are read at a time.
            self.inherit();
        }
        let mut done: Vec<Segment> = self.own.extract_if(.., |segment| segment.is_done()).collect();
        if self.own.is_empty()
            && let Some(mut last) = done.pop()
        {
            if last.clear().is_ok() {
                self.own.push(last);
            } else {
                last.remove();
            }
        }
        for segment in done {
            segment.remove();
        }
    }

    fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.heirlooms.iter().chain(&self.own)
    }

    fn segments_mut(&mut self) -> impl Iterator<Item = &mut Segment> {
        self.heirlooms.iter_mut().chain(&mut self.own)
    }
}

fn sealed(letter: Letter, worth: Worth) -> Sealed {
    Sealed { id: letter.id, events: letter.events, worth, data: letter.data }
}

#[cfg(test)]
mod tests;
