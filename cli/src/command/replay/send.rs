//! Batches → PutRecords, until the stream has each or says that it will not. An entry that fails is sent again with
//! its bytes and its partition key, which is the batch's identity, as the extension does it.
//!
//! Source: Kinesis Data Streams API, "PutRecords".

use std::collections::BTreeMap;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kinesis::operation::put_records::{PutRecordsError, PutRecordsOutput};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use sandbox::event_source::client;

use super::destination::Destination;
use super::letters::{Batch, State};
use super::outbox::{Item, Outbox};
use crate::exit::Refused;

/// Sends batches to one destination.
pub(super) struct Sender {
    client: Client,
    destination: Destination,
}

/// What became of a request.
enum Answer {
    /// For each entry, in order: taken, or why not.
    Entries(Vec<Result<(), String>>),
    /// Not now.
    Busy(String),
    /// The request is not valid, because of one of its records.
    Refused(String),
}

impl Sender {
    /// Connects nowhere yet. The SDK tries a server that does not answer three times.
    pub(super) async fn new(destination: Destination) -> Self {
        let settings = client::settings(destination.endpoint.as_deref(), &destination.region).await;
        Self { client: Client::new(&settings), destination }
    }

    /// Sends what waits; `tell` hears how many of how many the stream has.
    ///
    /// # Errors
    /// When the stream is not there, may not be written, or does not answer: what still waits can be sent later.
    pub(super) async fn send(
        &self,
        batches: &mut [Batch],
        tell: impl Fn(usize, usize),
    ) -> anyhow::Result<()> {
        let mut streams: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, batch) in batches.iter().enumerate().filter(|(_, batch)| batch.state == State::Waiting) {
            let stream = self.destination.stream(&batch.letter.stream).to_owned();
            streams.entry(stream).or_default().push(number);
        }
        let of = streams.values().map(Vec::len).sum();
        let sent = |batches: &[Batch]| batches.iter().filter(|batch| batch.state == State::Sent).count();
        for (stream, numbers) in streams {
            let bytes = |number: usize| {
                let letter = &batches[number].letter;
                (number, letter.data.len() + letter.id.to_string().len())
            };
            let mut outbox = Outbox::new(numbers.into_iter().map(bytes).collect::<Vec<_>>().into_iter());
            loop {
                let request = outbox.request();
                if request.is_empty() {
                    break;
                }
                self.put(&stream, request, batches, &mut outbox).await?;
                tell(sent(batches), of);
                if let Some(pause) = outbox.pause() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Ok(())
    }

    async fn put(
        &self,
        stream: &str,
        request: Vec<Item>,
        batches: &mut [Batch],
        outbox: &mut Outbox,
    ) -> anyhow::Result<()> {
        match self.request(stream, &request, batches).await? {
            Answer::Entries(entries) => {
                let mut again = Vec::new();
                let mut reasons = BTreeMap::new();
                for (item, entry) in request.into_iter().zip(entries) {
                    match entry {
                        Ok(()) => batches[item.number].state = State::Sent,
                        Err(why) => {
                            reasons.insert(item.number, why);
                            again.push(item);
                        }
                    }
                }
                if again.is_empty() {
                    outbox.went_well();
                    return Ok(());
                }
                for item in outbox.again(again) {
                    batches[item.number].state =
                        State::Failed(reasons.remove(&item.number).unwrap_or_default());
                }
            }
            Answer::Busy(why) => {
                for item in outbox.again(request) {
                    batches[item.number].state = State::Failed(why.clone());
                }
            }
            Answer::Refused(why) => {
                if let Some(item) = outbox.alone(request) {
                    batches[item.number].state = State::Failed(why);
                }
            }
        }
        Ok(())
    }

    async fn request(&self, stream: &str, items: &[Item], batches: &[Batch]) -> anyhow::Result<Answer> {
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            let letter = &batches[item.number].letter;
            let entry = PutRecordsRequestEntry::builder()
                .data(Blob::new(letter.data.clone()))
                .partition_key(letter.id.to_string());
            entries.push(entry.build()?);
        }
        let request = self.client.put_records().set_records(Some(entries));
        let request = match stream.starts_with("arn:") {
            true => request.stream_arn(stream),
            false => request.stream_name(stream),
        };
        match request.send().await {
            Ok(answer) => Ok(Answer::Entries(entries_of(&answer))),
            Err(error) => self.failure(stream, &error),
        }
    }

    /// A failure that concerns all batches ends it: they stay where they are.
    fn failure(&self, stream: &str, error: &SdkError<PutRecordsError>) -> anyhow::Result<Answer> {
        let shown = self.destination.shown(stream);
        let Some(refusal) = error.as_service_error() else {
            anyhow::bail!(
                "{shown} cannot be reached: {}; nothing is lost, send it again later",
                companion::ingest::chain(error)
            );
        };
        let code = refusal.code().unwrap_or("an answer without a code");
        let why = format!("{code}: {}", refusal.message().unwrap_or_default());
        match code {
            "ProvisionedThroughputExceededException" | "InternalFailure" | "ServiceUnavailable" => {
                Ok(Answer::Busy(why))
            }
            "InvalidArgumentException" | "ValidationException" | "SerializationException" => {
                Ok(Answer::Refused(why))
            }
            "ResourceNotFoundException" => {
                Err(Refused::not_found(format!("{shown} is not there: {why}")).into())
            }
            _ => anyhow::bail!("{shown} does not take batches: {why}"),
        }
    }
}

fn entries_of(answer: &PutRecordsOutput) -> Vec<Result<(), String>> {
    let records = answer.records().iter();
    records
        .map(|entry| match entry.error_code() {
            None => Ok(()),
            Some(code) => Err(format!("{code}: {}", entry.error_message().unwrap_or_default())),
        })
        .collect()
}
