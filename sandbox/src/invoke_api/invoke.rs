//! `Invoke`: headers and body → [`Invocation`], [`Outcome`] → headers and body.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::REQUEST_ID;
use super::error::ApiError;
use super::event_queue::EventQueue;
use crate::front::{self, BodyError, Request, Response, tenant, trace};
use crate::{FunctionConfig, Invocation, InvocationType, InvokeError, Lambda, Outcome};

/// The longest payload of a synchronous invocation.
const REQUEST_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The longest payload of an asynchronous invocation: 1 MB since October 2025, 256 KB before.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// The longest client context before base64.
const CLIENT_CONTEXT_BYTES_MAX: usize = 3_583;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
pub(super) const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
pub(super) const TRACE: HeaderName = HeaderName::from_static(trace::TRACE_HEADER);

/// Runs, queues or only checks, as the request says.
pub(super) async fn answer(
    lambda: &Lambda,
    queue: &EventQueue,
    function: &FunctionConfig,
    request: Request,
) -> Result<Response, ApiError> {
    let (invocation, trace_header) = invocation(function, request).await?;
    let mut response = match invocation.kind {
        InvocationType::DryRun => return Ok(status_only(StatusCode::NO_CONTENT)),
        InvocationType::Event => {
            let mut accepted = status_only(StatusCode::ACCEPTED);
            insert(accepted.headers_mut(), REQUEST_ID, &queue.push(invocation)?);
            accepted
        }
        InvocationType::RequestResponse => response(&wait(lambda, invocation).await?),
    };
    insert(response.headers_mut(), TRACE, &trace_header);
    Ok(response)
}

/// What a request asks for, and the trace that its answer names.
pub(super) async fn invocation(
    function: &FunctionConfig,
    request: Request,
) -> Result<(Invocation, String), ApiError> {
    let (parts, body) = request.into_parts();
    let kind = invocation_type(&parts.headers)?;
    let bytes_max = if kind == InvocationType::Event { EVENT_BYTES_MAX } else { REQUEST_BYTES_MAX };
    let body = front::read_body(body, bytes_max).await.map_err(|error| match error {
        BodyError::TooLarge => ApiError::too_large(bytes_max),
        BodyError::Broken => ApiError::body_incomplete(),
    })?;
    let mut invocation = Invocation::new(&function.name, payload(body)?);
    invocation.kind = kind;
    invocation.client_context = client_context(&parts.headers)?;
    invocation.log_tail = log_tail(&parts.headers)?;
    invocation.tenant_id = tenant::of(function, &parts.headers)
        .map_err(|error| ApiError::invalid_parameter(error.to_string()))?;
    let trace_header = trace::sampled(&trace::header(text(&parts.headers, &TRACE), Timestamp::now()));
    invocation.trace_header = Some(trace_header.clone());
    Ok((invocation, trace_header))
}

/// The exception that a caller gets for an invocation that did not run.
pub(super) fn refused(error: &InvokeError) -> ApiError {
    match error {
        InvokeError::Throttled { .. } => ApiError::throttled(),
        InvokeError::PayloadTooLarge { bytes_max, .. } => ApiError::too_large(*bytes_max),
        other => ApiError::service(other.to_string()),
    }
}

/// A client that hangs up does not end the invocation: it runs in a task of its own.
async fn wait(lambda: &Lambda, invocation: Invocation) -> Result<Outcome, ApiError> {
    let lambda = lambda.clone();
    match tokio::spawn(async move { lambda.invoke(invocation).await }).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(error)) => Err(refused(&error)),
        Err(error) => {
            tracing::error!(%error, "an invocation's task failed");
            Err(ApiError::service("the invocation's task failed"))
        }
    }
}

fn response(outcome: &Outcome) -> Response {
    let mut response = http::Response::new(outcome.payload.clone().into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    insert(headers, REQUEST_ID, &outcome.request_id);
    insert(headers, EXECUTED_VERSION, &outcome.executed_version);
    if let Some(error) = outcome.error {
        insert(headers, FUNCTION_ERROR, error.as_str());
    }
    if let Some(tail) = &outcome.log_tail {
        insert(headers, LOG_RESULT, &STANDARD.encode(tail));
    }
    response
}

pub(super) fn status_only(status: StatusCode) -> Response {
    let mut response = http::Response::new(Bytes::new().into());
    *response.status_mut() = status;
    insert(response.headers_mut(), REQUEST_ID, &Uuid::new_v4().to_string());
    response
}

pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            headers.insert(name, value);
        }
        Err(error) => tracing::warn!(%name, %error, "a header was left out"),
    }
}

/// The payload, which must be JSON; an empty one is `{}`, as Lambda has it.
fn payload(body: Bytes) -> Result<Bytes, ApiError> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    serde_json::from_slice::<IgnoredAny>(&body).map_err(|error| ApiError::not_json(&error))?;
    Ok(body)
}

fn invocation_type(headers: &HeaderMap) -> Result<InvocationType, ApiError> {
    match text(headers, &INVOCATION_TYPE) {
        None | Some("RequestResponse") => Ok(InvocationType::RequestResponse),
        Some("Event") => Ok(InvocationType::Event),
        Some("DryRun") => Ok(InvocationType::DryRun),
        Some(other) => Err(ApiError::invalid_parameter(format!(
            "{other:?} is no invocation type: RequestResponse, Event or DryRun"
        ))),
    }
}

fn log_tail(headers: &HeaderMap) -> Result<bool, ApiError> {
    match text(headers, &LOG_TYPE) {
        None | Some("None") => Ok(false),
        Some("Tail") => Ok(true),
        Some(other) => Err(ApiError::invalid_parameter(format!("{other:?} is no log type: None or Tail"))),
    }
}

/// Base64 in the header, JSON for the function.
fn client_context(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(header) = headers.get(CLIENT_CONTEXT) else { return Ok(None) };
    let decoded =
        STANDARD.decode(header.as_bytes()).ok().filter(|json| json.len() <= CLIENT_CONTEXT_BYTES_MAX);
    let json = decoded.and_then(|json| String::from_utf8(json).ok());
    json.filter(|json| serde_json::from_str::<IgnoredAny>(json).is_ok())
        .map(Some)
        .ok_or_else(ApiError::invalid_client_context)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionError;

    fn headers(name: &HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_static(value))])
    }

    #[test]
    fn an_outcome_becomes_headers_and_body() {
        let answered = response(&Outcome {
            request_id: "id".into(),
            payload: Bytes::from_static(b"{}"),
            error: Some(FunctionError::Unhandled),
            executed_version: "$LATEST".into(),
            log_tail: Some(b"END\n".to_vec()),
        });
        assert_eq!(answered.status(), 200);
        assert_eq!(answered.headers()[REQUEST_ID], "id");
        assert_eq!(answered.headers()[FUNCTION_ERROR], "Unhandled");
        assert_eq!(answered.headers()[EXECUTED_VERSION], "$LATEST");
        assert_eq!(answered.headers()[LOG_RESULT], "RU5ECg==");
    }

    #[test]
    fn header_values_are_checked() {
        assert_eq!(invocation_type(&HeaderMap::new()), Ok(InvocationType::RequestResponse));
        assert_eq!(invocation_type(&headers(&INVOCATION_TYPE, "Event")), Ok(InvocationType::Event));
        assert!(invocation_type(&headers(&INVOCATION_TYPE, "event")).is_err());
        assert_eq!(log_tail(&headers(&LOG_TYPE, "Tail")), Ok(true));
        assert!(log_tail(&headers(&LOG_TYPE, "All")).is_err());
    }

    #[test]
    fn the_client_context_is_base64_of_json() {
        assert_eq!(client_context(&headers(&CLIENT_CONTEXT, "eyJhIjoxfQ==")), Ok(Some(r#"{"a":1}"#.into())));
        for wrong in ["{}", "eyJh", "%"] {
            assert!(client_context(&headers(&CLIENT_CONTEXT, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_payload_is_json() {
        assert_eq!(payload(Bytes::new()), Ok(Bytes::from_static(b"{}")));
        assert_eq!(payload(Bytes::from_static(b"[1]")), Ok(Bytes::from_static(b"[1]")));
        assert!(payload(Bytes::from_static(b"{\"a\":")).is_err());
        assert!(payload(Bytes::from_static(b"\xff")).is_err());
    }
}
