//! One shard, one task: reads it in order, hands its records to the companion, tells how far it is.

use std::time::Duration;

use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::Record;
use bytes::Bytes;
use companion::{Companion, StreamRecord};
use model::Timestamp;
use store::Progress;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::News;
use super::stream::Stream;

/// Between two reads of a shard that had nothing: AWS allows five per second.
const IDLE: Duration = Duration::from_millis(300);
/// Between attempts when the API or the store fails.
const RETRY: Duration = Duration::from_secs(1);

/// One shard's reader.
pub(super) struct Shard {
    stream: Stream,
    companion: Companion,
    news: mpsc::Sender<News>,
    id: String,
    /// The last record that the store has.
    last: Option<String>,
}

impl Shard {
    /// A reader that begins behind the record `last`, or with the oldest.
    pub(super) fn new(
        stream: Stream,
        companion: Companion,
        news: mpsc::Sender<News>,
        id: String,
        last: Option<String>,
    ) -> Self {
        Self { stream, companion, news, id, last }
    }

    /// Reads until the shard is closed, or it is time to stop and nothing is left.
    pub(super) async fn read(mut self, stop: watch::Receiver<bool>) {
        let mut iterator = None;
        loop {
            match self.page(iterator.take()).await {
                Ok(page) => {
                    let is_empty = page.records.is_empty();
                    let is_at_tip = is_empty && page.millis_behind_latest.unwrap_or(0) == 0;
                    self.hand_over(page.records).await;
                    let Some(next) = page.next_shard_iterator else {
                        return self.tell(Progress::Closed).await;
                    };
                    if is_at_tip && *stop.borrow() {
                        return;
                    }
                    iterator = Some(next);
                    if is_empty {
                        sleep(IDLE).await;
                    }
                }
                // An iterator that expired, a server that is gone: begin again behind the last record.
                Err(error) => {
                    tracing::warn!(shard = self.id, error = format!("{error:#}"), "cannot read the stream");
                    if *stop.borrow() {
                        return;
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn page(&self, iterator: Option<String>) -> anyhow::Result<GetRecordsOutput> {
        let iterator = match iterator {
            Some(iterator) => iterator,
            None => self.stream.iterator(&self.id, self.last.as_deref()).await?,
        };
        self.stream.page(iterator).await
    }

    /// Hands records over until the store has all of them.
    async fn hand_over(&mut self, records: Vec<Record>) {
        let mut records: Vec<StreamRecord> = records.into_iter().map(stream_record).collect();
        while let Some(last) = records.last().map(|record| record.sequence.clone()) {
            let report = self.companion.ingest(self.stream.identity(), &self.id, records.clone()).await;
            let Some((failed, why)) = report.first_failure else {
                self.last = Some(last.clone());
                return self.tell(Progress::After(last)).await;
            };
            tracing::warn!(shard = self.id, why, "the store does not take records; trying again");
            let taken = records.iter().position(|record| record.sequence == failed).unwrap_or(0);
            records.drain(..taken);
            sleep(RETRY).await;
        }
    }

    async fn tell(&self, progress: Progress) {
        // Without a conductor nobody keeps it, and the next run reads this again.
        let _ = self.news.send((self.id.clone(), progress)).await;
    }
}

fn stream_record(record: Record) -> StreamRecord {
    let arrived_at = record
        .approximate_arrival_timestamp
        .and_then(|time| time.to_millis().ok())
        .map_or_else(|| std::time::SystemTime::now().into(), Timestamp::from_millis);
    StreamRecord { sequence: record.sequence_number, arrived_at, data: Bytes::from(record.data.into_inner()) }
}
