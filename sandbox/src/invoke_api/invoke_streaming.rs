//! `InvokeWithResponseStream`: a function's chunks → messages of an event stream, as they come.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>.

use std::io;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::mpsc;

use super::error::ApiError;
use super::invoke::{EXECUTED_VERSION, TRACE, insert, invocation, refused, status_only};
use super::{REQUEST_ID, event_stream};
use crate::front::{Body, Request, Response};
use crate::{Answered, FunctionConfig, InvocationType, Lambda};

/// Messages of an event stream that may wait for a slow client, beside the chunks that wait before them.
const EVENTS_MAX: usize = 4;

/// Runs, and passes chunks on as they come, as messages of an event stream.
pub(super) async fn answer(
    lambda: &Lambda,
    function: &FunctionConfig,
    request: Request,
) -> Result<Response, ApiError> {
    let (invocation, trace_header) = invocation(function, request).await?;
    if invocation.kind == InvocationType::DryRun {
        return Ok(status_only(StatusCode::NO_CONTENT));
    }
    let lambda = lambda.clone();
    let running = tokio::spawn(async move { lambda.invoke_streaming(invocation).await });
    let answered = running.await.map_err(|_| ApiError::service("the invocation's task failed"))?;
    let answered = answered.map_err(|error| refused(&error))?;
    let (request_id, version) = match &answered {
        Answered::Whole(outcome) => (outcome.request_id.clone(), outcome.executed_version.clone()),
        Answered::Streamed(streamed) => {
            (streamed.request_id().to_owned(), streamed.executed_version().to_owned())
        }
    };
    let (events, body) = mpsc::channel(EVENTS_MAX);
    tokio::spawn(pass_on(answered, events));
    let mut response = http::Response::new(Body::Coming(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(event_stream::CONTENT_TYPE));
    insert(headers, REQUEST_ID, &request_id);
    insert(headers, EXECUTED_VERSION, &version);
    insert(headers, TRACE, &trace_header);
    Ok(response)
}

/// A client that hangs up ends this, not the function.
async fn pass_on(answered: Answered, events: mpsc::Sender<io::Result<Bytes>>) {
    let outcome = match answered {
        Answered::Whole(outcome) => {
            if outcome.error.is_none()
                && events.send(Ok(event_stream::chunk(&outcome.payload))).await.is_err()
            {
                return;
            }
            Ok(outcome)
        }
        Answered::Streamed(mut streamed) => {
            while let Some(chunk) = streamed.chunk().await {
                if events.send(Ok(event_stream::chunk(&chunk))).await.is_err() {
                    return;
                }
            }
            streamed.outcome().await
        }
    };
    let end = outcome.map(|outcome| event_stream::complete(&outcome)).map_err(io::Error::other);
    let _ = events.send(end).await;
}
