//! One PutRecords request: batches in, an outcome for each of them out. Knows nothing of retries.
//! Source: Kinesis Data Streams API, "PutRecords".

mod address;
mod answer;
mod request;

use std::time::{Duration, SystemTime};

use http::Uri;
use pipeline::batch::Sealed;

use super::connection::{Connection, causes};
use super::credentials::Keyring;
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
    stream: Stream,
    region: String,
    /// None if the destination's address makes no sense.
    address: Option<Uri>,
    keyring: Keyring,
    connection: Connection,
}

impl Kinesis {
    /// Connects nowhere yet.
    pub fn new(destination: &Destination) -> Self {
        Self {
            stream: destination.stream.clone(),
            region: destination.region.clone(),
            address: address::of(destination),
            keyring: Keyring::new(destination.credentials.clone()),
            connection: Connection::default(),
        }
    }

    /// Opens the connection that the next request will need, if there is time for that now.
    pub fn prepare(&self) {
        if let Some(server) = self.address.as_ref().and_then(Server::of) {
            self.connection.open_ahead(server);
        }
    }

    /// Sends the batches, in order, in one request.
    pub async fn put(&self, batches: &[Sealed]) -> Outcome {
        match tokio::time::timeout(ATTEMPT_TIMEOUT, self.attempt(batches)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failure)) => Outcome::Failed(failure),
            Err(_) => {
                let why = format!("no answer within {} ms", ATTEMPT_TIMEOUT.as_millis());
                Outcome::Failed(Failure::Unreachable(why))
            }
        }
    }

    async fn attempt(&self, batches: &[Sealed]) -> Result<Outcome, Failure> {
        let now = SystemTime::now();
        let keys = self.keyring.keys(now).await.map_err(|error| Failure::Unreachable(causes(&error)))?;
        let address = self.address.clone().ok_or_else(|| Failure::Setup("no address".to_owned()))?;
        let body = request::body(batches, &self.stream);
        let request = request::signed(address, body, &self.region, &keys, now)
            .map_err(|error| Failure::Setup(causes(&error)))?;
        let answer = self.connection.exchange(request).await;
        Ok(answer::read(&answer.map_err(|error| Failure::Unreachable(causes(&error)))?))
    }
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
