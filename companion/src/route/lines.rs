//! An answer as lines of JSON: first the run with its id, so that it can be stopped; then every row as a line of its own;
//! last what is left. Rows are sent when the answer is complete, which is bounded; what is saved is one large document
//! on either side. Why there is no answer, also what is wrong with the question, is the last line.

use api::{Problem, QueryResponse, QueryRun};
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde_json::json;

use super::answer::out_of_time;
use super::query::{How, answer};
use super::run::RunId;
use crate::companion::Companion;
use crate::question::Question;

const MEDIA_TYPE: &str = "application/x-ndjson";

/// Whether whoever asks takes lines.
pub(super) fn wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|text| text.split(','))
        .any(|one| one.split(';').next().is_some_and(|one| one.trim() == MEDIA_TYPE))
}

/// Answers in lines.
pub(super) fn stream(companion: Companion, id: RunId, question: Question, how: How) -> Response {
    let run = QueryRun { id: id.as_str().to_owned(), status: "STARTED".to_owned(), ..QueryRun::default() };
    let first = stream::once(async move { line("queryRun", &run) });
    let rest = stream::once(async move {
        // The time of a request ends with its head, which is sent before there is an answer.
        let limit = companion.settings().request_timeout;
        match tokio::time::timeout(limit, Box::pin(answer(&companion, &id, question, how))).await {
            Ok(Ok(response)) => rows(response),
            Ok(Err(why)) => vec![failure(&why)],
            Err(_) => vec![failure(&out_of_time(limit))],
        }
    });
    let all = first.chain(rest.flat_map(stream::iter)).map(Ok::<_, std::convert::Infallible>);
    let mut response = Response::new(Body::from_stream(all));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// Every row of an answer, then the answer without them.
fn rows(response: QueryResponse) -> Vec<Bytes> {
    let mut data = response.data;
    let mut lines: Vec<Bytes> = Vec::new();
    for (name, events) in [
        ("event", std::mem::take(&mut data.events)),
        ("request", std::mem::take(&mut data.requests)),
        ("invocation", std::mem::take(&mut data.invocations)),
        ("trace", std::mem::take(&mut data.traces)),
    ] {
        lines.extend(events.iter().map(|row| line(name, row)));
    }
    lines.extend(std::mem::take(&mut data.calculations.aggregates).iter().map(|row| line("aggregate", row)));
    lines.extend(std::mem::take(&mut data.calculations.series).iter().map(|row| line("bucket", row)));
    lines.push(line("data", &data));
    lines
}

fn failure(why: &Problem) -> Bytes {
    line("problem", why)
}

fn line(name: &str, value: &impl Serialize) -> Bytes {
    let mut text = json!({ name: value }).to_string();
    text.push('\n');
    text.into()
}
