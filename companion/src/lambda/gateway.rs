//! An HTTP request as API Gateway (payload format 2.0) and function URLs hand it over, through the same router that
//! serves a socket.
//!
//! Shape: "Working with AWS Lambda proxy integrations for HTTP APIs" in the API Gateway developer guide. Our own
//! sixty lines instead of `lambda_http`, whose events bring every AWS trigger's types with them.

use std::collections::BTreeMap;

use api::Problem;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt as _;

use super::EventError;
use crate::route;

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

#[derive(Serialize)]
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

pub(super) async fn handle(router: Router, event: Value) -> Result<Value, EventError> {
    let malformed = |source| EventError::Malformed { kind: "HTTP", source };
    let event: Event = serde_json::from_value(event).map_err(malformed)?;
    let response = match request(event) {
        // A router never fails; its error type has no value.
        Ok(request) => router.oneshot(request).await.unwrap_or_else(|never| match never {}),
        Err(problem) => route::problem(&problem),
    };
    serde_json::to_value(answer(response).await).map_err(malformed)
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
        request = request.header(name, value);
    }
    request.body(Body::from(body)).map_err(|error| wrong(format!("no HTTP request: {error}")))
}

async fn answer(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = parts.headers.iter().filter_map(text).collect();
    // Ours are whole in memory already.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let status_code = parts.status.as_u16();
    match String::from_utf8(bytes.to_vec()) {
        Ok(body) => Answer { status_code, headers, body, is_base64_encoded: false },
        Err(bytes) => {
            Answer { status_code, headers, body: STANDARD.encode(bytes.as_bytes()), is_base64_encoded: true }
        }
    }
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
}
