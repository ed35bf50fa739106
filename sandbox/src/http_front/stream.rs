//! A function's streamed answer → an HTTP response that goes on while the function writes.
//!
//! What is sent as `application/vnd.awslambda.http-integration-response` begins with a head: JSON with status, headers
//! and cookies, then eight zero bytes. Source: what AWS's runtime client for Node writes for `HttpResponseStream`.
//! API Gateway's HTTP APIs hold such answers back until they are whole; function URLs do not. The function's settings
//! say which is wanted here.

use std::io;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::reply;
use crate::Streamed;
use crate::front::{Body, Response};

const WITH_HEAD: &str = "application/vnd.awslambda.http-integration-response";
const HEAD_ENDS: [u8; 8] = [0; 8];

/// A head longer than this is none: headers of a response are a few kilobytes.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// Chunks that may wait for the connection, beside those that wait before them.
const CHUNKS_MAX: usize = 2;

/// The response when all of it is there; `None` also if the function failed on the way.
pub(super) async fn whole(streamed: Streamed) -> Option<Response> {
    let (head, body) = respond(streamed).await?.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some(Response::from_parts(head, body.into()))
}

/// The response as soon as its head is there; `None` if that is not what a function may send.
pub(super) async fn respond(mut streamed: Streamed) -> Option<Response> {
    if streamed.content_type() != WITH_HEAD {
        let mut response = http::Response::new(Body::from(Bytes::new()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(streamed.content_type()).ok()?);
        return Some(going_on(response, Bytes::new(), streamed));
    }
    let mut read = BytesMut::new();
    let end = loop {
        match read.windows(HEAD_ENDS.len()).position(|window| window == HEAD_ENDS) {
            Some(end) => break end,
            None if read.len() > HEAD_BYTES_MAX => return None,
            None => read.extend_from_slice(&streamed.chunk().await?),
        }
    };
    let head = read.split_to(end);
    let rest = read.freeze().slice(HEAD_ENDS.len()..);
    let mut head: Map<String, Value> = serde_json::from_slice(&head).ok()?;
    head.entry("statusCode").or_insert_with(|| Value::from(200));
    Some(going_on(reply::head(&head)?, rest, streamed))
}

fn going_on(response: Response, first: Bytes, streamed: Streamed) -> Response {
    let (chunks, body) = mpsc::channel(CHUNKS_MAX);
    tokio::spawn(pass_on(first, streamed, chunks));
    response.map(|_| Body::Coming(body))
}

/// A client that hangs up ends this, not the function. A function that fails on the way cuts the connection.
async fn pass_on(first: Bytes, mut streamed: Streamed, chunks: mpsc::Sender<io::Result<Bytes>>) {
    let mut next = Some(first);
    while let Some(chunk) = next {
        if !chunk.is_empty() && chunks.send(Ok(chunk)).await.is_err() {
            return;
        }
        next = streamed.chunk().await;
    }
    let failed = streamed.outcome().await.map_or(true, |outcome| outcome.error.is_some());
    if failed {
        let _ = chunks.send(Err(io::Error::other("the function failed while it streamed"))).await;
    }
}
