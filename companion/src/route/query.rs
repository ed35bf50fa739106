//! `POST /v1/query`.

use std::time::SystemTime;

use api::{Problem, QueryResponse};
use axum::body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header;
use model::Timestamp;
use query::Runner as _;

use super::BODY_BYTES_MAX;
use super::answer::{json, problem, run_error};
use crate::companion::Companion;

pub(super) async fn run(State(companion): State<Companion>, request: Request) -> Response {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(wrong) => return problem(&wrong),
    };
    let query = match query::from_json(&asked, Timestamp::from(SystemTime::now())) {
        Ok(query) => query,
        Err(diagnostics) => return problem(&Problem::from(&diagnostics)),
    };
    match companion.store().run(&query).await {
        Ok(answer) => json(&QueryResponse::new(&query, answer)),
        Err(error) => run_error(&error),
    }
}

/// The body as JSON.
pub(super) async fn read(request: Request) -> Result<serde_json::Value, Problem> {
    // A page of another origin can post text and forms without asking, but not JSON: this keeps it from a companion
    // on loopback.
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_json) {
        let found = content_type.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
        return Err(Problem::unsupported_media_type(format!("the Content-Type says {found}"))
            .hint("send the query with Content-Type: application/json"));
    }
    let bytes = body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|_| {
        Problem::too_large(format!("a query may have {BODY_BYTES_MAX} bytes"))
            .hint("shorten its lists; a needle or a regular expression often says the same")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::bad_request(format!("the body is no JSON: {error}"))
            .hint(r#"as {"text": "FROM lambda-logs COUNT"}, or a query's JSON"#)
    })
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json")
}
