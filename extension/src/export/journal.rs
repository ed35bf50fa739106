//! Batches that are not acknowledged, kept on the sandbox's disk in case the extension is killed: appended before a
//! freeze may happen, read again by the next extension in the same sandbox. What stands here has been scrubbed.
//! Nothing that the disk does fails anything: it is counted.

mod directory;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use model::{BatchId, Timestamp};
use pipeline::batch::{Sealed, Worth};
use wire::letter::{self, Letter};

use directory::Directory;

use crate::notice;

/// A disk that failed so often in a row is left alone.
const FAILURES_MAX: u32 = 5;
/// Sandboxes that died before this one, in the same place. More are left for the next.
const HEIRLOOMS_MAX: usize = 16;

/// How the journal is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A directory of its own; it is made when it is needed.
    pub directory: PathBuf,
    /// The file grows to this size at the most; with 0 there is no journal.
    pub bytes_max: usize,
}

/// What became of a batch that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is on the disk now.
    Written,
    /// It is there already, or there is no journal.
    Nothing,
    /// The disk, or its share of it, is full, or cannot be written.
    Failed,
}

/// This sandbox's file, and those of its former lives.
pub(super) struct Journal {
    directory: Directory,
    bytes_max: usize,
    sandbox: String,
    stream: String,
    file: Option<OwnFile>,
    failures: u32,
    /// The first failure has been said.
    told: bool,
    heirlooms: Vec<Heirloom>,
}

struct OwnFile {
    file: File,
    path: PathBuf,
    bytes: usize,
    pending: BTreeSet<BatchId>,
}

/// A former life's file; locked, so that nobody else reads it.
struct Heirloom {
    _file: File,
    path: PathBuf,
    pending: BTreeSet<BatchId>,
}

impl Journal {
    /// Touches no disk.
    pub(super) fn new(place: Place, sandbox: String, stream: String) -> Self {
        Self {
            directory: Directory::new(place.directory),
            bytes_max: place.bytes_max,
            sandbox,
            stream,
            file: None,
            failures: 0,
            told: false,
            heirlooms: Vec::new(),
        }
    }

    /// What former lives have left for the same stream, oldest first. Files of sandboxes that live are not touched,
    /// and what cannot be read is left alone.
    pub(super) fn inherit(&mut self) -> Vec<Sealed> {
        let mut inherited = Vec::new();
        if self.bytes_max == 0 {
            return inherited;
        }
        for (mut file, path) in self.directory.left_behind().into_iter().take(HEIRLOOMS_MAX) {
            let Some(letters) = read(&mut file, self.bytes_max) else { continue };
            let (ours, others): (Vec<Letter>, Vec<_>) =
                letters.into_iter().partition(|letter| letter.stream == self.stream);
            if !others.is_empty() {
                continue;
            }
            if ours.is_empty() {
                let _ = std::fs::remove_file(&path);
                continue;
            }
            let pending = ours.iter().map(|letter| letter.id.clone()).collect();
            self.heirlooms.push(Heirloom { _file: file, path, pending });
            inherited.extend(ours.into_iter().map(sealed));
        }
        inherited
    }

    /// Writes the batch, unless it is there already.
    pub(super) fn keep(&mut self, batch: &Sealed, now: Timestamp) -> Kept {
        let known = |pending: &BTreeSet<BatchId>| pending.contains(&batch.id);
        if self.bytes_max == 0
            || self.failures >= FAILURES_MAX
            || self.file.as_ref().is_some_and(|file| known(&file.pending))
            || self.heirlooms.iter().any(|heirloom| known(&heirloom.pending))
        {
            return Kept::Nothing;
        }
        match self.append(batch, now) {
            Ok(Kept::Written) => {
                self.failures = 0;
                Kept::Written
            }
            Ok(other) => other,
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

    fn append(&mut self, batch: &Sealed, now: Timestamp) -> io::Result<Kept> {
        let frame = letter::frame(&self.letter(batch, now));
        if self.file.is_none() {
            let (mut file, path) = self.directory.create(&self.sandbox)?;
            file.write_all(letter::HEAD)?;
            self.file = Some(OwnFile { file, path, bytes: letter::HEAD.len(), pending: BTreeSet::new() });
        }
        let Some(own) = &mut self.file else { return Ok(Kept::Nothing) };
        if own.bytes + frame.len() > self.bytes_max {
            own.compact(self.bytes_max)?;
        }
        if own.bytes + frame.len() > self.bytes_max {
            // There is room again when the stream takes something.
            return Ok(Kept::Failed);
        }
        if let Err(error) = own.file.write_all(&frame) {
            // Half a frame must not stand before the next one.
            let _ = own.cut(own.bytes);
            return Err(error);
        }
        own.bytes += frame.len();
        own.pending.insert(batch.id.clone());
        Ok(Kept::Written)
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

    /// The batch is acknowledged or given up. A file without pending batches goes.
    pub(super) fn settle(&mut self, id: &BatchId) {
        if let Some(own) = &mut self.file
            && own.pending.remove(id)
            && own.pending.is_empty()
            && own.cut(letter::HEAD.len()).is_err()
        {
            // What stands in it is known to the reader of the stream already.
            self.forget();
        }
        self.heirlooms.retain_mut(|heirloom| {
            heirloom.pending.remove(id);
            let done = heirloom.pending.is_empty();
            if done {
                let _ = std::fs::remove_file(&heirloom.path);
            }
            !done
        });
    }

    /// The sandbox ends: without anything pending no file stays behind.
    pub(super) fn close(&mut self) {
        if self.file.as_ref().is_some_and(|own| own.pending.is_empty()) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        if let Some(own) = self.file.take() {
            let _ = std::fs::remove_file(&own.path);
        }
    }
}

impl OwnFile {
    fn cut(&mut self, bytes: usize) -> io::Result<()> {
        self.file.set_len(bytes as u64)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Makes room by writing anew what is still pending.
    fn compact(&mut self, bytes_max: usize) -> io::Result<()> {
        let letters = read(&mut self.file, bytes_max).unwrap_or_default();
        let pending = letters.iter().filter(|letter| self.pending.contains(&letter.id));
        let frames: Vec<u8> = pending.flat_map(letter::frame).collect();
        if letter::HEAD.len() + frames.len() < self.bytes {
            self.cut(letter::HEAD.len())?;
            self.file.write_all(&frames)?;
            self.bytes += frames.len();
        }
        Ok(())
    }
}

/// None for what is no journal, or larger than one may be.
fn read(file: &mut File, bytes_max: usize) -> Option<Vec<Letter>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() > bytes_max {
        return None;
    }
    Some(letter::read(&bytes).ok()?.letters)
}

fn sealed(letter: Letter) -> Sealed {
    Sealed { id: letter.id, events: letter.events, worth: Worth::Mixed, data: letter.data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn batch(sandbox: &str, sequence: u64, bytes: usize) -> Sealed {
        let id = BatchId { sandbox: sandbox.to_owned(), sequence };
        Sealed { id, events: 2, worth: Worth::Mixed, data: vec![7; bytes] }
    }

    fn journal(base: &Path, sandbox: &str) -> Journal {
        let place = Place { directory: base.join("limelight"), bytes_max: 1_000 };
        Journal::new(place, sandbox.to_owned(), "telemetry".to_owned())
    }

    fn sequences(batches: &[Sealed]) -> Vec<u64> {
        batches.iter().map(|batch| batch.id.sequence).collect()
    }

    fn files(base: &Path) -> usize {
        std::fs::read_dir(base.join("limelight")).map_or(0, Iterator::count)
    }

    #[test]
    fn what_a_killed_extension_has_left_comes_back_as_it_was_until_it_is_settled() {
        let base = tempfile::tempdir().unwrap();
        let mut killed = journal(base.path(), "a");
        let batches = [batch("a", 0, 100), batch("a", 1, 100)];
        for batch in &batches {
            assert_eq!(killed.keep(batch, Timestamp::EPOCH), Kept::Written);
            assert_eq!(killed.keep(batch, Timestamp::EPOCH), Kept::Nothing, "once is enough");
        }
        drop(killed);
        let mut heir = journal(base.path(), "b");
        assert_eq!(heir.inherit(), batches);
        assert_eq!(heir.keep(&batches[0], Timestamp::EPOCH), Kept::Nothing, "it is on the disk already");
        heir.settle(&batches[0].id);
        assert_eq!(files(base.path()), 1);
        heir.settle(&batches[1].id);
        assert_eq!(files(base.path()), 0);
    }

    #[test]
    fn the_journal_of_a_sandbox_that_lives_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let mut alive = journal(base.path(), "a");
        alive.keep(&batch("a", 0, 100), Timestamp::EPOCH);
        assert!(journal(base.path(), "b").inherit().is_empty());
        drop(alive);
        assert_eq!(journal(base.path(), "b").inherit().len(), 1);
    }

    #[test]
    fn another_streams_batches_are_not_sent_to_this_one() {
        let base = tempfile::tempdir().unwrap();
        journal(base.path(), "a").keep(&batch("a", 0, 100), Timestamp::EPOCH);
        let mut other = journal(base.path(), "b");
        other.stream = "another".to_owned();
        assert!(other.inherit().is_empty());
        assert_eq!(files(base.path()), 1);
    }

    #[test]
    fn it_is_bounded_makes_room_of_what_is_settled_and_is_full_then() {
        let base = tempfile::tempdir().unwrap();
        let mut full = journal(base.path(), "a");
        let keep =
            |journal: &mut Journal, sequence| journal.keep(&batch("a", sequence, 220), Timestamp::EPOCH);
        assert_eq!([0, 1, 2].map(|sequence| keep(&mut full, sequence)), [Kept::Written; 3]);
        assert_eq!(keep(&mut full, 3), Kept::Failed);
        full.settle(&batch("a", 1, 0).id);
        assert_eq!(keep(&mut full, 3), Kept::Written);
        drop(full);
        assert_eq!(sequences(&journal(base.path(), "b").inherit()), [0, 2, 3]);
    }

    #[test]
    fn when_all_is_settled_the_file_is_empty_and_goes_with_the_sandbox() {
        let base = tempfile::tempdir().unwrap();
        let mut journal = journal(base.path(), "a");
        journal.keep(&batch("a", 0, 900), Timestamp::EPOCH);
        journal.settle(&batch("a", 0, 0).id);
        assert_eq!(journal.keep(&batch("a", 1, 900), Timestamp::EPOCH), Kept::Written, "there is room again");
        journal.settle(&batch("a", 1, 0).id);
        journal.close();
        assert_eq!(files(base.path()), 0);
    }

    #[test]
    fn only_the_function_itself_can_read_it() {
        let base = tempfile::tempdir().unwrap();
        let mut journal = journal(base.path(), "a");
        journal.keep(&batch("a", 0, 10), Timestamp::EPOCH);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let directory = base.path().join("limelight");
        assert_eq!((mode(&directory), mode(&directory.join("a.letters"))), (0o700, 0o600));
    }

    #[test]
    fn a_disk_that_cannot_be_written_is_a_failure_and_then_left_alone() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join("limelight"), "a file where the directory should be").unwrap();
        let mut journal = journal(base.path(), "a");
        assert!(journal.inherit().is_empty());
        for _ in 0..FAILURES_MAX {
            assert_eq!(journal.keep(&batch("a", 0, 10), Timestamp::EPOCH), Kept::Failed);
        }
        assert_eq!(journal.keep(&batch("a", 0, 10), Timestamp::EPOCH), Kept::Nothing);
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), base.path().join("limelight")).unwrap();
        let mut journal = journal(base.path(), "a");
        assert_eq!(journal.keep(&batch("a", 0, 10), Timestamp::EPOCH), Kept::Failed);
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_torn_tail_costs_what_was_being_written() {
        let base = tempfile::tempdir().unwrap();
        let mut killed = journal(base.path(), "a");
        killed.keep(&batch("a", 0, 100), Timestamp::EPOCH);
        killed.keep(&batch("a", 1, 100), Timestamp::EPOCH);
        drop(killed);
        let path = base.path().join("limelight/a.letters");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
        assert_eq!(sequences(&journal(base.path(), "b").inherit()), [0]);
    }
}
