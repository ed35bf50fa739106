//! An HTTP request as API Gateway (payload format 2.0) and function URLs hand it over, through the same router that
//! serves a socket. The answer goes back whole: what would go on (a live tail) is asked for as a page instead, and what
//! is too large for Lambda is a problem that says so.
//!
//! Shape: "Working with AWS Lambda proxy integrations for HTTP APIs" in the API Gateway developer guide. Our own
//! sixty lines instead of `lambda_http`, whose events bring every AWS trigger's types with them.

use std::collections::BTreeMap;
use std::time::Duration;

use api::Problem;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt as _;

use super::EventError;
use crate::route;

/// What Lambda hands out at most, with all escapes: "Lambda quotas" in its developer guide, 6 MB of an answer.
const ANSWER_BYTES_MAX: usize = 6 << 20;
/// What is sent for as long as somebody listens.
const ENDLESS: &str = "text/event-stream";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
    /// Part of the path, unless it is `$default`.
    #[serde(default)]
    stage: String,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

pub(super) fn is_event(event: &Value) -> bool {
    event.get("version").and_then(Value::as_str) == Some("2.0")
        && event.pointer("/requestContext/http/method").is_some()
}

pub(super) async fn handle(router: Router, event: Value, time_max: Duration) -> Result<Value, EventError> {
    let malformed = |source| EventError::Malformed { kind: "HTTP", source };
    let event: Event = serde_json::from_value(event).map_err(malformed)?;
    let answered = tokio::time::timeout(time_max, answered(router, event)).await;
    let answer = match answered.unwrap_or_else(|_| Err(route::out_of_time(time_max).into())) {
        Ok(answer) => answer,
        Err(problem) => whole(route::problem(&problem)).await.unwrap_or_default(),
    };
    serde_json::to_value(answer).map_err(malformed)
}

async fn answered(router: Router, event: Event) -> Result<Answer, Box<Problem>> {
    // A router never fails; its error type has no value.
    let response = router.oneshot(request(event)?).await.unwrap_or_else(|never| match never {});
    whole(response).await
}

fn request(event: Event) -> Result<http::Request<Body>, Box<Problem>> {
    let prefix = format!("/{}", event.request_context.stage);
    let path = match event.raw_path.strip_prefix(&prefix) {
        Some(rest) if !event.request_context.stage.is_empty() && rest.starts_with('/') => rest,
        _ => event.raw_path.as_str(),
    };
    let uri = match event.raw_query_string.as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    let body = event.body.unwrap_or_default();
    let wrong = |detail| Box::new(Problem::bad_request(detail));
    let body = if event.is_base64_encoded {
        STANDARD
            .decode(&body)
            .map_err(|error| wrong(format!("the body is not the base64 it claims to be: {error}")))?
    } else {
        body.into_bytes()
    };
    let mut request = http::Request::builder().method(event.request_context.http.method.as_str()).uri(uri);
    for (name, value) in &event.headers {
        let wanted = if name.eq_ignore_ascii_case("accept") { finite(value) } else { value.clone() };
        request = request.header(name, wanted);
    }
    request.body(Body::from(body)).map_err(|error| wrong(format!("no HTTP request: {error}")))
}

/// What is taken, without what never ends.
fn finite(accepted: &str) -> String {
    let kept = accepted.split(',').filter(|one| !one.trim_start().starts_with(ENDLESS));
    kept.collect::<Vec<_>>().join(",")
}

/// The response as Lambda hands it out, if it does.
async fn whole(response: Response) -> Result<Answer, Box<Problem>> {
    let (parts, body) = response.into_parts();
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = parts.headers.iter().filter_map(text).collect();
    // Bodies of ours do not fail; only their size can be wrong.
    let bytes = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|_| too_large())?.to_bytes();
    let status_code = parts.status.as_u16();
    let answer = match String::from_utf8(bytes.to_vec()) {
        Ok(body) => Answer { status_code, headers, body, is_base64_encoded: false },
        Err(bytes) => {
            Answer { status_code, headers, body: STANDARD.encode(bytes.as_bytes()), is_base64_encoded: true }
        }
    };
    // Inside Lambda's own JSON every quote of ours is two bytes.
    let bytes = serde_json::to_vec(&answer).map_or(usize::MAX, |bytes| bytes.len());
    if bytes > ANSWER_BYTES_MAX { Err(too_large()) } else { Ok(answer) }
}

fn too_large() -> Box<Problem> {
    let detail = format!("the answer has more than the {} MiB that Lambda hands out", ANSWER_BYTES_MAX >> 20);
    Problem::too_much(detail).hint("use a smaller LIMIT, fewer groups or wider buckets").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(stage: &str, path: &str, body: &Value, base64: bool) -> Event {
        serde_json::from_value(json!({
            "version": "2.0", "rawPath": path, "rawQueryString": "a=1&b=2",
            "headers": {"content-type": "application/json"},
            "requestContext": {"http": {"method": "POST", "path": path}, "stage": stage},
            "body": body, "isBase64Encoded": base64,
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn the_stage_is_no_part_of_the_path_and_the_body_is_decoded() {
        for (stage, path) in [("$default", "/v1/query"), ("prod", "/prod/v1/query"), ("v1", "/v1/v1/query")] {
            let request = request(event(stage, path, &json!("e30="), true)).unwrap();
            assert_eq!(request.uri(), "/v1/query?a=1&b=2");
            assert_eq!(request.headers()["content-type"], "application/json");
            assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "{}");
        }
    }

    #[test]
    fn what_is_no_request_is_a_problem() {
        assert_eq!(request(event("", "no path\n", &json!(null), false)).unwrap_err().status, 400);
        assert_eq!(request(event("", "/", &json!("*"), true)).unwrap_err().status, 400);
    }

    fn asked(path: &str, accept: &str) -> Value {
        json!({
            "version": "2.0", "rawPath": path, "headers": {"Accept": accept},
            "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default"},
        })
    }

    #[tokio::test]
    async fn what_never_ends_is_not_asked_for() {
        let event = serde_json::from_value(asked("/v1/tail", "text/event-stream, application/json")).unwrap();
        assert_eq!(request(event).unwrap().headers()["accept"], " application/json");
    }

    #[tokio::test]
    async fn an_answer_is_given_up_in_time_and_refused_when_it_is_too_large() {
        let router = Router::new()
            .route(
                "/endless",
                axum::routing::get(|| async {
                    Body::from_stream(futures::stream::pending::<Result<String, EventError>>())
                }),
            )
            .route("/large", axum::routing::get(|| async { "x".repeat(ANSWER_BYTES_MAX + 1) }))
            .route("/quotes", axum::routing::get(|| async { "\"".repeat(ANSWER_BYTES_MAX / 2) }))
            .route("/fits", axum::routing::get(|| async { "x".repeat(ANSWER_BYTES_MAX - 1_000) }));
        for (path, status) in [("/endless", 504), ("/large", 422), ("/quotes", 422), ("/fits", 200)] {
            let answer = handle(router.clone(), asked(path, "*/*"), Duration::from_secs(1)).await.unwrap();
            assert_eq!(answer["statusCode"], status, "{path}");
        }
    }
}
