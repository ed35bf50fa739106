//! The invocation that an environment works on: who waits for it, what came of it, its last lines.

use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use lambda_api::telemetry::Tracing;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::apis::runtime_api::TOO_LARGE;
use crate::environment::Failure;
use crate::invocation::{FunctionError, Invocation, Outcome};
use crate::message::{Answer, Refusal};
use crate::streamed::{Begun, CHUNKS_MAX};

/// Lambda's limit on `LogResult`.
const TAIL_BYTES_MAX: usize = 4 * 1024;

/// Who waits for an invocation.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) outcome: oneshot::Sender<Outcome>,
    /// Of a caller that takes the answer in chunks.
    pub(crate) begun: Option<oneshot::Sender<Begun>>,
}

/// What the runtime sent, as far as records need it.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) bytes: usize,
    /// `Runtime.…`, `Function.…`
    pub(crate) error_type: Option<String>,
    pub(crate) first_byte: Instant,
    pub(crate) complete: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) request_id: String,
    pub(crate) version: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) started: Instant,
    pub(crate) started_at: SystemTime,
    pub(crate) tracing: Tracing,
    pub(crate) answered: Option<Answered>,
    caller: Option<oneshot::Sender<Outcome>>,
    /// The same caller, if it takes the answer in chunks.
    listener: Option<oneshot::Sender<Begun>>,
    /// An outcome that waits for its log tail.
    outcome: Option<Outcome>,
    tail: Option<Tail>,
    /// Whether `platform.runtimeDone` has been sent.
    told: bool,
}

impl Current {
    /// Begins now; `started_at` is what the environment's clock says.
    pub(crate) fn new(
        request_id: String,
        version: String,
        tracing: Tracing,
        invocation: &Invocation,
        caller: Caller,
        started_at: SystemTime,
    ) -> Self {
        Self {
            request_id,
            version,
            tenant_id: invocation.tenant_id.clone(),
            started: Instant::now(),
            started_at,
            tracing,
            answered: None,
            caller: Some(caller.outcome),
            listener: caller.begun,
            outcome: None,
            tail: invocation.log_tail.then(Tail::default),
            told: false,
        }
    }

    pub(crate) const fn is_answered(&self) -> bool {
        self.answered.is_some()
    }

    pub(crate) const fn is_told(&self) -> bool {
        self.told
    }

    pub(crate) const fn tell(&mut self) {
        self.told = true;
    }

    /// The runtime begins to stream its answer. Returns where chunks go, if the caller takes any.
    pub(crate) fn begin(&mut self, content_type: String) -> Option<mpsc::Sender<Bytes>> {
        let listener = self.listener.take()?;
        let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
        let request_id = self.request_id.clone();
        let begun = Begun { request_id, executed_version: self.version.clone(), content_type, chunks };
        listener.send(begun).is_ok().then_some(sender)
    }

    /// Takes the runtime's answer; the caller gets it at once, unless it wants the log's tail.
    pub(crate) fn answer(&mut self, answer: Result<Answer, Refusal>) {
        let answer = answer.unwrap_or_else(|refusal| self.unusable(&refusal));
        self.answered = Some(Answered {
            bytes: answer.body.len(),
            error_type: answer.error_type.as_deref().map(classified),
            first_byte: answer.first_byte,
            complete: answer.complete,
        });
        let error = answer.error_type.map(|_| FunctionError::Unhandled);
        self.settle(answer.body, error);
    }

    fn unusable(&self, refusal: &Refusal) -> Answer {
        let (error_type, message) = if refusal.error_type == TOO_LARGE {
            let why = refusal.message.replace("Exceeded", "Response payload size exceeded");
            ("Function.ResponseSizeTooLarge", why)
        } else {
            (
                "Runtime.TruncatedResponse",
                format!("RequestId: {} Error: {}", self.request_id, refusal.message),
            )
        };
        let now = Instant::now();
        Answer {
            body: error_body(error_type, &message),
            error_type: Some(error_type.to_owned()),
            first_byte: now,
            complete: now,
        }
    }

    /// The platform answers for the function, if the caller has had no answer yet.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        let message = format!("RequestId: {} Error: {}", self.request_id, failure.message);
        let body = failure.body.clone().unwrap_or_else(|| error_body(&failure.error_type, &message));
        if self.outcome.is_none() {
            self.settle(body, Some(FunctionError::Unhandled));
        }
    }

    fn settle(&mut self, payload: Bytes, error: Option<FunctionError>) {
        self.outcome = Some(Outcome {
            request_id: self.request_id.clone(),
            payload,
            error,
            executed_version: self.version.clone(),
            log_tail: None,
        });
        if self.tail.is_none() {
            self.release();
        }
    }

    /// Lets the caller go, with the tail as it is now.
    pub(crate) fn release(&mut self) {
        if let Some(mut outcome) = self.outcome.clone()
            && let Some(caller) = self.caller.take()
        {
            outcome.log_tail = self.tail.take().map(Tail::bytes);
            // A caller that has gone away is no concern of the function's.
            let _ = caller.send(outcome);
        }
    }

    pub(crate) fn keep_tail(&mut self, text: &str) {
        if let Some(tail) = &mut self.tail {
            tail.push(text);
        }
    }
}

/// `{"errorType":…,"errorMessage":…}` as the platform writes it.
fn error_body(error_type: &str, message: &str) -> Bytes {
    Bytes::from(json!({"errorType": error_type, "errorMessage": message}).to_string())
}

/// Only AWS's own families of types are passed on in records.
fn classified(error_type: &str) -> String {
    let known = ["Runtime.", "Function.", "Sandbox.", "Extension."];
    if known.iter().any(|family| error_type.starts_with(family)) { error_type } else { "Function.Unknown" }
        .to_owned()
}

/// The last lines of the log.
#[derive(Debug, Default)]
struct Tail(VecDeque<u8>);

impl Tail {
    fn push(&mut self, text: &str) {
        let line = text.bytes().chain([b'\n']);
        self.0.extend(line.skip((text.len() + 1).saturating_sub(TAIL_BYTES_MAX)));
        let over = self.0.len().saturating_sub(TAIL_BYTES_MAX);
        self.0.drain(..over);
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(log_tail: bool) -> (Current, oneshot::Receiver<Outcome>) {
        let (caller, outcome) = oneshot::channel();
        let invocation = Invocation { log_tail, ..Invocation::new("f", "{}") };
        let current = Current::new(
            "r".to_owned(),
            "$LATEST".to_owned(),
            Tracing::default(),
            &invocation,
            Caller { outcome: caller, begun: None },
            SystemTime::UNIX_EPOCH,
        );
        (current, outcome)
    }

    fn answer(error_type: Option<&str>) -> Answer {
        let now = Instant::now();
        Answer {
            body: Bytes::from_static(b"{}"),
            error_type: error_type.map(ToOwned::to_owned),
            first_byte: now,
            complete: now,
        }
    }

    #[test]
    fn the_caller_is_answered_before_the_extensions_are_done() {
        let (mut current, mut outcome) = current(false);
        current.answer(Ok(answer(None)));
        assert_eq!(outcome.try_recv().unwrap().error, None);
    }

    #[test]
    fn a_caller_that_wants_the_tail_waits_for_it() {
        let (mut current, mut outcome) = current(true);
        current.answer(Ok(answer(Some("ValueError"))));
        assert!(outcome.try_recv().is_err());
        current.keep_tail(&"x".repeat(5_000));
        current.keep_tail("END");
        current.release();
        let outcome = outcome.try_recv().unwrap();
        let tail = outcome.log_tail.unwrap();
        assert_eq!((tail.len(), tail.ends_with(b"END\n")), (4_096, true));
        assert_eq!(current.answered.unwrap().error_type.as_deref(), Some("Function.Unknown"));
    }

    #[test]
    fn a_response_that_is_too_large_is_the_functions_error() {
        let (mut current, mut outcome) = current(false);
        current.answer(Err(Refusal {
            status: http::StatusCode::PAYLOAD_TOO_LARGE,
            error_type: TOO_LARGE,
            message: "Exceeded maximum allowed payload size (6291556 bytes).".to_owned(),
        }));
        let outcome = outcome.try_recv().unwrap();
        assert_eq!(outcome.error, Some(FunctionError::Unhandled));
        assert!(String::from_utf8_lossy(&outcome.payload).contains("Function.ResponseSizeTooLarge"));
    }
}
