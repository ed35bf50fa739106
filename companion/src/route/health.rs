//! `GET /health`: 200 if the store answers, else 503. One request for one object, whatever the store holds: probes come
//! every few seconds.

use std::time::{Duration, Instant};

use api::Health;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::answer::json;
use crate::companion::Companion;
use crate::ingest::chain;

/// Who asks for health gives up after some seconds.
const STORE_TIME_MAX: Duration = Duration::from_secs(3);

pub(super) async fn look(State(companion): State<Companion>) -> Response {
    let started = Instant::now();
    let looked = tokio::time::timeout(STORE_TIME_MAX, companion.store().ping()).await;
    let wrong = match looked {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::error!(why = chain(&error), "the store does not answer");
            Some("does not answer; the companion's log says why".to_owned())
        }
        Err(_) => Some(format!("does not answer within {} s", STORE_TIME_MAX.as_secs())),
    };
    let status = if wrong.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let health = Health {
        status: if wrong.is_none() { "ok" } else { "failing" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        store: wrong.unwrap_or_else(|| "reachable".to_owned()),
        store_elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    (status, json(&health)).into_response()
}
