//! OTLP/HTTP: POSTs to `/v1/traces`, `/v1/logs` and `/v1/metrics`, protobuf or JSON, plain or gzip. The answer is in
//! the request's encoding: the signal's export response, or a `google.rpc.Status` that says why not.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wire::Signal;
use wire::export::{Code, Encoding, accepted, refused};

use super::request::{Form, Reader, Refusal};
use crate::fault::{self, Place};

/// Seconds. What fills the queue is gone after the next turn of the event loop.
const RETRY_AFTER_S: &str = "1";

/// One connection, to its end.
pub(super) async fn serve(stream: TcpStream, reader: Reader) {
    let answer = service_fn(|request| {
        let reader = reader.clone();
        async move { Ok::<_, Infallible>(respond(request, &reader).await) }
    });
    // A connection that breaks has had no 200, so the SDK sends again.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn respond(request: Request<Incoming>, reader: &Reader) -> Response<Full<Bytes>> {
    let _speaking = reader.listen();
    fault::pass(Place::Otlp);
    let (parts, body) = request.into_parts();
    let encoding = encoding(&parts.headers);
    let Some(signal) = signal(parts.uri.path()) else {
        return refusal(StatusCode::NOT_FOUND, encoding, Code::Unimplemented, "not a path of OTLP");
    };
    if parts.method != Method::POST {
        let mut response =
            refusal(StatusCode::METHOD_NOT_ALLOWED, encoding, Code::Unimplemented, "exports are POSTs");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let Some(known) = encoding else {
        let why = "Content-Type must be application/x-protobuf or application/json";
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, encoding, Code::InvalidArgument, why);
    };
    let Some(gzip) = gzip(&parts.headers) else {
        let why = "Content-Encoding must be gzip or identity";
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, encoding, Code::InvalidArgument, why);
    };
    match export(body, Form { signal, encoding: known, gzip }, reader).await {
        Ok(rejected) => answer(StatusCode::OK, known, accepted(signal, known, rejected)),
        Err(why) => refused_export(&why, known),
    }
}

async fn export(body: Incoming, form: Form, reader: &Reader) -> Result<u64, Refusal> {
    let body = reader.read(body).await?;
    let message = body.bytes.clone();
    reader.take(body, &message, form)
}

fn signal(path: &str) -> Option<Signal> {
    match path {
        "/v1/traces" => Some(Signal::Traces),
        "/v1/logs" => Some(Signal::Logs),
        "/v1/metrics" => Some(Signal::Metrics),
        _ => None,
    }
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
}

/// None for a compression that nobody has to know.
fn gzip(headers: &HeaderMap) -> Option<bool> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Some(false),
        Some(name) => name.eq_ignore_ascii_case(b"gzip").then_some(true),
    }
}

fn refused_export(why: &Refusal, encoding: Encoding) -> Response<Full<Bytes>> {
    let encoding = Some(encoding);
    let mut response = match why {
        Refusal::Unreadable(why) => refusal(StatusCode::BAD_REQUEST, encoding, Code::InvalidArgument, why),
        Refusal::TooLarge => {
            let why = "more than is taken at once: send smaller batches";
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, encoding, Code::ResourceExhausted, why);
        }
        Refusal::Busy => {
            refusal(StatusCode::TOO_MANY_REQUESTS, encoding, Code::ResourceExhausted, "the queue is full")
        }
        Refusal::Closed => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, encoding, Code::Unavailable, "the sandbox ends")
        }
    };
    if matches!(why, Refusal::Busy | Refusal::Closed) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}

/// In JSON where the request's encoding is not one of ours: people read that.
fn refusal(status: StatusCode, encoding: Option<Encoding>, code: Code, why: &str) -> Response<Full<Bytes>> {
    let encoding = encoding.unwrap_or(Encoding::Json);
    answer(status, encoding, refused(encoding, code, why))
}

fn answer(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
