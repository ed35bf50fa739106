//! `--stream-endpoint`: the consumer of another Kinesis API. Every shard is read from its beginning and handed to the
//! companion in order; what the store has already, it drops, so no checkpoint is kept beside it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{Record, ShardIteratorType};
use bytes::Bytes;
use companion::{Companion, StreamRecord};
use model::Timestamp;
use sandbox::event_source::client;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Between two reads of a shard that had nothing: AWS allows five per second.
const IDLE: Duration = Duration::from_millis(300);
/// Between two looks for new shards.
const SHARDS: Duration = Duration::from_secs(10);
/// Between attempts when the API or the store fails.
const RETRY: Duration = Duration::from_secs(1);

/// Reads the stream until `stop`, and then until every shard is empty.
pub(super) async fn run(
    url: String,
    stream: String,
    region: String,
    companion: Companion,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let kinesis = Client::new(&client::settings(Some(&url), &region).await);
    let mut known = BTreeSet::new();
    let mut readers = JoinSet::new();
    loop {
        let shards = list_shards(&kinesis, &stream).await;
        match shards {
            Ok(shards) => {
                for shard in shards.into_iter().filter(|shard| known.insert(shard.clone())) {
                    let reader = Shard {
                        kinesis: kinesis.clone(),
                        companion: companion.clone(),
                        stream: stream.clone(),
                        id: shard,
                        last: None,
                    };
                    readers.spawn(reader.read(stop.clone()));
                }
            }
            // At the start a wrong name or address must be told; later the API may come back.
            Err(error) if known.is_empty() => {
                return Err(error.context(format!("the stream {stream} at {url}")));
            }
            Err(error) => tracing::warn!(error = format!("{error:#}"), "cannot look for new shards"),
        }
        tokio::select! {
            () = sleep(SHARDS) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    readers.join_all().await;
    Ok(())
}

async fn list_shards(kinesis: &Client, stream: &str) -> anyhow::Result<Vec<String>> {
    let mut shards = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let request = kinesis.list_shards();
        let request = match next.take() {
            Some(token) => request.next_token(token),
            None => request.stream_name(stream),
        };
        let page = request.send().await.context("cannot list the shards")?;
        shards.extend(page.shards().iter().map(|shard| shard.shard_id().to_owned()));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(shards);
        }
    }
}

/// One shard's reader.
struct Shard {
    kinesis: Client,
    companion: Companion,
    stream: String,
    id: String,
    /// The last record that the store has.
    last: Option<String>,
}

impl Shard {
    /// Reads until the shard is closed, or it is time to stop and nothing is left.
    async fn read(mut self, stop: watch::Receiver<bool>) {
        let mut iterator = None;
        loop {
            match self.page(iterator.take()).await {
                Ok((records, next)) => {
                    let empty = records.is_empty();
                    self.hand_over(records).await;
                    let Some(next) = next else { return };
                    if empty && *stop.borrow() {
                        return;
                    }
                    iterator = Some(next);
                    if empty {
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

    async fn page(&self, iterator: Option<String>) -> anyhow::Result<(Vec<Record>, Option<String>)> {
        let iterator = match iterator {
            Some(iterator) => iterator,
            None => self.iterator().await?,
        };
        let page = self.kinesis.get_records().shard_iterator(iterator).send().await.context("GetRecords")?;
        Ok((page.records, page.next_shard_iterator))
    }

    async fn iterator(&self) -> anyhow::Result<String> {
        let request = self.kinesis.get_shard_iterator().stream_name(&self.stream).shard_id(&self.id);
        let request = match &self.last {
            Some(last) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(last),
            None => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        let answer = request.send().await.context("GetShardIterator")?;
        answer.shard_iterator.context("GetShardIterator gave none")
    }

    /// Hands records over until the store has all of them.
    async fn hand_over(&mut self, records: Vec<Record>) {
        let mut records: Vec<StreamRecord> = records.into_iter().map(stream_record).collect();
        while let Some(last) = records.last().map(|record| record.sequence.clone()) {
            let report = self.companion.ingest(&self.stream, &self.id, records.clone()).await;
            let Some((failed, why)) = report.first_failure else {
                self.last = Some(last);
                return;
            };
            tracing::warn!(shard = self.id, why, "the store does not take records; trying again");
            let taken = records.iter().position(|record| record.sequence == failed).unwrap_or(0);
            records.drain(..taken);
            sleep(RETRY).await;
        }
    }
}

fn stream_record(record: Record) -> StreamRecord {
    let arrived_at = record
        .approximate_arrival_timestamp
        .and_then(|time| time.to_millis().ok())
        .map_or_else(|| std::time::SystemTime::now().into(), Timestamp::from_millis);
    StreamRecord { sequence: record.sequence_number, arrived_at, data: Bytes::from(record.data.into_inner()) }
}
