//! Signals in, sealed batches out: numbered, encoded, small enough for one stream record. The only place that gives
//! batches and records their numbers, so that no number is ever used twice or left out.

mod truncate;
pub(crate) mod weigh;
pub mod worth;

pub use worth::{Packing, Worth};

use std::collections::VecDeque;
use std::mem;

use model::{BatchId, Resource, Timestamp};
use wire::{Account, Batch};

use crate::Signals;
use crate::account::{Delivery, Ledger};
use crate::flush::Pending;

/// How large batches grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A batch is closed when its records weigh this much (estimated bytes before gzip).
    pub plain_bytes_max: usize,
    /// No encoded batch is larger: what is, is split, and a single event that is, is cut.
    pub record_bytes_max: usize,
}

impl Limits {
    /// Eight times gzip's window, so that it has seen all there is to learn; small enough that sealing stays in the
    /// milliseconds and a retry is cheap: log lines shrink to a tenth. As values in memory they take some times this.
    pub const PLAIN_BYTES_MAX: usize = 256 * 1024;
    /// A Kinesis stream's default record limit, data and partition key together (`MaxRecordSizeInKiB` 1024), less
    /// room for the key (AWS allows it 256 characters).
    pub const RECORD_BYTES_MAX: usize = 1024 * 1024 - 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self { plain_bytes_max: Self::PLAIN_BYTES_MAX, record_bytes_max: Self::RECORD_BYTES_MAX }
    }
}

/// One stream record, ready to be sent as often as needed: nothing in it changes any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Who made it, and which of its batches it is.
    pub id: BatchId,
    /// How many events it carries.
    pub events: u64,
    /// Which batches go before it when there is no room.
    pub worth: Worth,
    /// The encoded batch.
    pub data: Vec<u8>,
}

impl Sealed {
    /// Spreads a sandbox's batches over the stream's shards; the same for every retry, so that a reader's watermark
    /// of that shard sees both copies.
    pub fn partition_key(&self) -> String {
        self.id.to_string()
    }

    /// Whether it is a sandbox's last word, and carries nothing else.
    pub fn is_account(&self) -> bool {
        self.events == 0
    }

    /// What it costs in a request and in memory.
    pub fn bytes(&self) -> usize {
        self.data.len() + self.id.sandbox.len()
    }
}

/// Collects signals and seals them. Holds what the caller has not sealed yet; the caller bounds it by sealing
/// whenever [`crate::flush::Policy::flush`] says so.
#[derive(Debug)]
pub struct Batcher {
    sandbox: String,
    limits: Limits,
    next_sequence: u64,
    numbered: u64,
    ready: VecDeque<Ready>,
    full: VecDeque<Chunk>,
    open: Chunk,
}

/// Sealed before its time, because values take far more room than bytes.
#[derive(Debug)]
struct Ready {
    batch: Sealed,
    since: Timestamp,
}

/// What sealing needs to know of the world.
#[derive(Debug, Clone, Copy)]
pub struct Seal<'a> {
    /// Whether room is short.
    pub packing: Packing,
    /// Who emitted the records.
    pub resource: &'a Resource,
    /// What became of earlier batches.
    pub delivery: &'a Delivery,
}

/// What becomes one batch, if it fits.
#[derive(Debug)]
struct Chunk {
    signals: Signals,
    bytes: usize,
    since: Timestamp,
    worth: Worth,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { signals: Signals::default(), bytes: 0, since: Timestamp::EPOCH, worth: Worth::Mixed }
    }
}

impl Batcher {
    /// For the sandbox with this name (see [`BatchId::sandbox`]), before its first record.
    pub fn new(sandbox: String, limits: Limits) -> Self {
        Self {
            sandbox,
            limits,
            next_sequence: 0,
            numbered: 0,
            ready: VecDeque::new(),
            full: VecDeque::new(),
            open: Chunk::default(),
        }
    }

    /// Takes what one record turned into.
    pub fn push(&mut self, now: Timestamp, signals: Signals) {
        if signals.is_empty() {
            return;
        }
        let bytes = weigh::signals(&signals);
        if !self.open.signals.is_empty() && self.open.bytes + bytes > self.limits.plain_bytes_max {
            self.full.push_back(mem::take(&mut self.open));
        }
        if self.open.signals.is_empty() {
            self.open.since = now;
        }
        self.open.bytes += bytes;
        self.open.signals.append(signals);
    }

    /// The sandbox is another one from now on: it was made from a snapshot, and so were its siblings. What is pending
    /// is sealed under the old name, which all of them share, so that it is stored once; numbers begin anew.
    pub fn rename(&mut self, sandbox: String, seal: Seal<'_>, ledger: &mut Ledger) {
        if !self.open.signals.is_empty() {
            self.full.push_back(mem::take(&mut self.open));
        }
        self.seal_full(seal, ledger);
        (self.sandbox, self.next_sequence, self.numbered) = (sandbox, 0, 0);
    }

    /// What waits to be taken by [`Self::seal`]; none if nothing does.
    pub fn pending(&self) -> Option<Pending> {
        let open = (!self.open.signals.is_empty()).then_some(self.open.since);
        let full = self.full.front().map(|chunk| chunk.since);
        let since = self.ready.front().map(|ready| ready.since).or(full).or(open)?;
        let ready: usize = self.ready.iter().map(|ready| ready.batch.bytes()).sum();
        let full: usize = self.full.iter().map(|chunk| chunk.bytes).sum();
        Some(Pending { since, bytes: ready + full + self.open.bytes })
    }

    /// How many events wait to be taken.
    pub fn events(&self) -> u64 {
        let ready: u64 = self.ready.iter().map(|ready| ready.batch.events).sum();
        let chunks = self.full.iter().chain([&self.open]);
        ready + chunks.map(|chunk| count(chunk.signals.len())).sum::<u64>()
    }

    /// Lets go of everything that waits and is not sealed yet.
    pub fn forget(&mut self) {
        self.full.clear();
        self.open = Chunk::default();
    }

    /// Whether [`Self::seal_full`] has something to do.
    pub fn is_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// Seals what will not change any more and keeps it for [`Self::seal`].
    pub fn seal_full(&mut self, seal: Seal<'_>, ledger: &mut Ledger) {
        while let Some(since) = self.full.front().map(|chunk| chunk.since) {
            if let Some(batch) = self.pack(seal, ledger) {
                self.ready.push_back(Ready { batch, since });
            }
        }
    }

    /// The oldest batch; none if nothing is pending. An event that is too large is cut, never left out; what stands in
    /// `ledger` goes into the batch's account.
    pub fn seal(&mut self, seal: Seal<'_>, ledger: &mut Ledger) -> Option<Sealed> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(ready.batch);
        }
        if !self.open.signals.is_empty() {
            self.full.push_back(mem::take(&mut self.open));
        }
        self.pack(seal, ledger)
    }

    /// One batch of the chunks that are full.
    fn pack(&mut self, seal: Seal<'_>, ledger: &mut Ledger) -> Option<Sealed> {
        while let Some(chunk) = self.full.pop_front() {
            if seal.packing == Packing::ByWorth && chunk.worth == Worth::Mixed {
                self.unpack(chunk);
                continue;
            }
            match self.fit(chunk, seal, ledger) {
                Fit::Sealed(sealed) => return Some(sealed),
                Fit::Split(first, second) => {
                    self.full.push_front(second);
                    self.full.push_front(first);
                }
            }
        }
        None
    }

    /// The sandbox's last word: a batch without records whose account says that, and why, it ended. None if nobody
    /// has heard of this sandbox and nothing was lost in it.
    pub fn seal_account(&mut self, closed: &str, seal: Seal<'_>, ledger: &Ledger) -> Option<Sealed> {
        let account =
            Account { closed: closed.to_owned(), ..ledger.last_account(self.numbered, seal.delivery) };
        if self.next_sequence == 0 && account.lost.is_empty() && account.shed.is_empty() {
            return None;
        }
        let batch = self.batch(Signals::default(), seal.resource, account);
        let data = wire::encode(&batch);
        Some(self.number(&batch, Worth::Vital, data))
    }

    /// Puts one chunk for each worth in the place of `chunk`.
    fn unpack(&mut self, chunk: Chunk) {
        let Chunk { signals, bytes, since, .. } = chunk;
        let events = signals.len().max(1);
        for (worth, signals) in worth::sort(signals).into_iter().rev() {
            let bytes = bytes.saturating_mul(signals.len()) / events;
            self.full.push_front(Chunk { signals, bytes, since, worth });
        }
    }

    fn fit(&mut self, chunk: Chunk, seal: Seal<'_>, ledger: &Ledger) -> Fit {
        let Chunk { signals, bytes, since, worth } = chunk;
        let events = count(signals.len());
        let account = ledger.account(self.numbered.saturating_add(events), seal.delivery);
        let mut batch = self.batch(signals, seal.resource, account);
        let mut data = wire::encode(&batch);
        let mut string_bytes_max = self.limits.record_bytes_max;
        while data.len() > self.limits.record_bytes_max {
            if events > 1 {
                let (first, second) = halves(signals_of(batch));
                let chunk_of = |signals| Chunk { signals, bytes: bytes / 2, since, worth };
                return Fit::Split(chunk_of(first), chunk_of(second));
            }
            string_bytes_max /= 2;
            if string_bytes_max < truncate::STRING_BYTES_MIN {
                // It has too many keys, not too long ones.
                truncate::to_the_bone(&mut batch, data.len());
                data = wire::encode(&batch);
                break;
            }
            truncate::batch(&mut batch, string_bytes_max);
            data = wire::encode(&batch);
        }
        Fit::Sealed(self.number(&batch, worth, data))
    }

    fn batch(&self, signals: Signals, resource: &Resource, account: Account) -> Batch {
        Batch {
            id: BatchId { sandbox: self.sandbox.clone(), sequence: self.next_sequence },
            first_record: self.numbered,
            resource: resource.clone(),
            spans: signals.spans,
            logs: signals.logs,
            metrics: signals.metrics,
            account,
        }
    }

    fn number(&mut self, batch: &Batch, worth: Worth, data: Vec<u8>) -> Sealed {
        let events = count(batch.records());
        self.next_sequence += 1;
        self.numbered = self.numbered.saturating_add(events);
        Sealed { id: batch.id.clone(), events, worth, data }
    }
}

enum Fit {
    Sealed(Sealed),
    Split(Chunk, Chunk),
}

fn signals_of(batch: Batch) -> Signals {
    Signals { spans: batch.spans, logs: batch.logs, metrics: batch.metrics, ..Signals::default() }
}

/// Two parts, neither empty if there are two events or more; order is kept.
fn halves(mut signals: Signals) -> (Signals, Signals) {
    let mut keep = signals.len() / 2;
    let mut second = Signals { spans: cut(&mut signals.spans, &mut keep), ..Signals::default() };
    second.logs = cut(&mut signals.logs, &mut keep);
    second.metrics = cut(&mut signals.metrics, &mut keep);
    (signals, second)
}

/// Leaves at most `keep` items, and returns the rest.
fn cut<T>(items: &mut Vec<T>, keep: &mut usize) -> Vec<T> {
    let here = items.len().min(*keep);
    *keep -= here;
    items.split_off(here)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
