//! What could not be read or written, and the way back: records ↔ files of letters (`wire::letter`) in the store.
//! Ingest puts them away; `limelight dlq` lists, shows and replays them.
//!
//! A replayed letter is committed under its own identity and never against its shard's watermark, which has long
//! passed it: each letter is a shard of one record, so that whatever is replayed twice stands once.

use std::collections::HashSet;

use bytes::Bytes;
use model::BatchId;
use store::{LetterFile, SequenceNumber, SequencedRecord, ShardSlice, StoreError};
use wire::letter::{self, Letter};

use crate::companion::Companion;
use crate::ingest::{Unreadable, chain, read};

/// The stream under which replayed letters are committed, one shard for each.
const STREAM: &str = "dead-letters";

/// A letter and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The letter.
    pub letter: Letter,
    /// The file that holds it, with others perhaps.
    pub file: LetterFile,
}

/// Letters, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    /// Each once, also where a retry has written it to two files.
    pub letters: Vec<Kept>,
    /// Frames and files that are damaged.
    pub damaged: usize,
    /// Files that were not read because there were enough.
    pub files_left: usize,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// Its events are committed.
    Taken {
        /// How many.
        events: u64,
    },
    /// All of it stood there already.
    Standing,
    /// It can still not be read or written; it stays.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Companion {
    /// Puts records away, as one file: a thousand bad records are one request.
    pub(crate) async fn put_away(
        &self,
        stream: &str,
        shard: &str,
        unreadable: &[Unreadable],
    ) -> Result<(), StoreError> {
        let Some(first) = unreadable.first() else { return Ok(()) };
        let mut file = letter::HEAD.to_vec();
        for record in unreadable {
            tracing::warn!(stream, shard, sequence = %record.sequence, reason = record.reason, "a record is put away");
            file.extend(letter::frame(&Letter {
                at: record.arrived_at,
                id: record.batch.clone().unwrap_or_else(|| identity(shard, record.sequence)),
                events: record.events,
                stream: stream.to_owned(),
                reason: record.reason.clone(),
                data: record.data.to_vec(),
            }));
        }
        let name = format!("{stream}/{shard}/{}", first.sequence);
        self.store().put_letters(first.arrived_at, &name, file.into()).await
    }

    /// What was put away, the newest first, until there are `letters_max`.
    ///
    /// # Errors
    /// When the store fails. Damaged files are counted.
    pub async fn letters(&self, letters_max: usize) -> Result<Letters, StoreError> {
        let mut found = Letters::default();
        let mut seen = HashSet::new();
        let mut files = self.store().letter_files().await?;
        while let Some(file) = files.pop() {
            if found.letters.len() >= letters_max {
                found.files_left = files.len() + 1;
                break;
            }
            let Some(bytes) = self.store().read_letters(&file).await? else { continue };
            let Ok(read) = letter::read(&bytes) else {
                found.damaged += 1;
                continue;
            };
            found.damaged += read.damaged + usize::from(read.torn_bytes > 0);
            for letter in read.letters.into_iter().rev() {
                if seen.insert((letter.stream.clone(), letter.id.clone())) {
                    found.letters.push(Kept { letter, file: file.clone() });
                }
            }
        }
        found.letters.truncate(letters_max);
        Ok(found)
    }

    /// The letter of that id, from the newest file on; files behind it are not read, and none is held beside another.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn letter(&self, id: &str) -> Result<Option<Kept>, StoreError> {
        let mut files = self.store().letter_files().await?;
        while let Some(file) = files.pop() {
            let Some(bytes) = self.store().read_letters(&file).await? else { continue };
            let letters = letter::read(&bytes).map(|read| read.letters).unwrap_or_default();
            if let Some(letter) = letters.into_iter().find(|letter| letter.id.to_string() == id) {
                return Ok(Some(Kept { letter, file }));
            }
        }
        Ok(None)
    }

    /// Reads a letter again, as it is read today, and commits its events. It stays where it lies: see
    /// [`Companion::forget`].
    ///
    /// # Errors
    /// When the store fails; what was committed is dropped by the next try.
    pub async fn replay(&self, letter: &Letter) -> Result<Replayed, StoreError> {
        let record = letter.id.sandbox.rsplit('/').next().unwrap_or_default();
        let decoded = match read(&letter.data, record, letter.at, &self.settings().limits) {
            Ok(decoded) => decoded,
            Err(refusal) => return Ok(Replayed::Refused { reason: refusal.reason }),
        };
        let record = SequencedRecord {
            sequence: SequenceNumber::from(1),
            batch: decoded.batch,
            events: decoded.events,
        };
        let shard = format!("{}/{}", letter.stream, letter.id);
        let slice = ShardSlice { stream: STREAM.to_owned(), shard, records: vec![record] };
        match self.store().append(slice).await {
            Ok(appended) if appended.events == 0 => Ok(Replayed::Standing),
            Ok(appended) => Ok(Replayed::Taken { events: appended.events }),
            Err(error) if error.is_of_the_records() => Ok(Replayed::Refused { reason: chain(&error) }),
            Err(error) => Err(error),
        }
    }

    /// Takes letters out of the file that holds them; an empty file goes.
    ///
    /// # Errors
    /// When the store fails; the file is then as it was.
    pub async fn forget(&self, file: &LetterFile, gone: &HashSet<BatchId>) -> Result<(), StoreError> {
        let Some(bytes) = self.store().read_letters(file).await? else { return Ok(()) };
        // A damaged frame goes with the others: nobody can read it.
        let Ok(read) = letter::read(&bytes) else { return Ok(()) };
        let left = || read.letters.iter().filter(|letter| !gone.contains(&letter.id));
        let rest: Bytes = letter::HEAD.iter().copied().chain(left().flat_map(letter::frame)).collect();
        self.store().keep_letters(file, left().next().map(|_| rest)).await
    }
}

/// What names a record that told no identity, or none that could be read.
fn identity(shard: &str, sequence: SequenceNumber) -> BatchId {
    BatchId { sandbox: format!("{shard}/{sequence}"), sequence: 0 }
}
