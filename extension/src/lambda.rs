//! The platform's side that the extension calls: registration, `/next`, and the telemetry subscription.
//! Source: AWS Lambda Developer Guide, "Extensions API" and "Telemetry API".

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use lambda_api::extensions::{self, EventKind, NextEvent, RegisterRequest, RegisterResponse};
use lambda_api::telemetry::{self, Buffering, Category, Destination, SchemaVersion, Subscription};

use crate::http_call::{CallError, Caller};

/// The platform answers within milliseconds, or goes on without telemetry being subscribed to.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How the platform buffers for us. Delivery soon after `runtimeDone` keeps the sandbox's extra time small, so the
/// shortest time AWS allows; few items would mean more POSTs with one in flight at a time, and small bodies cut large
/// records in two: the most that AWS allows of both.
pub const BUFFERING: Buffering =
    Buffering { max_items: Some(10_000), max_bytes: Some(1_048_576), timeout_ms: Some(25) };

/// Why a call was in vain.
#[derive(Debug, thiserror::Error)]
pub enum LambdaError {
    /// No answer.
    #[error("{what}: no answer")]
    Call {
        /// What was asked.
        what: &'static str,
        /// Why not.
        source: CallError,
    },
    /// No answer in time.
    #[error("{what}: no answer within {} ms", ANSWER_TIMEOUT.as_millis())]
    Timeout {
        /// What was asked.
        what: &'static str,
    },
    /// The platform said no.
    #[error("{what}: refused with {status}: {said}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Its status.
        status: StatusCode,
        /// Its body, or the beginning of it.
        said: String,
    },
    /// An answer without what the API promises.
    #[error("{what}: unreadable answer: {said}")]
    Unreadable {
        /// What was asked.
        what: &'static str,
        /// What is missing or wrong.
        said: String,
    },
}

/// A registered extension.
#[derive(Debug)]
pub struct Lambda {
    platform: Caller,
    identifier: String,
}

/// What the subscription came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// Records come, in this shape.
    Yes(SchemaVersion),
    /// This platform has no Telemetry API (AWS's emulator says so with 202): there is nothing to ship.
    NotSupported,
}

impl Lambda {
    /// Registers for INVOKE and SHUTDOWN; for SHUTDOWN alone on Managed Instances and wherever the platform refuses
    /// INVOKE. It waits as long as the platform itself lets an initialisation take: without an identifier there is no
    /// `/next`, so whoever gives up earlier fails a function that would have started.
    ///
    /// # Errors
    /// When the platform refuses both, or cannot be reached.
    pub async fn register(
        authority: &str,
        name: &str,
        initialization_type: &str,
    ) -> Result<(Self, RegisterResponse), LambdaError> {
        if initialization_type == pipeline::MANAGED_INSTANCES {
            return Self::register_for(authority, name, vec![EventKind::Shutdown]).await;
        }
        let both = vec![EventKind::Invoke, EventKind::Shutdown];
        match Self::register_for(authority, name, both).await {
            Err(LambdaError::Refused { .. }) => {
                Self::register_for(authority, name, vec![EventKind::Shutdown]).await
            }
            answered => answered,
        }
    }

    async fn register_for(
        authority: &str,
        name: &str,
        events: Vec<EventKind>,
    ) -> Result<(Self, RegisterResponse), LambdaError> {
        let what = "registration";
        let platform = Caller::new(authority);
        let request = request(what, &platform, Method::POST, extensions::REGISTER_PATH)?
            .header(extensions::NAME_HEADER, name)
            .header(extensions::FEATURE_HEADER, extensions::ACCOUNT_FEATURE);
        let request = posting(what, request, &RegisterRequest { events })?;
        let answer = platform.call(request).await.map_err(|source| LambdaError::Call { what, source })?;
        let answer = accepted(what, answer)?;
        let identifier = answer
            .headers()
            .get(extensions::IDENTIFIER_HEADER)
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| unreadable(what, "no identifier"))?
            .to_owned();
        // The body only tells what the environment tells too.
        let function = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok((Self { platform, identifier }, function))
    }

    /// Subscribes to everything, newest schema first, older ones where the platform does not know it (400).
    ///
    /// # Errors
    /// When the platform knows none of them, refuses for another reason, or does not answer.
    pub async fn subscribe(&self, port: u16) -> Result<Subscribed, LambdaError> {
        let what = "telemetry subscription";
        let mut refused = unreadable(what, "no schema to try");
        for schema_version in SchemaVersion::ALL {
            let subscription = Subscription {
                schema_version,
                types: vec![Category::Platform, Category::Function, Category::Extension],
                buffering: Some(BUFFERING),
                destination: Destination::http(port),
            };
            let request = request(what, &self.platform, Method::PUT, telemetry::SUBSCRIBE_PATH)?
                .header(extensions::IDENTIFIER_HEADER, &self.identifier);
            let request = posting(what, request, &subscription)?;
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.platform.call(request))
                .await
                .map_err(|_| LambdaError::Timeout { what })?
                .map_err(|source| LambdaError::Call { what, source })?;
            match answer.status() {
                StatusCode::ACCEPTED => return Ok(Subscribed::NotSupported),
                StatusCode::BAD_REQUEST => refused = refusal(what, &answer),
                _ => return accepted(what, answer).map(|_| Subscribed::Yes(schema_version)),
            }
        }
        Err(refused)
    }

    /// Says that the extension is done with what came before, and waits for what comes next: without a limit, since
    /// the sandbox is frozen while nothing does.
    ///
    /// # Errors
    /// When the connection breaks, or the event is of a kind that we did not register for.
    pub async fn next(&self) -> Result<NextEvent, LambdaError> {
        let what = "next event";
        let request = request(what, &self.platform, Method::GET, extensions::NEXT_PATH)?
            .header(extensions::IDENTIFIER_HEADER, &self.identifier)
            .body(Full::default())
            .map_err(|error| unreadable(what, &error.to_string()))?;
        let answer =
            self.platform.call(request).await.map_err(|source| LambdaError::Call { what, source })?;
        let answer = accepted(what, answer)?;
        serde_json::from_slice(answer.body()).map_err(|error| unreadable(what, &error.to_string()))
    }
}

fn request(
    what: &'static str,
    platform: &Caller,
    method: Method,
    path: &str,
) -> Result<http::request::Builder, LambdaError> {
    let host = http::HeaderValue::from_str(platform.authority())
        .map_err(|error| unreadable(what, &error.to_string()))?;
    Ok(Request::builder().method(method).uri(path).header(http::header::HOST, host))
}

fn posting(
    what: &'static str,
    request: http::request::Builder,
    body: &impl serde::Serialize,
) -> Result<Request<Full<Bytes>>, LambdaError> {
    let body = serde_json::to_vec(body).map_err(|error| unreadable(what, &error.to_string()))?;
    request
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Full::from(body))
        .map_err(|error| unreadable(what, &error.to_string()))
}

fn accepted(what: &'static str, answer: Response<Bytes>) -> Result<Response<Bytes>, LambdaError> {
    if answer.status().is_success() { Ok(answer) } else { Err(refusal(what, &answer)) }
}

fn refusal(what: &'static str, answer: &Response<Bytes>) -> LambdaError {
    let said = String::from_utf8_lossy(answer.body()).chars().take(300).collect();
    LambdaError::Refused { what, status: answer.status(), said }
}

fn unreadable(what: &'static str, said: &str) -> LambdaError {
    LambdaError::Unreadable { what, said: said.to_owned() }
}
