//! One file of letters: opened, locked, read whole; what is in each batch, and what became of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wire::{Letter, Limits};

use crate::exit::Refused;

/// A journal has 512 MiB at the most.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// The dataset of delivery accounts, which are nobody's events.
const ACCOUNTS: &str = "limelight";

/// A file, and what became of its batches.
#[derive(Debug)]
pub(super) struct LetterFile {
    pub(super) path: PathBuf,
    pub(super) batches: Vec<Batch>,
    /// Frames that cannot be read.
    pub(super) damaged: usize,
    /// Bytes at the end that are no whole frame: its writer was killed while it wrote.
    pub(super) torn_bytes: usize,
    pub(super) removed: bool,
    /// Held while we send: another extension in the same place must not send the same. None: its owner lives.
    lock: Option<File>,
}

/// One batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) letter: Letter,
    /// Whose events it carries.
    pub(super) namespaces: Vec<String>,
    pub(super) state: State,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing yet.
    Waiting,
    /// The stream has it.
    Sent,
    /// The store had it already.
    Stored,
    /// The stream did not take it, for this reason.
    Failed(String),
    /// Nobody could read it, for this reason: it is not sent.
    Unreadable(String),
}

impl State {
    /// As in the JSON.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Stored => "stored",
            Self::Failed(_) => "failed",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Why, where there is a reason.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(why) | Self::Unreadable(why) => Some(why),
            Self::Waiting | Self::Sent | Self::Stored => None,
        }
    }
}

impl LetterFile {
    /// Opens and reads it.
    ///
    /// # Errors
    /// When it cannot be read, or is another kind of file.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = File::open(path).with_context(|| format!("{shown} cannot be read"))?;
        let is_ours = file.try_lock().is_ok();
        let bytes_max = FILE_BYTES_MAX;
        let mut bytes = Vec::new();
        let read = (&mut file).take(bytes_max + 1).read_to_end(&mut bytes);
        if read.with_context(|| format!("{shown} cannot be read"))? as u64 > bytes_max {
            return Err(Refused::usage(format!("{shown} is larger than any file of letters")).into());
        }
        let found = wire::letter::read(&bytes).map_err(|error| {
            Refused::usage(format!("{shown} is {error}; journals and dead letters end in .letters"))
        })?;
        Ok(Self {
            path: path.to_owned(),
            batches: found.letters.into_iter().map(Batch::of).collect(),
            damaged: found.damaged,
            torn_bytes: found.torn_bytes,
            removed: false,
            lock: is_ours.then_some(file),
        })
    }

    /// Whether the sandbox that writes it still runs; it sends these batches itself.
    pub(super) fn is_in_use(&self) -> bool {
        self.lock.is_none()
    }

    /// What is to be sent.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Letter> {
        self.batches.iter().filter(|batch| batch.state == State::Waiting).map(|batch| &batch.letter)
    }

    /// Whether nothing in it is needed any more.
    pub(super) fn is_done(&self) -> bool {
        let safe = |batch: &Batch| matches!(batch.state, State::Sent | State::Stored);
        !self.is_in_use() && self.damaged == 0 && self.batches.iter().all(safe)
    }

    /// Removes it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn remove(&mut self) -> anyhow::Result<()> {
        let shown = self.path.display().to_string();
        std::fs::remove_file(&self.path).with_context(|| format!("{shown} cannot be removed"))?;
        self.removed = true;
        Ok(())
    }
}

impl Batch {
    fn of(letter: Letter) -> Self {
        let record = letter.id.to_string();
        let context =
            wire::Context { record: &record, arrived_at: letter.at, read_line: wire::printed::as_text };
        let (namespaces, state) = match wire::decode(&letter.data, &context, &Limits::default()) {
            Ok(decoded) => {
                let events = decoded.events.into_iter().filter(|event| event.dataset != ACCOUNTS);
                let namespaces: BTreeSet<String> = events.map(|event| event.namespace).collect();
                (namespaces.into_iter().collect(), State::Waiting)
            }
            Err(error) => (Vec::new(), State::Unreadable(error.to_string())),
        };
        Self { letter, namespaces, state }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use model::{BatchId, Timestamp};

    /// A letter whose record is a JSON event: what can be read without an extension.
    pub(in crate::command::replay) fn letter(sequence: u64, data: &[u8]) -> Letter {
        Letter {
            at: Timestamp::from_millis(1_763_640_000_000),
            id: BatchId { sandbox: "5a".repeat(16), sequence },
            events: 1,
            stream: "telemetry".to_owned(),
            reason: String::new(),
            data: data.to_vec(),
        }
    }

    /// A file with these letters.
    pub(in crate::command::replay) fn written(folder: &Path, letters: &[Letter]) -> PathBuf {
        let path = folder.join("a.letters");
        let frames = letters.iter().flat_map(wire::letter::frame);
        std::fs::write(&path, wire::letter::HEAD.iter().copied().chain(frames).collect::<Vec<u8>>()).unwrap();
        path
    }

    #[test]
    fn a_file_says_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let letters = [letter(0, br#"{"namespace": "orders", "message": "a"}"#), letter(1, b"\xff\xff")];
        let file = LetterFile::open(&written(folder.path(), &letters)).unwrap();
        assert!(!file.is_in_use() && file.waiting().count() == 1);
        assert_eq!(file.batches[0].namespaces, ["orders"]);
        assert_eq!(file.batches[1].state.as_str(), "unreadable");
    }

    #[test]
    fn a_file_whose_owner_lives_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), &[]);
        let owner = File::open(&path).unwrap();
        owner.try_lock().unwrap();
        assert!(LetterFile::open(&path).unwrap().is_in_use());
        drop(owner);
        assert!(!LetterFile::open(&path).unwrap().is_in_use());
    }

    #[test]
    fn it_is_done_when_every_batch_is_safe() {
        let folder = tempfile::tempdir().unwrap();
        let mut file =
            LetterFile::open(&written(folder.path(), &[letter(0, b"{}"), letter(1, b"{}")])).unwrap();
        assert!(!file.is_done());
        file.batches[0].state = State::Sent;
        file.batches[1].state = State::Stored;
        assert!(file.is_done());
        file.damaged = 1;
        assert!(!file.is_done(), "somebody may want to look");
        file.remove().unwrap();
        assert!(!file.path.exists());
    }

    #[test]
    fn another_kind_of_file_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"functions\": []}").unwrap();
        let error = LetterFile::open(file.path()).unwrap_err().to_string();
        assert!(error.contains("no file of letters"), "{error}");
    }
}
