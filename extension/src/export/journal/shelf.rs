//! The journal's files, this sandbox's own and those of its former lives, and the room that everything in the directory
//! may take. Of what stands in them it knows worth and size.

use std::io;

use pipeline::batch::{Sealed, Worth};
use wire::letter;

use super::Place;
use super::directory::Directory;
use super::segment::Segment;

/// Files of sandboxes that died before this one are read so many at a time.
pub(super) const HEIRLOOMS_MAX: usize = 16;
/// A file takes this part of the whole: the grain in which room is given back.
const SEGMENTS: u64 = 16;
/// Room for a sandbox's last word, where others find none.
const LAST_WORD_BYTES: u64 = 4_096;

/// All of them.
pub(super) struct Shelf {
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
}

impl Shelf {
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
        }
    }

    /// Where it is.
    pub(super) fn place(&self) -> impl std::fmt::Display {
        self.directory.path().display()
    }

    /// Where all its batches go.
    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// Whether there is to be anything at all.
    pub(super) fn is_wanted(&self) -> bool {
        self.bytes_max > 0
    }

    /// Finds what former lives have left for the same stream. Files of sandboxes that live are not touched, and what is
    /// no journal or another stream's is left alone: it only takes its room.
    pub(super) fn inherit(&mut self) {
        if !self.is_wanted() {
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

    /// Oldest first.
    pub(super) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.heirlooms.iter().chain(&self.own)
    }

    /// Oldest first.
    pub(super) fn segments_mut(&mut self) -> impl Iterator<Item = &mut Segment> {
        self.heirlooms.iter_mut().chain(&mut self.own)
    }

    /// Whether the batch has room, of which `frame` is the letter.
    pub(super) fn has_room(&self, batch: &Sealed, frame: &[u8]) -> bool {
        let reserved = if batch.is_account() { 0 } else { self.reserved() };
        let needed = (letter::HEAD.len() + frame.len()) as u64 + reserved;
        self.bytes().saturating_add(needed) <= self.bytes_max
    }

    /// The file to which batches of this worth are added.
    pub(super) fn open(&mut self, worth: Worth) -> io::Result<&mut Segment> {
        let grain = self.bytes_max / SEGMENTS;
        let is_open =
            |segment: &Segment| segment.worth() == worth && !segment.is_torn() && segment.bytes() < grain;
        let at = match self.own.iter().rposition(is_open) {
            Some(at) => at,
            None => self.begin(worth)?,
        };
        self.own.get_mut(at).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn begin(&mut self, worth: Worth) -> io::Result<usize> {
        self.begun += 1;
        let (file, path) = self.directory.create(&format!("{}-{}", self.sandbox, self.begun))?;
        self.own.push(Segment::begin(file, path, worth)?);
        self.look();
        Ok(self.own.len() - 1)
    }

    /// Takes away the oldest file of the least worth, if that is not worth more than the batch, and if the batch can have
    /// room at all. What former lives have left is never given up: nobody would count it.
    pub(super) fn give_up_for(&mut self, batch: &Sealed) -> Option<Vec<Sealed>> {
        let others = self.heirlooms.iter().map(Segment::bytes).fold(self.strange_bytes, u64::saturating_add);
        let needed = batch.data.len() as u64 + 2 * self.reserved();
        if others.saturating_add(needed) > self.bytes_max {
            return None;
        }
        let used = (0..self.own.len()).filter(|at| self.own.get(*at).is_some_and(|own| own.len() > 0));
        let least = used.min_by_key(|at| self.own.get(*at).map(Segment::worth))?;
        let is_less = self.own.get(least).is_some_and(|own| own.worth() <= batch.worth);
        is_less.then(|| self.own.remove(least).remove())
    }

    /// Of everything in the directory.
    pub(super) fn bytes(&self) -> u64 {
        self.segments().map(Segment::bytes).fold(self.strange_bytes, u64::saturating_add)
    }

    /// Sees what others have in the directory.
    fn look(&mut self) {
        let ours: u64 = self.segments().map(Segment::bytes).sum();
        self.strange_bytes = self.directory.bytes().saturating_sub(ours);
    }

    /// Takes away what is done; the newest file of our own is emptied and used again.
    pub(super) fn tidy(&mut self) {
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

    /// The sandbox ends: of what is done no file stays behind.
    pub(super) fn close(&mut self) {
        for segment in self.own.extract_if(.., |segment| segment.is_done()) {
            segment.remove();
        }
    }

    fn reserved(&self) -> u64 {
        LAST_WORD_BYTES.min(self.bytes_max / SEGMENTS)
    }
}
