//! One file of letters: batches are appended, read again one at a time, and gone with the file once none of them is
//! needed. Nothing in it is ever changed: it is as good after a kill as before it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use model::BatchId;
use pipeline::batch::{Sealed, Worth};
use wire::letter::{self, FRAME_HEAD_BYTES, Letter};

/// A stream record has 10 MiB at the most: a longer frame is a damaged length.
const FRAME_BYTES_MAX: u64 = 11 * 1_024 * 1_024;

/// A file that nobody else reads: it is locked for as long as it is open.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    path: PathBuf,
    /// Whole frames end here.
    bytes: u64,
    /// Frames before this place are in `letters`, or done with.
    read_to: u64,
    letters: BTreeMap<BatchId, Slot>,
    /// Of all that is in it.
    worth: Worth,
    /// Half a frame stands at its end, and cannot be taken away.
    torn: bool,
}

/// A letter that is still needed.
#[derive(Debug)]
struct Slot {
    at: u64,
    bytes: usize,
    events: u64,
    /// It is nowhere else.
    alone: bool,
}

impl Segment {
    /// For batches of this worth. A file that cannot be begun is taken away again.
    pub(super) fn begin(mut file: File, path: PathBuf, worth: Worth) -> io::Result<Self> {
        if let Err(error) = file.write_all(letter::HEAD) {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        let bytes = letter::HEAD.len() as u64;
        Ok(Self { file, path, bytes, read_to: bytes, letters: BTreeMap::new(), worth, torn: false })
    }

    /// One that a former life has left; none if it is of another kind.
    pub(super) fn open(file: File, path: PathBuf) -> Option<Self> {
        let bytes = file.metadata().ok()?.len();
        let mut head = *letter::HEAD;
        if bytes > 0 {
            file.read_exact_at(&mut head, 0).ok()?;
        }
        let read_to = letter::HEAD.len() as u64;
        let (letters, worth) = (BTreeMap::new(), Worth::Mixed);
        (head == *letter::HEAD).then_some(Self { file, path, bytes, read_to, letters, worth, torn: false })
    }

    /// Where its batches were to go, all of them to the same; none if it holds nothing that can be read.
    pub(super) fn stream(&mut self) -> Option<String> {
        let first = self.next_unread();
        (self.read_to, self.letters) = (letter::HEAD.len() as u64, BTreeMap::new());
        first.map(|letter| letter.stream)
    }

    /// Its size, as far as it is whole.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Of all that is in it.
    pub(super) fn worth(&self) -> Worth {
        self.worth
    }

    /// Whether nothing may be added any more.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }

    /// How many batches in it are still needed, as far as it has been read.
    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Whether the batch is in it and needed.
    pub(super) fn holds(&self, id: &BatchId) -> bool {
        self.letters.contains_key(id)
    }

    /// Whether nothing in it is needed any more.
    pub(super) fn is_done(&self) -> bool {
        self.letters.is_empty() && self.read_to >= self.bytes
    }

    /// Whether something is in it and nowhere else.
    pub(super) fn has_more(&self) -> bool {
        self.read_to < self.bytes || self.letters.values().any(|slot| slot.alone)
    }

    /// Adds a batch, of which `frame` is the letter.
    pub(super) fn append(&mut self, batch: &Sealed, frame: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(frame) {
            // Half a frame must not stand before the next one.
            self.torn = self.file.set_len(self.bytes).is_err();
            return Err(error);
        }
        let slot = Slot { at: self.bytes, bytes: frame.len(), events: batch.events, alone: false };
        self.bytes += frame.len() as u64;
        self.read_to = self.bytes;
        self.letters.insert(batch.id.clone(), slot);
        Ok(())
    }

    /// From now on the batch is in this file alone; false if it is not in it.
    pub(super) fn leave_alone(&mut self, id: &BatchId) -> bool {
        let slot = self.letters.get_mut(id);
        slot.map(|slot| slot.alone = true).is_some()
    }

    /// What is in this file, and not in memory, is in this file alone; returns what that is new of, without bytes.
    pub(super) fn leave_all_alone_but(&mut self, is_in_memory: impl Fn(&BatchId) -> bool) -> Vec<Sealed> {
        let worth = self.worth;
        let lost = self.letters.iter_mut().filter(|(id, slot)| !slot.alone && !is_in_memory(id));
        lost.map(|(id, slot)| {
            slot.alone = true;
            Sealed { id: id.clone(), events: slot.events, worth, data: Vec::new() }
        })
        .collect()
    }

    /// The next batch that is in this file alone, or what is known of one that cannot be read; none if there is no
    /// more. It stays in the file until it is [settled](Self::settle).
    pub(super) fn next(&mut self) -> Option<Result<Letter, Sealed>> {
        if let Some((id, slot)) = self.letters.iter_mut().find(|(_, slot)| slot.alone) {
            slot.alone = false;
            let (id, at, bytes, events) = (id.clone(), slot.at, slot.bytes, slot.events);
            let frame = read(&self.file, at, bytes as u64);
            return Some(frame.and_then(|frame| letter::unframe(&frame)).ok_or_else(|| {
                self.letters.remove(&id);
                Sealed { id, events, worth: self.worth, data: Vec::new() }
            }));
        }
        self.next_unread().map(Ok)
    }

    /// The next whole frame that a former life has written. A damaged one costs itself.
    fn next_unread(&mut self) -> Option<Letter> {
        while self.read_to < self.bytes {
            let at = self.read_to;
            let mut head = [0; FRAME_HEAD_BYTES];
            let is_read = self.file.read_exact_at(&mut head, at).is_ok();
            let length = letter::frame_bytes(&head);
            if !is_read || length > FRAME_BYTES_MAX || at + length > self.bytes {
                // Its writer was killed while it wrote this.
                self.read_to = self.bytes;
                return None;
            }
            self.read_to += length;
            let frame = read(&self.file, at, length)?;
            if let Some(letter) = letter::unframe(&frame) {
                let slot = Slot { at, bytes: frame.len(), events: letter.events, alone: false };
                self.letters.insert(letter.id.clone(), slot);
                return Some(letter);
            }
        }
        None
    }

    /// The batch is needed no more; false if it was not in here.
    pub(super) fn settle(&mut self, id: &BatchId) -> bool {
        self.letters.remove(id).is_some()
    }

    /// Makes room in a file of which nothing is needed.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let bytes = letter::HEAD.len() as u64;
        if self.bytes > bytes {
            self.file.set_len(bytes)?;
        }
        (self.bytes, self.read_to) = (bytes, bytes);
        Ok(())
    }

    /// Takes the file away; returns what was in it alone, without bytes.
    pub(super) fn remove(self) -> Vec<Sealed> {
        let _ = std::fs::remove_file(&self.path);
        let alone = self.letters.into_iter().filter(|(_, slot)| slot.alone);
        let worth = self.worth;
        alone.map(|(id, slot)| Sealed { id, events: slot.events, worth, data: Vec::new() }).collect()
    }
}

fn read(file: &File, at: u64, bytes: u64) -> Option<Vec<u8>> {
    let mut frame = vec![0; usize::try_from(bytes).ok()?];
    file.read_exact_at(&mut frame, at).ok()?;
    Some(frame)
}
