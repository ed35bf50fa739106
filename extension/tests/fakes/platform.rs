//! A fake of the Extensions and Telemetry APIs: it hands out the events that a test says, and posts what a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// Longer than anything takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The fake.
#[derive(Clone)]
pub(crate) struct Platform {
    pub(crate) authority: String,
    state: Arc<State>,
}

struct State {
    invoke_refused: Mutex<bool>,
    register_pause: Mutex<Duration>,
    registrations: Mutex<Vec<Value>>,
    refusals: Mutex<VecDeque<u16>>,
    subscriptions: Mutex<Vec<Value>>,
    events: mpsc::UnboundedSender<Value>,
    pending: AsyncMutex<mpsc::UnboundedReceiver<Value>>,
    asked: mpsc::UnboundedSender<()>,
    nexts: AsyncMutex<mpsc::UnboundedReceiver<()>>,
    /// The Runtime API's side: request ids and events for the runtime, and what it answered.
    invocations: mpsc::UnboundedSender<(String, Value)>,
    for_runtime: AsyncMutex<mpsc::UnboundedReceiver<(String, Value)>>,
    responses: Mutex<Vec<(String, String)>>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let (events, pending) = mpsc::unbounded_channel();
        let (asked, nexts) = mpsc::unbounded_channel();
        let (invocations, for_runtime) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            invoke_refused: Mutex::default(),
            register_pause: Mutex::default(),
            registrations: Mutex::default(),
            refusals: Mutex::default(),
            subscriptions: Mutex::default(),
            events,
            pending: AsyncMutex::new(pending),
            asked,
            nexts: AsyncMutex::new(nexts),
            invocations,
            for_runtime: AsyncMutex::new(for_runtime),
            responses: Mutex::default(),
        });
        let shared = state.clone();
        let served = super::serve(move |request| {
            let shared = shared.clone();
            async move { Some(respond(shared, request).await) }
        })
        .await;
        Self { authority: served.address.to_string(), state }
    }

    /// The next subscriptions are answered with these statuses.
    pub(crate) fn refuse_subscriptions(&self, statuses: &[u16]) {
        self.state.refusals.lock().unwrap().extend(statuses);
    }

    /// As Managed Instances do.
    pub(crate) fn refuse_invoke(&self) {
        *self.state.invoke_refused.lock().unwrap() = true;
    }

    /// A registration is answered after so long.
    pub(crate) fn register_after(&self, pause: Duration) {
        *self.state.register_pause.lock().unwrap() = pause;
    }

    /// The events that registrations were for, in order.
    pub(crate) fn registrations(&self) -> Vec<Value> {
        self.state.registrations.lock().unwrap().clone()
    }

    /// The schema versions that were asked for, in order.
    pub(crate) fn schemas_asked(&self) -> Vec<String> {
        let subscriptions = self.state.subscriptions.lock().unwrap();
        subscriptions.iter().map(|body| body["schemaVersion"].as_str().unwrap().to_owned()).collect()
    }

    /// Where the last subscription wants the records.
    pub(crate) fn port_asked(&self) -> u16 {
        let subscriptions = self.state.subscriptions.lock().unwrap();
        let subscription = subscriptions.last().expect("nobody has subscribed");
        let uri = subscription["destination"]["URI"].as_str().unwrap();
        uri.parse::<http::Uri>().unwrap().port_u16().unwrap()
    }

    /// Waits until the extension has asked for its next event.
    pub(crate) async fn ready(&self) {
        let mut nexts = self.state.nexts.lock().await;
        tokio::time::timeout(PATIENCE, nexts.recv()).await.expect("the extension never asked /next");
    }

    pub(crate) async fn invoke(&self, id: &str) {
        self.invoke_with_timeout(id, Duration::from_secs(10)).await;
    }

    pub(crate) async fn invoke_with_timeout(&self, id: &str, timeout: Duration) {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:checkout";
        let event = json!({ "eventType": "INVOKE", "deadlineMs": deadline(timeout), "requestId": id,
            "invokedFunctionArn": arn });
        self.state.events.send(event).unwrap();
    }

    /// The runtime's next event.
    pub(crate) fn event(&self, id: &str, event: &Value) {
        self.state.invocations.send((id.to_owned(), event.clone())).unwrap();
    }

    /// What the runtime has answered so far: request ids and bodies.
    pub(crate) fn responses(&self) -> Vec<(String, String)> {
        self.state.responses.lock().unwrap().clone()
    }

    pub(crate) async fn shutdown(&self, reason: &str) {
        let event = json!({ "eventType": "SHUTDOWN", "shutdownReason": reason,
            "deadlineMs": deadline(Duration::from_secs(2)) });
        self.state.events.send(event).unwrap();
    }

    /// Posts records as the platform does; the sequence id depends on the bytes alone.
    pub(crate) async fn deliver(&self, records: &[Value]) -> u16 {
        self.deliver_bytes(serde_json::to_vec(records).unwrap()).await
    }

    pub(crate) async fn deliver_bytes(&self, body: Vec<u8>) -> u16 {
        let stream = TcpStream::connect(("127.0.0.1", self.port_asked())).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post("/")
            .header("host", "sandbox.localdomain")
            .header("sequence-id", format!("{}-{}", body.len(), crc(&body)))
            .body(Full::<Bytes>::from(body))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        response.into_body().collect().await.unwrap();
        status
    }
}

fn crc(bytes: &[u8]) -> u64 {
    bytes.iter().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

fn deadline(timeout: Duration) -> u64 {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + timeout;
    u64::try_from(at.as_millis()).unwrap()
}

async fn respond(state: Arc<State>, request: Request<Bytes>) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/2020-01-01/extension/register" => {
            let pause = *state.register_pause.lock().unwrap();
            tokio::time::sleep(pause).await;
            register(&state, &request)
        }
        "/2022-07-01/telemetry" => {
            state.subscriptions.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
            let refusal = state.refusals.lock().unwrap().pop_front();
            super::answer(refusal.unwrap_or(200), "\"OK\"")
        }
        "/2020-01-01/extension/event/next" => {
            state.asked.send(()).unwrap();
            let event = state.pending.lock().await.recv().await.unwrap();
            super::answer(200, event.to_string())
        }
        "/2018-06-01/runtime/invocation/next" => {
            let (id, event) = state.for_runtime.lock().await.recv().await.unwrap();
            let mut answer = super::answer(200, event.to_string());
            answer.headers_mut().insert("lambda-runtime-aws-request-id", id.parse().unwrap());
            answer
        }
        path => match path.to_owned().strip_prefix("/2018-06-01/runtime/invocation/") {
            Some(answered) => {
                let id = answered.strip_suffix("/response").expect("an answer").to_owned();
                let body = String::from_utf8(request.into_body().to_vec()).unwrap();
                state.responses.lock().unwrap().push((id, body));
                super::answer(202, "")
            }
            None => panic!("the extension called {path}"),
        },
    }
}

fn register(state: &State, request: &Request<Bytes>) -> Response<Full<Bytes>> {
    assert_eq!(request.headers()["lambda-extension-name"], "limelight-extension");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    state.registrations.lock().unwrap().push(body["events"].clone());
    let wants_invoke = body["events"].as_array().unwrap().contains(&json!("INVOKE"));
    if wants_invoke && *state.invoke_refused.lock().unwrap() {
        return super::answer(403, r#"{"errorType":"Extension.InvalidEventType","errorMessage":"INVOKE"}"#);
    }
    let mut answer =
        super::answer(200, r#"{"functionName":"checkout","functionVersion":"$LATEST","handler":"h"}"#);
    answer.headers_mut().insert("lambda-extension-identifier", "an-identifier".parse().unwrap());
    answer
}

/// As the platform writes it, so long ago.
fn time(ago: Duration) -> String {
    model::Timestamp::from(SystemTime::now() - ago).to_string()
}

pub(crate) fn start(id: &str) -> Value {
    json!({ "time": time(Duration::ZERO), "type": "platform.start", "record": { "requestId": id, "version": "$LATEST" } })
}

pub(crate) fn line(id: &str, text: &str) -> Value {
    line_at("INFO", id, text)
}

pub(crate) fn line_at(level: &str, id: &str, text: &str) -> Value {
    let time = time(Duration::ZERO);
    json!({ "time": time, "type": "function",
        "record": { "timestamp": time, "level": level, "requestId": id, "message": text } })
}

pub(crate) fn runtime_done(id: &str) -> Value {
    json!({ "time": time(Duration::ZERO), "type": "platform.runtimeDone",
        "record": { "requestId": id, "status": "success", "metrics": { "durationMs": 1.5, "producedBytes": 2 } } })
}

/// The sandbox was made from a snapshot.
pub(crate) fn restored() -> Value {
    json!({ "time": time(Duration::ZERO), "type": "platform.restoreStart", "record": { "runtimeVersion": "python:3.13.v1" } })
}

/// So many records will never come.
pub(crate) fn logs_dropped(records: u64) -> Value {
    json!({ "time": time(Duration::ZERO), "type": "platform.logsDropped",
        "record": { "reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
            "droppedRecords": records, "droppedBytes": 100 * records } })
}

pub(crate) fn report(id: &str) -> Value {
    json!({ "time": time(Duration::ZERO), "type": "platform.report",
        "record": { "requestId": id, "status": "success", "metrics": { "durationMs": 1.5, "billedDurationMs": 2,
            "memorySizeMB": 128, "maxMemoryUsedMB": 64 } } })
}
