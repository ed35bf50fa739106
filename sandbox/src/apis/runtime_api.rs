//! The Runtime API: the function's runtime asks for work and sends answers.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use lambda_api::runtime::{
    CLIENT_CONTEXT_HEADER, DEADLINE_HEADER, ERROR_TYPE_HEADER, FUNCTION_ARN_HEADER, REQUEST_ID_HEADER,
    RESPONSE_MODE_HEADER, TENANT_HEADER, TRACE_HEADER,
};
use tokio::sync::mpsc;

use super::{Inbox, Request, Response, accepted, ask, header, small_body};
use crate::message::{Answer, Message, Refusal, Work};

/// Lambda's limit on a buffered response: 6 MB and a little, as its error message has it.
pub(crate) const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;
/// Lambda's default limit on a streamed response.
pub(crate) const STREAMED_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The refusal that also makes the invocation fail with `Function.ResponseSizeTooLarge`.
pub(crate) const TOO_LARGE: &str = "RequestEntityTooLarge";

pub(super) async fn next(inbox: &Inbox) -> Result<Response, Refusal> {
    let work = ask(inbox, Message::RuntimeNext).await?;
    Ok(render(work))
}

fn render(work: Work) -> Response {
    let mut response = http::Response::new(Full::new(work.payload));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut set = |name: &'static str, value: &str| {
        // A client context with control characters cannot be a header; AWS would not have accepted it either.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set(REQUEST_ID_HEADER, &work.request_id);
    set(DEADLINE_HEADER, &work.deadline_ms.to_string());
    set(FUNCTION_ARN_HEADER, &work.function_arn);
    set(TRACE_HEADER, &work.trace);
    if let Some(context) = &work.client_context {
        set(CLIENT_CONTEXT_HEADER, context);
    }
    if let Some(tenant) = &work.tenant_id {
        set(TENANT_HEADER, tenant);
    }
    response
}

pub(super) async fn response(request: Request, id: &str, inbox: &Inbox) -> Result<Response, Refusal> {
    let streamed = match header(request.headers(), RESPONSE_MODE_HEADER) {
        "" => false,
        "streaming" => true,
        _ => {
            return Err(Refusal::bad_request(
                "InvalidFunctionResponseMode",
                "Invalid function response mode",
            ));
        }
    };
    let (sink, bytes_max) = if streamed {
        (begin(&request, id, inbox).await, STREAMED_BYTES_MAX)
    } else {
        (None, RESPONSE_BYTES_MAX)
    };
    let answer = read(request.into_body(), bytes_max, sink).await;
    send(id, answer, inbox).await
}

/// Where chunks go as they come. Of a wrong request id the answer itself will tell.
async fn begin(request: &Request, id: &str, inbox: &Inbox) -> Option<mpsc::Sender<Bytes>> {
    let request_id = id.to_owned();
    let content_type = match header(request.headers(), CONTENT_TYPE.as_str()) {
        "" => "application/octet-stream".to_owned(),
        named => named.to_owned(),
    };
    ask(inbox, |reply| Message::RuntimeStreams { request_id, content_type, reply }).await.ok().flatten()
}

pub(super) async fn error(request: Request, id: &str, inbox: &Inbox) -> Result<Response, Refusal> {
    let named = header(request.headers(), ERROR_TYPE_HEADER).to_owned();
    let answer = read(request.into_body(), RESPONSE_BYTES_MAX, None).await.map(|mut answer| {
        answer.error_type = Some(if named.is_empty() { "Function.Unknown".to_owned() } else { named });
        answer
    });
    send(id, answer, inbox).await
}

/// A refused body is told to the owner too: the invocation has had its answer, though an unusable one.
async fn send(id: &str, answer: Result<Answer, Refusal>, inbox: &Inbox) -> Result<Response, Refusal> {
    let request_id = id.to_owned();
    ask(inbox, |reply| Message::RuntimeAnswer { request_id, answer, reply }).await?;
    Ok(accepted())
}

pub(super) async fn restore_next(inbox: &Inbox) -> Result<Response, Refusal> {
    ask(inbox, Message::RestoreNext).await?;
    Ok(http::Response::new(Full::default()))
}

pub(super) async fn restore_error(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let (error_type, body) = what_failed(request).await?;
    ask(inbox, |reply| Message::RestoreError { error_type, body, reply }).await?;
    Ok(accepted())
}

async fn what_failed(request: Request) -> Result<(String, Bytes), Refusal> {
    let named = header(request.headers(), ERROR_TYPE_HEADER).to_owned();
    let error_type = if named.is_empty() { "Runtime.Unknown".to_owned() } else { named };
    Ok((error_type, small_body(request.into_body()).await?))
}

pub(super) async fn init_error(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let (error_type, body) = what_failed(request).await?;
    ask(inbox, |reply| Message::RuntimeInitError { error_type, body, reply }).await?;
    Ok(accepted())
}

/// The whole body with the times that the platform's spans are made of; each chunk also goes where a caller takes it. A
/// stream that fails half-way says so in trailers.
async fn read(
    mut body: Incoming,
    bytes_max: usize,
    mut sink: Option<mpsc::Sender<Bytes>>,
) -> Result<Answer, Refusal> {
    let mut first_byte = None;
    let mut kept = BytesMut::new();
    let mut seen = 0_usize;
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refusal::bad_request("TruncatedHTTPRequest", "HTTP request detected as truncated")
        })?;
        first_byte.get_or_insert_with(Instant::now);
        match frame.into_data() {
            Ok(data) => {
                seen = seen.saturating_add(data.len());
                if seen <= bytes_max {
                    kept.extend_from_slice(&data);
                    // A caller that has hung up gets no more; the function goes on.
                    sink = match sink {
                        Some(sink) => sink.send(data).await.is_ok().then_some(sink),
                        None => None,
                    };
                }
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    if seen > bytes_max {
        return Err(Refusal {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            error_type: TOO_LARGE,
            message: format!("Exceeded maximum allowed payload size ({bytes_max} bytes)."),
        });
    }
    let complete = Instant::now();
    let failed = header(&trailers, ERROR_TYPE_HEADER);
    Ok(Answer {
        body: Bytes::from(kept),
        error_type: (!failed.is_empty()).then(|| failed.to_owned()),
        first_byte: first_byte.unwrap_or(complete),
        complete,
    })
}
