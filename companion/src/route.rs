//! The HTTP API: requests in, JSON out, and every error a problem. The same router serves a socket and, one call at a
//! time, a Lambda function.

mod answer;
mod parameters;
mod query;
mod lines;
mod run;
mod tail;
mod sql;
mod catalogue;
mod trace;
mod assemble;
mod critical;
mod dataset;
mod health;

use std::panic::AssertUnwindSafe;

use api::Problem;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use futures::FutureExt as _;

use crate::companion::Companion;
pub(crate) use answer::{out_of_time, problem};

/// Bytes of a request's body. The longest query that anybody means has some kilobytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// All routes, bounded in body and time.
pub(crate) fn router(companion: Companion) -> Router {
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(companion.clone(), bounded))
        .with_state(companion)
}

/// What there is, by path; `api::openapi` tells the same to whoever asks.
fn routes() -> [(&'static str, MethodRouter<Companion>); 11] {
    [
        ("/v1/query", post(query::run)),
        ("/v1/query-runs", get(run::list)),
        ("/v1/query-runs/{id}", get(run::get).delete(run::delete)),
        ("/v1/tail", get(tail::get)),
        ("/v1/sql", post(sql::run)),
        ("/v1/keys", get(catalogue::keys)),
        ("/v1/values", get(catalogue::values)),
        ("/v1/traces/{id}", get(trace::get)),
        ("/v1/datasets", get(dataset::list)),
        ("/v1/openapi.json", get(openapi)),
        ("/health", get(health::look)),
    ]
}

async fn openapi() -> Response {
    answer::json(&api::openapi::document())
}

/// Every answer comes in time, and a panic is one failed request, not a dropped connection.
async fn bounded(State(companion): State<Companion>, request: Request, next: Next) -> Response {
    let limit = companion.settings().request_timeout;
    let route = format!("{} {}", request.method(), request.uri().path());
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(route, "a request panicked");
            problem(&Problem::internal("the request failed; the companion's log says why"))
        }
        Err(_) => problem(&out_of_time(limit)),
    }
}

async fn no_such_route(request: Request) -> Response {
    let detail = format!("there is nothing at {}", request.uri().path());
    let hint = "POST /v1/query, GET /v1/query-runs, GET and DELETE /v1/query-runs/{id}, GET /v1/tail, POST /v1/sql, GET /v1/keys, \
                GET /v1/values, GET /v1/traces/{id}, GET /v1/datasets, GET /v1/openapi.json, GET /health";
    problem(&Problem::not_found(detail).hint(hint))
}

async fn other_method(request: Request) -> Response {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    let hint = "POST /v1/query and /v1/sql, GET for everything else; /v1/query-runs/{id} takes DELETE too";
    problem(&Problem::method_not_allowed(detail).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_told_in_the_document() {
        for (path, _) in routes() {
            assert!(api::openapi::ROUTES.iter().any(|told| told.path == path), "{path}");
        }
    }
}
