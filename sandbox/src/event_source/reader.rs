//! The Kinesis API → shards and records. Knows iterators and their end, and nothing of functions.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::get_shard_iterator::builders::GetShardIteratorFluentBuilder;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{Shard, ShardIteratorType};
use bytes::Bytes;
use jiff::Timestamp;

use super::record::Record;
use super::shards::Listed;

/// One page of `ListShards`; a stream with more pages than this is not a local one.
const PAGES_MAX: usize = 100;

/// `GetRecords` gives at most so many.
const RECORDS_MAX: usize = 10_000;

/// A call that failed, in words; all of them are tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CallError(String);

/// One stream of a Kinesis API.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    kinesis: Client,
    name: String,
}

/// Where to go on in a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    Oldest,
    /// Now; the time is for a second iterator, if the first expires unused.
    Latest(Timestamp),
    Since(Timestamp),
    After(String),
}

/// Reads one shard in order.
#[derive(Debug)]
pub(super) struct Reader {
    stream: Stream,
    shard: String,
    position: Position,
    iterator: Option<String>,
}

/// What one read gave.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    /// The shard was closed, and these are its last records.
    pub(super) is_last: bool,
    /// The shard has nothing newer.
    pub(super) is_at_tip: bool,
}

impl Stream {
    pub(super) fn new(kinesis: Client, name: &str) -> Self {
        Self { kinesis, name: name.to_owned() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The stream's ARN, once its API answers; `None` if there is no such stream.
    pub(super) async fn describe(&self, pause: Duration) -> Option<String> {
        loop {
            let described = self.kinesis.describe_stream_summary().stream_name(&self.name).send().await;
            match described {
                Ok(output) => {
                    return output
                        .stream_description_summary()
                        .map(|summary| summary.stream_arn().to_owned());
                }
                Err(error) if error.code() == Some("ResourceNotFoundException") => return None,
                Err(error) => {
                    let error = call_error(&error);
                    tracing::warn!(stream = self.name, %error, "the stream cannot be reached yet");
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// All shards, open and closed.
    pub(super) async fn shards(&self) -> Result<Vec<Listed>, CallError> {
        let mut listed = Vec::new();
        let mut next = None::<String>;
        for _ in 0..PAGES_MAX {
            let request = match next.take() {
                // A token names the stream already; with both, the call is refused.
                Some(token) => self.kinesis.list_shards().next_token(token),
                None => self.kinesis.list_shards().stream_name(&self.name),
            };
            let output = request.send().await.map_err(|error| call_error(&error))?;
            listed.extend(output.shards().iter().map(listed_shard));
            next = output.next_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(listed)
    }

    pub(super) fn reader(&self, shard: &str, position: Position) -> Reader {
        Reader { stream: self.clone(), shard: shard.to_owned(), position, iterator: None }
    }
}

impl Reader {
    /// Up to `records_max` next records. After an error the next read goes on at the same place.
    pub(super) async fn read(&mut self, records_max: usize) -> Result<Page, CallError> {
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => self.new_iterator().await?,
        };
        let limit = i32::try_from(records_max.clamp(1, RECORDS_MAX)).unwrap_or(1);
        let request = self.stream.kinesis.get_records().shard_iterator(&iterator).limit(limit);
        let output = match request.send().await {
            Ok(output) => output,
            Err(error) => {
                // An expired iterator is replaced by one at the position; any other failure leaves it usable.
                if error.code() != Some("ExpiredIteratorException") {
                    self.iterator = Some(iterator);
                }
                return Err(call_error(&error));
            }
        };
        let records: Vec<Record> = output.records.into_iter().map(record).collect();
        if let Some(last) = records.last() {
            self.position = Position::After(last.sequence.clone());
        }
        let is_last = output.next_shard_iterator.is_none();
        self.iterator = output.next_shard_iterator;
        let is_at_tip = output.millis_behind_latest.is_none_or(|behind| behind <= 0);
        Ok(Page { records, is_last, is_at_tip })
    }

    async fn new_iterator(&mut self) -> Result<String, CallError> {
        let request = self.stream.kinesis.get_shard_iterator();
        let request = request.stream_name(&self.stream.name).shard_id(&self.shard);
        let output = at(request, &self.position).send().await.map_err(|error| call_error(&error))?;
        if let Position::Latest(since) = self.position {
            self.position = Position::Since(since);
        }
        output.shard_iterator.ok_or_else(|| CallError("an answer without a shard iterator".to_owned()))
    }
}

fn at(request: GetShardIteratorFluentBuilder, position: &Position) -> GetShardIteratorFluentBuilder {
    match position {
        Position::Oldest => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        Position::Latest(_) => request.shard_iterator_type(ShardIteratorType::Latest),
        Position::Since(time) => request
            .shard_iterator_type(ShardIteratorType::AtTimestamp)
            .timestamp(DateTime::from_millis(time.as_millisecond())),
        Position::After(sequence) => request
            .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
            .starting_sequence_number(sequence),
    }
}

fn listed_shard(shard: &Shard) -> Listed {
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    Listed {
        id: shard.shard_id().to_owned(),
        parents: parents.into_iter().flatten().map(str::to_owned).collect(),
    }
}

fn record(record: aws_sdk_kinesis::types::Record) -> Record {
    let arrived_at = record
        .approximate_arrival_timestamp
        .and_then(|time| time.to_millis().ok())
        .and_then(|millis| Timestamp::from_millisecond(millis).ok());
    Record {
        sequence: record.sequence_number,
        partition_key: record.partition_key.unwrap_or_default(),
        data: Bytes::from(record.data.into_inner()),
        // Without a time it is taken as just arrived: it must not look too old.
        arrived_at: arrived_at.unwrap_or_else(Timestamp::now),
    }
}

fn call_error<E>(error: &SdkError<E, HttpResponse>) -> CallError
where
    E: std::error::Error + 'static,
{
    CallError(super::causes(error))
}
