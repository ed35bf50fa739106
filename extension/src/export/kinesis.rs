//! One PutRecords request: batches in, an outcome for each of them out. Knows nothing of retries.
//! Source: Kinesis Data Streams API, "PutRecords".

use std::error::Error as _;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig};
use aws_sdk_kinesis::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kinesis::operation::put_records::{PutRecordsError, PutRecordsOutput};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use pipeline::batch::Sealed;

use super::connection::Connection;
use super::credentials;
use super::socket::Server;
use crate::config::{Destination, Stream};

/// PutRecords answers in 10 to 100 ms. A request that is given up may have arrived: its repetition is dropped by the
/// reader.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(3_000);

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// The stream answered: for each batch, in order, taken or why not.
    Answered(Vec<Result<(), String>>),
    /// The request as a whole failed.
    Failed(Failure),
}

/// Why a request failed; the text is for people.
#[derive(Debug)]
pub enum Failure {
    /// No answer, or one that says "not now".
    Unreachable(String),
    /// The stream or the permission to write to it is missing.
    Setup(String),
    /// The request itself is not valid, and never will be.
    Refused(String),
}

/// The client, built once.
#[derive(Debug)]
pub struct Kinesis {
    client: Client,
    stream: Stream,
    connection: Connection,
    server: Option<Server>,
}

impl Kinesis {
    /// Connects nowhere yet.
    pub fn new(destination: &Destination) -> Self {
        let connection = Connection::default();
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT);
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(destination.region.clone()))
            .http_client(connection.clone())
            // Retries are ours: exactly the failed entries, within the sandbox's deadlines.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config = credentials::provide(config, &destination.credentials);
        config.set_endpoint_url(destination.endpoint.clone());
        Self {
            client: Client::from_conf(config.build()),
            stream: destination.stream.clone(),
            connection,
            server: server(destination),
        }
    }

    /// Opens the connection that the next request will need, if there is time for that now.
    pub fn prepare(&self) {
        if let Some(server) = &self.server {
            self.connection.open_ahead(server.clone());
        }
    }

    /// Sends the batches, in order, in one request.
    pub async fn put(&self, batches: &[Sealed]) -> Outcome {
        let mut entries = Vec::with_capacity(batches.len());
        for batch in batches {
            let entry = PutRecordsRequestEntry::builder()
                .data(Blob::new(batch.data.clone()))
                .partition_key(batch.partition_key())
                .build();
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => return Outcome::Failed(Failure::Refused(error.to_string())),
            }
        }
        let request = self.client.put_records().set_records(Some(entries));
        let request = match &self.stream {
            Stream::Name(name) => request.stream_name(name),
            Stream::Arn(arn) => request.stream_arn(arn),
        };
        match request.send().await {
            Ok(answer) => Outcome::Answered(answered(&answer)),
            Err(error) => Outcome::Failed(failure(&error)),
        }
    }
}

fn answered(answer: &PutRecordsOutput) -> Vec<Result<(), String>> {
    let entry = |entry: &aws_sdk_kinesis::types::PutRecordsResultEntry| match entry.error_code() {
        None => Ok(()),
        Some(code) => Err(format!("{code}: {}", entry.error_message().unwrap_or_default())),
    };
    answer.records().iter().map(entry).collect()
}

fn failure(error: &SdkError<PutRecordsError>) -> Failure {
    let Some(refusal) = error.as_service_error() else {
        return Failure::Unreachable(causes(error));
    };
    let code = refusal.code().unwrap_or("an answer without a code");
    let why = format!("{code}: {}", refusal.message().unwrap_or_default());
    match code {
        "ResourceNotFoundException"
        | "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException"
        | "KMSAccessDeniedException"
        | "KMSDisabledException"
        | "KMSNotFoundException"
        | "KMSOptInRequired" => Failure::Setup(why),
        "InvalidArgumentException" | "ValidationException" | "SerializationException" => {
            Failure::Refused(why)
        }
        _ => Failure::Unreachable(why),
    }
}

/// The chain of causes on one line: the last one is what helps ("Connection refused").
fn causes(error: &SdkError<PutRecordsError>) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.ends_with(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

/// Where the SDK will send to. Should it know better, the first request opens a connection of its own.
/// Source: AWS General Reference, "Amazon Kinesis Data Streams endpoints".
fn server(destination: &Destination) -> Option<Server> {
    let region = &destination.region;
    let address = match (&destination.endpoint, &destination.stream) {
        (Some(endpoint), _) => endpoint.clone(),
        (None, Stream::Name(_)) => format!("https://kinesis.{region}.amazonaws.com"),
        (None, Stream::Arn(arn)) => {
            let account = arn.split(':').nth(4)?;
            format!("https://{account}.data-kinesis.{region}.amazonaws.com")
        }
    };
    Server::of(&address.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Credentials;
    use pipeline::batch::Worth;

    fn destination(endpoint: String) -> Destination {
        Destination {
            stream: Stream::Name("telemetry".to_owned()),
            region: "eu-west-1".to_owned(),
            endpoint: Some(endpoint),
            credentials: Credentials::Environment {
                access_key: "key".to_owned(),
                secret_key: "secret".to_owned(),
                session_token: None,
            },
        }
    }

    /// A port on which nobody listens any more.
    fn closed_port() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn over_both_schemes_a_server_that_is_not_there_is_a_failure_with_its_cause() {
        let id = model::BatchId { sandbox: "5a".repeat(16), sequence: 0 };
        let batch = Sealed { id, events: 1, worth: Worth::Mixed, data: vec![1, 2, 3] };
        for scheme in ["http", "https"] {
            let kinesis = Kinesis::new(&destination(format!("{scheme}://127.0.0.1:{}", closed_port())));
            match kinesis.put(std::slice::from_ref(&batch)).await {
                Outcome::Failed(Failure::Unreachable(why)) => {
                    assert!(why.contains("refused"), "{scheme}: {why}")
                }
                outcome => panic!("{scheme}: {outcome:?}"),
            }
        }
    }
}
