//! A request's way to the server behind the proxy, and what befalls it there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::plan::{Fault, Plan};
use super::{BrokenOff, throttle};

/// What the server said, or what is said in its name: status and body.
pub(super) type Answer = (u16, Bytes);

/// All requests of a proxy share it.
pub(super) struct Way {
    pub(super) upstream: Mutex<String>,
    pub(super) plan: Mutex<Plan>,
    /// The data of every entry that the server took.
    pub(super) taken: Mutex<Vec<Vec<u8>>>,
    /// The session token of each PutRecords.
    pub(super) signed_with: Mutex<Vec<Option<String>>>,
    /// Held once more by everybody who travels.
    pub(super) travellers: Arc<()>,
    http: reqwest::Client,
}

impl Way {
    pub(super) fn new(upstream: &str, plan: Plan) -> Self {
        Self {
            upstream: Mutex::new(upstream.to_owned()),
            plan: Mutex::new(plan),
            taken: Mutex::default(),
            signed_with: Mutex::default(),
            travellers: Arc::default(),
            http: reqwest::Client::new(),
        }
    }

    /// Takes the request there, or not, as the fault wants it.
    pub(super) async fn travel(
        &self,
        fault: Option<Fault>,
        target: &str,
        body: Bytes,
    ) -> Result<Answer, BrokenOff> {
        match fault {
            None => self.pass_on(target, body).await,
            Some(Fault::Reset | Fault::Hang) => Err(BrokenOff),
            Some(Fault::ServerError) => Ok(refusal(500, "InternalFailure")),
            Some(Fault::Throttled) => Ok(refusal(400, "ProvisionedThroughputExceededException")),
            Some(Fault::EntriesThrottled(share)) => self.pass_on_in_part(target, &body, share).await,
            Some(Fault::AnswerLost) => {
                self.pass_on(target, body).await?;
                Err(BrokenOff)
            }
            Some(Fault::HeldBefore(longest)) => {
                self.pause(longest).await;
                self.pass_on(target, body).await
            }
            Some(Fault::HeldAfter(longest)) => {
                let answer = self.pass_on(target, body).await?;
                self.pause(longest).await;
                Ok(answer)
            }
        }
    }

    async fn pause(&self, longest: Duration) {
        let length = self.plan.lock().unwrap().pause(longest);
        tokio::time::sleep(length).await;
    }

    /// The server's answer; without one the connection breaks, as behind any proxy.
    async fn pass_on(&self, target: &str, body: Bytes) -> Result<Answer, BrokenOff> {
        let upstream = self.upstream.lock().unwrap().clone();
        let request = self.http.post(upstream).header("x-amz-target", target).body(body.clone());
        let answer = request.header("content-type", "application/x-amz-json-1.1").send().await;
        let answer = answer.map_err(|_| BrokenOff)?;
        let status = answer.status().as_u16();
        let answered = answer.bytes().await.map_err(|_| BrokenOff)?;
        if status == 200 && target.ends_with(".PutRecords") {
            self.remember(&body, &answered);
        }
        Ok((status, answered))
    }

    /// Some entries are throttled and never reach the server; its answer for the others is put around theirs.
    async fn pass_on_in_part(&self, target: &str, body: &Bytes, share: f64) -> Result<Answer, BrokenOff> {
        let mut request: Value = serde_json::from_slice(body).map_err(|_| BrokenOff)?;
        let throttled = throttle::cut(&mut request, || self.plan.lock().unwrap().throttles(share));
        let passed = if request["Records"].as_array().is_some_and(Vec::is_empty) {
            json!({ "Records": [] })
        } else {
            let (status, answer) = self.pass_on(target, request.to_string().into()).await?;
            if status != 200 {
                return Ok((status, answer));
            }
            serde_json::from_slice(&answer).map_err(|_| BrokenOff)?
        };
        Ok((200, throttle::merge(&passed, &throttled).to_string().into()))
    }

    fn remember(&self, request: &[u8], answer: &[u8]) {
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let (request, answer) = (read(request), read(answer));
        let entries = request["Records"].as_array().into_iter().flatten();
        let results = answer["Records"].as_array().into_iter().flatten();
        let taken = entries.zip(results).filter(|(_, result)| result["SequenceNumber"].is_string());
        let data = taken.map(|(entry, _)| STANDARD.decode(entry["Data"].as_str().unwrap()).unwrap());
        self.taken.lock().unwrap().extend(data);
    }
}

fn refusal(status: u16, kind: &str) -> Answer {
    (status, json!({ "__type": kind, "message": "a fault on purpose" }).to_string().into())
}
