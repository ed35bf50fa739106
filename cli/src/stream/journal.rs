//! Records on disk, in order, from the moment they are acknowledged until the store has them.
//!
//! One thread owns the files and answers commands; producers that ask at the same time share one fsync (group
//! commit), so that hundreds of small requests per second do not wait for each other's disk. Trimming removes whole
//! segments whose records the store has committed.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use bytes::Bytes;
use model::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::frame::Record;
use super::segment::Segment;
use super::sequence::Sequence;

/// A new segment begins behind this size: small, because a restart replays what the oldest one still holds.
pub const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
/// A segment that the store has whole goes early when it is larger than this share of a full one: a quiet stream
/// then has little to replay, and a busy one does not make a file for every run.
const COMMITTED_SHARE: u64 = 16;
/// Commands that wait for the journal's thread. Each append is bounded by the endpoint (5 MiB), which itself lets
/// fewer in; whoever finds the queue full waits.
const COMMANDS_MAX: usize = 256;
/// Appends that share one fsync, by bytes: enough to fill a disk's stride, little enough to answer within tens of
/// milliseconds.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How the journal behaves; the default is what `limelight dev` uses.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Size behind which a new segment begins.
    pub segment_bytes: u64,
    /// Bytes that may wait for the store; what comes above them is refused as throttled, which producers retry.
    pub held_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // A store that stands still for an hour at 250 KB/s.
        Self { segment_bytes: SEGMENT_BYTES, held_bytes_max: 1024 * 1024 * 1024 }
    }
}

/// A record before it has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// The producer's partition key, at most 256 characters.
    pub partition_key: String,
    /// The producer's bytes.
    pub data: Bytes,
}

/// Why records were not taken, or cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// More waits for the store than may.
    #[error("{held_bytes} bytes wait for the store, the journal takes no more than {max_bytes}")]
    Full {
        /// What waits.
        held_bytes: u64,
        /// What may wait.
        max_bytes: u64,
    },
    /// The file system refused (disk full, permissions).
    #[error("cannot write the journal {}: {why}", path.display())]
    Disk {
        /// The segment.
        path: PathBuf,
        /// What the file system said.
        why: String,
    },
    /// It is shutting down, or could not take back a half-written record.
    #[error("the journal takes no more records")]
    Closed,
}

/// Where the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The oldest record that is still here.
    pub oldest: Option<Sequence>,
    /// The newest record on disk.
    pub newest: Option<Sequence>,
    /// What the next record gets, or more.
    pub next: Sequence,
    /// Size of all segments.
    pub held_bytes: u64,
}

/// A handle on the journal; clones speak to the same one, which ends when all are gone.
#[derive(Debug, Clone)]
pub struct Journal {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
}

/// What opening a journal found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whole records that were there.
    pub records: u64,
    /// Bytes behind the last whole record of the newest segment, which were cut (and kept beside it).
    pub cut_bytes: u64,
    /// Bytes inside older segments that cannot be read: damage. Their segment is set aside when it is trimmed.
    pub damaged_bytes: u64,
}

enum Command {
    Append {
        records: Vec<NewRecord>,
        reply: oneshot::Sender<Result<Vec<Sequence>, JournalError>>,
    },
    Read {
        from: Sequence,
        records_max: usize,
        bytes_max: usize,
        reply: oneshot::Sender<io::Result<Vec<Record>>>,
    },
    Locate {
        time: Timestamp,
        reply: oneshot::Sender<Sequence>,
    },
    Trim {
        committed: Sequence,
        reply: oneshot::Sender<()>,
    },
}

impl Journal {
    /// Opens the journal of a directory (made if it is not there) and starts its thread.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be read or written.
    pub fn open(directory: &Path, limits: Limits, now: Timestamp) -> io::Result<(Self, Opened)> {
        let (writer, opened) = Writer::open(directory, limits, now)?;
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (publish, state) = watch::channel(writer.state());
        thread::Builder::new()
            .name("limelight-journal".to_owned())
            .spawn(move || writer.run(receiver, &publish))?;
        Ok((Self { commands, state }, opened))
    }

    /// Puts the records on disk, in order and all or none, and returns their places once they are there.
    ///
    /// # Errors
    /// When the journal is full, the disk refuses, or it is closed. Nothing of them is kept then.
    pub async fn append(&self, records: Vec<NewRecord>) -> Result<Vec<Sequence>, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Append { records, reply }).await.map_err(|_| JournalError::Closed)?;
        answer.await.map_err(|_| JournalError::Closed)?
    }

    /// Records from `from` on: at most `records_max`, and after the first at most `bytes_max` bytes. Empty at the end.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub async fn read(
        &self,
        from: Sequence,
        records_max: usize,
        bytes_max: usize,
    ) -> io::Result<Vec<Record>> {
        let closed = || io::Error::other(JournalError::Closed);
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Read { from, records_max, bytes_max, reply })
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Where the first record stands that arrived at `time` or later; the stream's end if there is none.
    pub async fn locate(&self, time: Timestamp) -> Sequence {
        let (reply, answer) = oneshot::channel();
        // A closed journal has nothing to read: its end is as good a place as any.
        let _ = self.commands.send(Command::Locate { time, reply }).await;
        answer.await.unwrap_or_else(|_| self.state().next)
    }

    /// Says that the store has everything up to and with `committed`; segments before that go. There is
    /// always a newest one: it says where the numbers go on.
    pub async fn trim(&self, committed: Sequence) {
        let (reply, answer) = oneshot::channel();
        // When the journal is closed its next opening replays a little more, and the store drops it.
        let _ = self.commands.send(Command::Trim { committed, reply }).await;
        let _ = answer.await;
    }

    /// Where the stream stands now.
    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Tells of every change of [`Journal::state`].
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }
}

/// The thread's state: it alone touches the files.
struct Writer {
    directory: PathBuf,
    limits: Limits,
    /// Oldest first; the last one takes appends. Never empty.
    segments: VecDeque<Segment>,
    next: Sequence,
    closed: bool,
}

impl Writer {
    fn open(directory: &Path, limits: Limits, now: Timestamp) -> io::Result<(Self, Opened)> {
        fs::create_dir_all(directory)?;
        let mut opened = Opened::default();
        let mut segments = VecDeque::new();
        let found = Segment::list(directory)?;
        let newest = found.len().saturating_sub(1);
        for (at, (first, path)) in found.into_iter().enumerate() {
            let mut segment = Segment::open(path, first)?;
            if at == newest {
                opened.cut_bytes = segment.cut_torn_tail()?;
            }
            opened.damaged_bytes += segment.torn_bytes();
            opened.records += segment.records();
            segments.push_back(segment);
        }
        let next = segments
            .back()
            .map(|segment| segment.last_record().map_or(segment.first(), Sequence::next))
            .unwrap_or(Sequence::from_number(0))
            .max(Sequence::first_at(now));
        if segments.is_empty() {
            segments.push_back(Segment::create(directory, next)?);
        }
        Ok((Self { directory: directory.to_owned(), limits, segments, next, closed: false }, opened))
    }

    fn run(mut self, mut commands: mpsc::Receiver<Command>, publish: &watch::Sender<State>) {
        while let Some(first) = commands.blocking_recv() {
            let mut group = Group::default();
            let mut others = Vec::new();
            let mut command = Some(first);
            while let Some(taken) = command {
                match taken {
                    Command::Append { records, reply } => group.add(records, reply),
                    other => others.push(other),
                }
                command = (group.bytes < GROUP_BYTES_MAX).then(|| commands.try_recv().ok()).flatten();
            }
            self.commit(group, publish);
            for command in others {
                self.answer(command);
            }
            publish.send_replace(self.state());
        }
    }

    /// Answers everything that is not an append. A caller that has gone away needs no answer.
    fn answer(&mut self, command: Command) {
        match command {
            Command::Append { reply, .. } => drop(reply.send(Err(JournalError::Closed))),
            Command::Read { from, records_max, bytes_max, reply } => {
                let _ = reply.send(self.read(from, records_max, bytes_max));
            }
            Command::Locate { time, reply } => {
                let found = self.segments.iter().find_map(|segment| segment.first_arrived_at(time));
                let _ = reply.send(found.unwrap_or(self.next));
            }
            Command::Trim { committed, reply } => {
                if let Err(error) = self.trim(committed) {
                    tracing::warn!(%error, "cannot remove segments of the journal that the store has committed");
                }
                let _ = reply.send(());
            }
        }
    }

    /// Writes a group with one fsync and answers each of its producers.
    fn commit(&mut self, group: Group, publish: &watch::Sender<State>) {
        if group.appends.is_empty() {
            return;
        }
        let now = Timestamp::from(std::time::SystemTime::now());
        let mut records = Vec::new();
        let mut places = Vec::new();
        let mut next = self.next;
        for (news, _) in &group.appends {
            let mut own = Vec::with_capacity(news.len());
            for new in news {
                own.push(next);
                records.push(Record {
                    sequence: next,
                    arrived_at: now,
                    partition_key: new.partition_key.clone(),
                    data: new.data.clone(),
                });
                next = next.next();
            }
            places.push(own);
        }
        let written = self.write(&records);
        if written.is_ok() {
            self.next = next;
            publish.send_replace(self.state());
        }
        for ((_, reply), own) in group.appends.into_iter().zip(places) {
            let _ = reply.send(written.clone().map(|()| own));
        }
    }

    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        if self.closed {
            return Err(JournalError::Closed);
        }
        let (held_bytes, max_bytes) = (self.held_bytes(), self.limits.held_bytes_max);
        if held_bytes > max_bytes {
            return Err(JournalError::Full { held_bytes, max_bytes });
        }
        self.roll_if_large()?;
        let Some(segment) = self.segments.back_mut() else { return Err(JournalError::Closed) };
        segment.append(records).map_err(|failed| {
            self.closed = !failed.usable;
            JournalError::Disk { path: segment.path().to_owned(), why: failed.error.to_string() }
        })
    }

    fn roll_if_large(&mut self) -> Result<(), JournalError> {
        let large = self.segments.back().is_none_or(|segment| segment.bytes() >= self.limits.segment_bytes);
        if !large {
            return Ok(());
        }
        let fresh = Segment::create(&self.directory, self.next)
            .map_err(|error| JournalError::Disk { path: self.directory.clone(), why: error.to_string() })?;
        self.segments.push_back(fresh);
        Ok(())
    }

    fn read(&self, from: Sequence, records_max: usize, bytes_max: usize) -> io::Result<Vec<Record>> {
        // A segment that holds `from` or something after it; the next one answers the next call.
        self.segments
            .iter()
            .find(|segment| segment.last_record().is_some_and(|last| last >= from))
            .map_or(Ok(Vec::new()), |segment| segment.read(from, records_max, bytes_max))
    }

    fn trim(&mut self, committed: Sequence) -> io::Result<()> {
        let gone = |segment: &Segment| segment.last_record().is_none_or(|last| last <= committed);
        while self.segments.len() > 1 && self.segments.front().is_some_and(gone) {
            if let Some(segment) = self.segments.pop_front() {
                segment.remove()?;
            }
        }
        let worth = self.limits.segment_bytes / COMMITTED_SHARE;
        if self.segments.iter().all(|segment| gone(segment) && segment.bytes() > worth) {
            // The new one first: it says where the numbers go on.
            let fresh = Segment::create(&self.directory, self.next)?;
            let whole = std::mem::replace(&mut self.segments, VecDeque::from([fresh]));
            whole.into_iter().try_for_each(Segment::remove)?;
        }
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        self.segments.iter().map(Segment::bytes).sum()
    }

    fn state(&self) -> State {
        State {
            oldest: self.segments.iter().find_map(Segment::first_record),
            newest: self.segments.iter().rev().find_map(Segment::last_record),
            next: self.next,
            held_bytes: self.held_bytes(),
        }
    }
}

/// One producer's records, and where its answer goes.
type Append = (Vec<NewRecord>, oneshot::Sender<Result<Vec<Sequence>, JournalError>>);

/// Appends that are written together.
#[derive(Default)]
struct Group {
    appends: Vec<Append>,
    bytes: usize,
}

impl Group {
    fn add(&mut self, records: Vec<NewRecord>, reply: oneshot::Sender<Result<Vec<Sequence>, JournalError>>) {
        self.bytes +=
            records.iter().map(|record| record.data.len() + record.partition_key.len()).sum::<usize>();
        self.appends.push((records, reply));
    }
}

#[cfg(test)]
mod tests;
