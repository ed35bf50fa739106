//! Values and problems as HTTP responses.

use std::time::Duration;

use api::{CONTENT_TYPE, Problem};
use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use query::RunError;
use serde::Serialize;

use crate::ingest::chain;
use crate::runs::Stopped;

/// A query takes a second or two; whoever is sent away then finds the door open.
const RETRY_AFTER_S: u64 = 2;

/// 200 with JSON.
pub(super) fn json(body: &impl Serialize) -> Response {
    Json(body).into_response()
}

/// Another status with JSON.
pub(super) fn status(status: StatusCode, body: &impl Serialize) -> Response {
    (status, Json(body)).into_response()
}

/// The problem's status, with the problem.
pub(crate) fn problem(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Why a run has no answer.
pub(super) fn stopped(why: &Stopped) -> Problem {
    match why {
        Stopped::Busy(busy) => Problem::too_many(busy.to_string(), RETRY_AFTER_S),
        Stopped::SameId(_) | Stopped::Cancelled => Problem::conflict(why.to_string()),
        Stopped::Faults(faults) => Problem::from(faults),
        Stopped::Failed(error) => run_error(error),
    }
}

/// Why there is no answer to a query. What failed inside is logged here, not told.
pub(super) fn run_error(error: &RunError) -> Problem {
    if let RunError::Failed(_) = error {
        tracing::error!(why = chain(error), "a query failed");
    }
    Problem::from(error)
}

/// Nobody waits for an answer longer than this.
pub(crate) fn out_of_time(limit: Duration) -> Problem {
    let detail = format!("no answer within {} ms", limit.as_millis());
    Problem::timeout(detail).hint("narrow the query's time, or add filters")
}
