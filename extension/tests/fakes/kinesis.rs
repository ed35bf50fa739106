//! A fake of the Kinesis API's PutRecords: answers as a test says, remembers every request, keeps what it took.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::Reply;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use model::Timestamp;
use serde_json::{Value, json};

/// How one request is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// These entries are throttled, the others taken.
    FailEntries(&'static [usize]),
    /// Nothing is taken.
    Status(u16),
    /// Nothing is taken, and this is why: an error's name, as `ResourceNotFoundException`.
    Refused(&'static str),
    /// No answer ever; nothing is taken.
    Hang,
    /// Everything is taken, after so many milliseconds.
    Late(u64),
    /// Nothing is taken, and the connection breaks off.
    Reset,
    /// Everything is taken, and the connection breaks off before the answer.
    Lost,
}

/// Keys that no test outlives.
const CENTURIES: Duration = Duration::from_secs(170 * 365 * 24 * 60 * 60);

/// Partition key and data.
pub(crate) type Entry = (String, Vec<u8>);

/// The fake. It takes everything that no [`Answer`] is set for.
#[derive(Clone)]
pub(crate) struct Kinesis {
    served: super::Served,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    /// When no answer is set.
    otherwise: Option<Answer>,
    requests: Vec<Vec<Entry>>,
    taken: Vec<Entry>,
    signed_by: String,
    keys_asked: usize,
    /// How long the keys that are served next are good for; when there is none left, for centuries.
    lifetimes: VecDeque<Duration>,
    /// When the keys that were served run out, in order.
    expiries: Vec<SystemTime>,
}

impl Kinesis {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let served = super::serve(move |request| respond(shared.clone(), request)).await;
        Self { served, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.served.address)
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.served.connections()
    }

    /// How often keys were asked for.
    pub(crate) fn keys_asked(&self) -> usize {
        self.state.lock().unwrap().keys_asked
    }

    /// How long the next keys are good for.
    pub(crate) fn keys_last(&self, lifetimes: &[Duration]) {
        self.state.lock().unwrap().lifetimes.extend(lifetimes);
    }

    /// How the next requests are answered, in order.
    pub(crate) fn answer_next(&self, answers: &[Answer]) {
        self.state.lock().unwrap().answers.extend(answers);
    }

    /// How all requests are answered for which nothing else is set; none: they are taken.
    pub(crate) fn otherwise(&self, answer: Option<Answer>) {
        self.state.lock().unwrap().otherwise = answer;
    }

    /// The entries of every request so far.
    pub(crate) fn requests(&self) -> Vec<Vec<Entry>> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The last request's signature.
    pub(crate) fn signed_by(&self) -> String {
        self.state.lock().unwrap().signed_by.clone()
    }

    /// The messages of the function's lines in everything that was taken.
    pub(crate) fn messages(&self) -> Vec<String> {
        let lines = self.events().into_iter().filter(|event| event.kind == model::Kind::Log);
        lines.filter_map(|event| event.message).collect()
    }

    /// Everything that was taken, as a reader sees it.
    pub(crate) fn events(&self) -> Vec<model::Event> {
        self.decoded().into_iter().flat_map(|decoded| decoded.events).collect()
    }

    /// The one event of this name.
    pub(crate) fn event(&self, name: &str) -> model::Event {
        let found = self.events().into_iter().filter(|event| event.name.as_deref() == Some(name));
        let mut found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{name} in {:#?}", self.events());
        found.remove(0)
    }

    /// The account with which a sandbox ended, else the one in the batch that was made last.
    pub(crate) fn last_account(&self) -> wire::Account {
        let sequence = |decoded: &wire::Decoded| decoded.batch.clone().unwrap().sequence;
        let ended = |decoded: &wire::Decoded| !decoded.account.clone().unwrap().closed.is_empty();
        let last = self.decoded().into_iter().max_by_key(|decoded| (ended(decoded), sequence(decoded)));
        last.expect("nothing was taken").account.unwrap()
    }

    /// The account of every batch that was taken.
    pub(crate) fn accounts(&self) -> Vec<wire::Account> {
        self.decoded().into_iter().filter_map(|decoded| decoded.account).collect()
    }

    /// As the store does it: a batch that came twice counts once, and both copies must be the same.
    fn decoded(&self) -> Vec<wire::Decoded> {
        let context =
            wire::Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: pipeline::parse::printed };
        let mut taken = self.state.lock().unwrap().taken.clone();
        taken.sort();
        taken.dedup();
        assert!(taken.windows(2).all(|pair| pair[0].0 != pair[1].0), "one key, two contents");
        taken
            .iter()
            .map(|(_, data)| wire::decode(data, &context, &wire::Limits::default()).unwrap())
            .collect()
    }
}

async fn respond(state: Arc<Mutex<State>>, request: Request<Bytes>) -> Reply {
    if request.uri().path() == "/credentials" {
        assert_eq!(request.headers()["authorization"], "a-token");
        return Some(super::answer(200, keys(&mut state.lock().unwrap())));
    }
    let signed_by = request.headers()["authorization"].to_str().unwrap().to_owned();
    state.lock().unwrap().signed(signed_by);
    assert_eq!(request.headers()["x-amz-target"], "Kinesis_20131202.PutRecords");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body["StreamName"], "telemetry");
    let entries: Vec<Entry> = body["Records"].as_array().unwrap().iter().map(entry).collect();
    let answer = {
        let mut state = state.lock().unwrap();
        state.requests.push(entries.clone());
        let otherwise = state.otherwise.unwrap_or(Answer::FailEntries(&[]));
        state.answers.pop_front().unwrap_or(otherwise)
    };
    Some(match answer {
        Answer::FailEntries(failed) => taken(&state, entries, failed),
        Answer::Status(status) => {
            super::answer(status, r#"{"__type":"InternalFailure","message":"not now"}"#)
        }
        Answer::Refused(why) => {
            let body = json!({ "__type": why, "message": "not for you" });
            super::answer(400, body.to_string())
        }
        Answer::Hang => std::future::pending().await,
        Answer::Late(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            taken(&state, entries, &[])
        }
        Answer::Reset => return None,
        Answer::Lost => {
            taken(&state, entries, &[]);
            return None;
        }
    })
}

/// Keys that tell by their name which ones they are: `served-1`, `served-2`, …
fn keys(state: &mut State) -> String {
    state.keys_asked += 1;
    let lifetime = state.lifetimes.pop_front().unwrap_or(CENTURIES);
    let expires = SystemTime::now() + lifetime;
    state.expiries.push(expires);
    let (name, expires) = (format!("served-{}", state.keys_asked), Timestamp::from(expires).to_string());
    json!({ "AccessKeyId": name, "SecretAccessKey": "s", "Token": "t", "Expiration": expires }).to_string()
}

impl State {
    /// The real service refuses keys that have run out; here it is a fault of whoever signs with them.
    fn signed(&mut self, authorization: String) {
        let served = authorization.split("Credential=served-").nth(1).and_then(|rest| rest.split('/').next());
        if let Some(number) = served.map(|number| number.parse::<usize>().unwrap()) {
            assert!(SystemTime::now() < self.expiries[number - 1], "signed by keys that have run out");
        }
        self.signed_by = authorization;
    }
}

fn entry(record: &Value) -> Entry {
    let data = BASE64_STANDARD.decode(record["Data"].as_str().unwrap()).unwrap();
    (record["PartitionKey"].as_str().unwrap().to_owned(), data)
}

fn taken(state: &Mutex<State>, entries: Vec<Entry>, failed: &[usize]) -> Response<Full<Bytes>> {
    let mut results = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        if failed.contains(&at) {
            results.push(
                json!({ "ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow" }),
            );
        } else {
            results.push(json!({ "SequenceNumber": "49", "ShardId": "shardId-000000000000" }));
            state.lock().unwrap().taken.push(entry);
        }
    }
    super::answer(200, json!({ "FailedRecordCount": failed.len(), "Records": results }).to_string())
}
