//! One shard, one task: read, gather, invoke, keep progress, until the shard ends or the mapping stops.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use super::batch::{Buffer, Limits, Readiness};
use super::checkpoint::Checkpoint;
use super::destination::{Failure, LastInvocation};
use super::reader::{Position, Reader, Stream};
use super::record::{self, Origin, PAYLOAD_BYTES_MAX, Record};
use super::response::{self, Verdict};
use super::retry::{self, Condition, Next, Policy, Work};
use super::shards::Start;
use super::{Mapping, StartingPosition};
use crate::{Invocation, Lambda};

/// What all shards of a mapping share.
pub(super) struct Source {
    pub(super) lambda: Lambda,
    pub(super) mapping: Mapping,
    pub(super) stream: Stream,
    pub(super) origin: Origin,
}

/// How a shard's task ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The shard is closed and read to its end.
    Closed(String),
    /// The mapping stops.
    Stopped,
}

/// Reads a shard from `start` until it ends or `stopping` turns true.
pub(super) async fn follow(
    source: Arc<Source>,
    id: String,
    start: Start,
    stopping: watch::Receiver<bool>,
) -> Ended {
    let position = source.position(&id, start).await;
    let reader = source.stream.reader(&id, position);
    let (records_max, window) = (source.mapping.batch_size, source.mapping.window);
    let buffer = Buffer::new(Limits { records_max, window });
    let task = Task { source, id, reader, buffer, stopping, is_read_out: false, failed_reads: 0 };
    task.run().await
}

struct Task {
    source: Arc<Source>,
    id: String,
    reader: Reader,
    buffer: Buffer,
    stopping: watch::Receiver<bool>,
    /// The shard is closed and its last record is in the buffer.
    is_read_out: bool,
    failed_reads: u32,
}

/// What an invocation came to.
enum Tried {
    /// The function ran.
    Ran(Verdict, LastInvocation),
    /// It did not: throttled, or the environment failed.
    Refused(String),
}

impl Task {
    async fn run(mut self) -> Ended {
        loop {
            if *self.stopping.borrow() {
                return Ended::Stopped;
            }
            let pause = self.read().await;
            let readiness = self.buffer.poll(Instant::now());
            match readiness {
                Readiness::Empty if self.is_read_out => {
                    self.save(Checkpoint::Closed).await;
                    return Ended::Closed(self.id);
                }
                Readiness::Empty => self.pause(pause).await,
                Readiness::At(due) if !self.is_read_out => {
                    self.pause(pause.min(due.saturating_duration_since(Instant::now()))).await;
                }
                Readiness::At(_) | Readiness::Now => {
                    let batch = self.buffer.take();
                    if !self.work_off(Work::new(batch)).await {
                        return Ended::Stopped;
                    }
                }
            }
        }
    }

    /// Reads once if there is room; gives how long to wait before the next read.
    async fn read(&mut self) -> Duration {
        let room = self.buffer.room();
        if room == 0 || self.is_read_out {
            return Duration::ZERO;
        }
        let mut stopping = self.stopping.clone();
        let page = tokio::select! {
            page = self.reader.read(room) => page,
            _ = stopping.wait_for(|stop| *stop) => return Duration::ZERO,
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                self.failed_reads = self.failed_reads.saturating_add(1);
                tracing::warn!(shard = self.id, %error, "a shard could not be read");
                let (first, longest) = self.source.mapping.retry_wait;
                return retry::wait(self.failed_reads, first, longest);
            }
        };
        self.failed_reads = 0;
        let now = Instant::now();
        for record in page.records {
            let event_bytes = record::event_bytes(&record, &self.id, &self.source.origin);
            self.buffer.push(now, record, event_bytes);
        }
        self.is_read_out = page.is_last;
        if page.is_at_tip { self.source.mapping.poll_interval } else { CATCH_UP_PAUSE }
    }

    /// Invokes with the work and what becomes of it, in order. False if the mapping stopped before its end.
    async fn work_off(&mut self, work: Work) -> bool {
        let mut todo = VecDeque::from([work]);
        let mut last = None;
        let mut tries = 0;
        while let Some(work) = todo.pop_front() {
            let (old, young) = retry::before(work, Timestamp::now(), &self.policy());
            if let Some(old) = old {
                self.give_up(&old, Condition::RecordAgeExceeded, last.as_ref()).await;
            }
            let Some(mut work) = young else { continue };
            if *self.stopping.borrow() {
                return false;
            }
            let Some(payload) = self.payload(&work) else {
                self.give_up(&work, Condition::PayloadLimitExceeded, last.as_ref()).await;
                continue;
            };
            match self.invoke(payload, &work.records).await {
                Tried::Ran(verdict, invocation) => {
                    work.invocations = work.invocations.saturating_add(1);
                    last = Some(invocation);
                    let next = retry::after(work, verdict, &self.policy());
                    let is_progress = next.finished.is_some() || next.given_up.is_some();
                    tries = if is_progress { 1 } else { tries + 1 };
                    let is_retry = !next.again.is_empty();
                    self.settle(next, &mut todo, last.as_ref()).await;
                    if is_retry {
                        self.back_off(tries).await;
                    }
                }
                Tried::Refused(error) => {
                    tries += 1;
                    tracing::warn!(shard = self.id, error, "a batch could not be given to its function");
                    todo.push_front(work);
                    self.back_off(tries).await;
                }
            }
        }
        true
    }

    /// Keeps what finished, reports what was given up, queues what is to be tried.
    async fn settle(&self, next: Next, todo: &mut VecDeque<Work>, last: Option<&LastInvocation>) {
        if let Some(sequence) = next.finished {
            self.save(Checkpoint::After(sequence)).await;
        }
        if let Some((work, condition)) = next.given_up {
            self.give_up(&work, condition, last).await;
        }
        for work in next.again.into_iter().rev() {
            todo.push_front(work);
        }
    }

    async fn give_up(&self, work: &Work, condition: Condition, last: Option<&LastInvocation>) {
        let function = self.source.lambda.function(&self.source.mapping.function);
        let failure = Failure {
            work,
            condition,
            shard: &self.id,
            stream_arn: &self.source.origin.stream_arn,
            function_arn: &function.map(crate::FunctionConfig::arn).unwrap_or_default(),
            last: last.filter(|_| work.invocations > 0),
            now: Timestamp::now(),
        };
        self.source.mapping.on_failure.send(&failure).await;
        if let Some(record) = work.records.last() {
            self.save(Checkpoint::After(record.sequence.clone())).await;
        }
    }

    /// The event; `None` if not even one record fits into an invocation.
    fn payload(&self, work: &Work) -> Option<bytes::Bytes> {
        let event = record::event(&work.records, &self.id, &self.source.origin);
        event.ok().filter(|event| event.len() <= PAYLOAD_BYTES_MAX)
    }

    async fn invoke(&self, payload: bytes::Bytes, records: &[Record]) -> Tried {
        let invocation = Invocation::new(&self.source.mapping.function, payload);
        match self.source.lambda.invoke(invocation).await {
            Err(error) => Tried::Refused(error.to_string()),
            Ok(outcome) => {
                let verdict = match outcome.error {
                    Some(_) => Verdict::Failed,
                    None if !self.source.mapping.report_item_failures => Verdict::Succeeded,
                    None => response::partial(&outcome.payload, records),
                };
                let last = LastInvocation {
                    request_id: outcome.request_id,
                    executed_version: outcome.executed_version,
                    function_error: outcome.error.map(|_| "Unhandled"),
                };
                Tried::Ran(verdict, last)
            }
        }
    }

    fn policy(&self) -> Policy {
        let mapping = &self.source.mapping;
        Policy { retries_max: mapping.retries_max, age_max: mapping.record_age_max, bisect: mapping.bisect }
    }

    async fn save(&self, checkpoint: Checkpoint) {
        self.source.mapping.checkpoints.save(&self.source.origin.stream_arn, &self.id, checkpoint).await;
    }

    async fn back_off(&mut self, tries: u32) {
        let (first, longest) = self.source.mapping.retry_wait;
        self.pause(retry::wait(tries, first, longest)).await;
    }

    /// Waits, or until the mapping stops.
    async fn pause(&mut self, duration: Duration) {
        let stopped = self.stopping.wait_for(|stop| *stop);
        // Either way the loop looks at `stopping` next.
        let _ = tokio::time::timeout(duration, stopped).await;
    }
}

/// Between two reads of a shard that has more: five reads a second are all that Kinesis allows.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(200);

impl Source {
    /// Where a shard's reader begins. A beginning that depends on the clock is kept at once, so that a second
    /// run does not miss what came between.
    async fn position(&self, id: &str, start: Start) -> Position {
        match start {
            Start::Oldest => Position::Oldest,
            Start::Kept(Checkpoint::After(sequence)) => Position::After(sequence),
            Start::Kept(Checkpoint::Since(time)) => Position::Since(time),
            Start::Kept(Checkpoint::Closed) => Position::Oldest,
            Start::Configured => match self.mapping.start {
                StartingPosition::TrimHorizon => Position::Oldest,
                StartingPosition::AtTimestamp(time) => {
                    self.begin(id, time).await;
                    Position::Since(time)
                }
                StartingPosition::Latest => {
                    let now = Timestamp::now();
                    self.begin(id, now).await;
                    Position::Latest(now)
                }
            },
        }
    }

    async fn begin(&self, id: &str, time: Timestamp) {
        self.mapping.checkpoints.save(&self.origin.stream_arn, id, Checkpoint::Since(time)).await;
    }
}
