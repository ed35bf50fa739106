//! A Kinesis API → a stream that was found, its shards, their pages. Knows the calls, and nothing of who reads.

use anyhow::Context as _;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::{Shard, ShardIteratorType};
use sandbox::event_source::client;

/// Which stream to read.
pub(in crate::command::dev) struct Source {
    /// The Kinesis API.
    pub(in crate::command::dev) url: String,
    /// The stream's name.
    pub(in crate::command::dev) stream: String,
    /// Its region.
    pub(in crate::command::dev) region: String,
}

/// A stream that is there.
#[derive(Clone)]
pub(super) struct Stream {
    kinesis: Client,
    name: String,
    identity: String,
}

impl Stream {
    /// Asks the API for it.
    ///
    /// # Errors
    /// When the API does not answer or has no such stream, with both names.
    pub(super) async fn find(source: &Source) -> anyhow::Result<Self> {
        let kinesis = Client::new(&client::settings(Some(&source.url), &source.region).await);
        let described = kinesis.describe_stream_summary().stream_name(&source.stream).send().await;
        let described = described
            .with_context(|| format!("the stream {} at {} cannot be read", source.stream, source.url))?;
        let identity = match described.stream_description_summary() {
            Some(found) => {
                let made_at = found.stream_creation_timestamp().as_secs_f64();
                format!("{}@{made_at}", found.stream_arn())
            }
            None => source.stream.clone(),
        };
        Ok(Self { kinesis, name: source.stream.clone(), identity })
    }

    /// Tells it from a stream that was deleted and made again: an emulator begins its sequence numbers anew with each
    /// start, and the watermark of the stream before would drop them all.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// The ids of all shards, open and closed.
    pub(super) async fn shards(&self) -> anyhow::Result<Vec<String>> {
        let mut shards = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = match next.take() {
                // A token names the stream already; with both, the call is refused.
                Some(token) => self.kinesis.list_shards().next_token(token),
                None => self.kinesis.list_shards().stream_name(&self.name),
            };
            let page = request.send().await.context("ListShards")?;
            shards.extend(page.shards().iter().map(Shard::shard_id).map(str::to_owned));
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(shards);
            }
        }
    }

    /// An iterator behind the record `after`, or at the oldest.
    pub(super) async fn iterator(&self, shard: &str, after: Option<&str>) -> anyhow::Result<String> {
        let request = self.kinesis.get_shard_iterator().stream_name(&self.name).shard_id(shard);
        let request = match after {
            Some(sequence) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(sequence),
            None => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        let answer = request.send().await.context("GetShardIterator")?;
        answer.shard_iterator.context("GetShardIterator gave none")
    }

    /// The page that an iterator points at.
    pub(super) async fn page(&self, iterator: String) -> anyhow::Result<GetRecordsOutput> {
        self.kinesis.get_records().shard_iterator(iterator).send().await.context("GetRecords")
    }
}
