//! OTLP/gRPC: three unary methods over HTTP/2 without TLS. One message comes in (a flag, four bytes of length, the
//! request), one goes out, and the status stands in the trailers. This is all of gRPC that OTLP needs; ADR 10 has
//! the figures that speak against a whole gRPC server.
//!
//! Source: grpc/doc/PROTOCOL-HTTP2.md.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use wire::Signal;
use wire::export::{Code, Encoding, accepted};

use super::request::{Form, Reader, Refusal};

/// The flag and the length before a message.
const PREFIX_BYTES: usize = 5;
/// Exports of one channel at a time; SDKs send one after another.
const STREAMS_MAX: u32 = 8;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// One connection, to its end.
pub(super) async fn serve(stream: TcpStream, reader: Reader) {
    let answer = service_fn(|request| {
        let reader = reader.clone();
        async move { Ok::<_, Infallible>(respond(request, &reader).await) }
    });
    let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    server.max_concurrent_streams(STREAMS_MAX).auto_date_header(false);
    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
}

async fn respond(request: Request<Incoming>, reader: &Reader) -> Answer {
    let _speaking = reader.listen();
    let (parts, body) = request.into_parts();
    let Some(signal) = signal(parts.uri.path()) else {
        return failed(Code::Unimplemented, "not a method of OTLP");
    };
    let Some(gzip_allowed) = gzip_allowed(&parts.headers) else {
        return failed(Code::Unimplemented, "grpc-encoding must be gzip or identity");
    };
    match export(body, signal, gzip_allowed, reader).await {
        Ok(rejected) => succeeded(&accepted(signal, Encoding::Protobuf, rejected)),
        Err(Refusal::Unreadable(why)) => failed(Code::InvalidArgument, &why),
        Err(Refusal::TooLarge) => {
            failed(Code::ResourceExhausted, "more than is taken at once: send smaller batches")
        }
        // Without RetryInfo an SDK gives up on ResourceExhausted; Unavailable it sends again.
        Err(Refusal::Busy) => failed(Code::Unavailable, "the queue is full"),
        Err(Refusal::Closed) => failed(Code::Unavailable, "the sandbox ends"),
    }
}

async fn export(body: Incoming, signal: Signal, gzip_allowed: bool, reader: &Reader) -> Result<u64, Refusal> {
    let body = reader.read(body).await?;
    let all = body.bytes.clone();
    let (gzip, message) = message(&all)?;
    if gzip && !gzip_allowed {
        return Err(Refusal::Unreadable("a compressed message without grpc-encoding".to_owned()));
    }
    reader.take(body, message, Form { signal, encoding: Encoding::Protobuf, gzip })
}

/// The one message of a unary call, and whether it is compressed.
fn message(body: &[u8]) -> Result<(bool, &[u8]), Refusal> {
    let wrong = |why: &str| Refusal::Unreadable(why.to_owned());
    let (prefix, message) =
        body.split_at_checked(PREFIX_BYTES).ok_or_else(|| wrong("no message, or half of its head"))?;
    let [flag, length @ ..] = prefix else { return Err(wrong("no message")) };
    let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    match (flag, message.len()) {
        (0 | 1, bytes) if bytes == length => Ok((*flag == 1, message)),
        (0 | 1, _) => Err(wrong("the message is cut, or not the only one")),
        _ => Err(wrong("an unknown flag before the message")),
    }
}

fn signal(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        _ => None,
    }
}

/// None for a compression that nobody has to know.
fn gzip_allowed(headers: &HeaderMap) -> Option<bool> {
    match headers.get(GRPC_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Some(false),
        Some(b"gzip") => Some(true),
        Some(_) => None,
    }
}

fn succeeded(message: &[u8]) -> Answer {
    let mut body = vec![0; PREFIX_BYTES];
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    body[1..].copy_from_slice(&length);
    body.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(body)).with_trailers(std::future::ready(Some(Ok(trailers))));
    head(Response::new(BoxBody::new(body)))
}

/// A status without a message is told in the headers ("trailers only").
fn failed(code: Code, why: &str) -> Answer {
    let mut response = head(Response::new(BoxBody::new(Empty::new())));
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(code.number()));
    if let Ok(why) = HeaderValue::from_str(&percent_encoded(why)) {
        headers.insert(GRPC_MESSAGE, why);
    }
    response
}

fn head(mut response: Answer) -> Answer {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// gRPC's own percent encoding: everything but printable ASCII, and the percent sign.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => {
                // Writing into a text cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_whole_message_is_a_unary_call() {
        assert_eq!(message(b"\0\0\0\0\x02ab"), Ok((false, &b"ab"[..])));
        assert_eq!(message(b"\x01\0\0\0\0"), Ok((true, &b""[..])));
        for wrong in [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x03ab", b"\0\0\0\0\x01ab", b"\x02\0\0\0\x02ab"] {
            assert!(message(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_reason_is_a_header_whatever_it_says() {
        assert_eq!(percent_encoded("50 % of café\n"), "50 %25 of caf%C3%A9%0A");
    }
}
