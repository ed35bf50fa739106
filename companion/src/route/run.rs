//! `GET /v1/query-runs`, `GET` and `DELETE /v1/query-runs/{id}`: answers that were kept, and queries that are stopped.

use api::{Cursor, KeptRun, Problem, QueryData, QueryResponse, QueryRun, QueryRuns};
use axum::extract::State;
use axum::response::Response;

use super::answer::{json, problem, status};
use super::parameters::{Named, Paged, Parameters};
use crate::companion::Companion;
use crate::ingest::chain;

/// The longest answer that is kept: what Lambda hands out at most.
const KEPT_BYTES_MAX: usize = 6 << 20;
const ID_CHARS_MAX: usize = 64;

/// The name of one execution of a query.
pub(super) struct RunId(String);

impl RunId {
    /// One that nobody else has.
    pub(super) fn new() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// One that somebody chose.
    pub(super) fn parse(text: &str) -> Result<Self, Box<Problem>> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if text.is_empty() || text.len() > ID_CHARS_MAX || !text.chars().all(good) {
            let wrong = Problem::bad_request("the id of a query run has 1 to 64 letters, digits and -");
            return Err(wrong.hint("leave it out, and one is made").into());
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keeps an answer, which then says where it is; one that is too long only says so.
pub(super) async fn keep(companion: &Companion, response: &mut QueryResponse) -> Result<(), Box<Problem>> {
    let id = response.data.query_run.id.clone();
    response.data.query_run.url = Some(address(&id));
    let bytes = serde_json::to_vec(response).unwrap_or_default();
    if bytes.len() > KEPT_BYTES_MAX {
        response.data.query_run.url = None;
        let note =
            format!("the answer has {} bytes and is not kept: {KEPT_BYTES_MAX} is the most", bytes.len());
        response.data.notes.push(note);
        return Ok(());
    }
    match companion.store().keep_run(&id, bytes.into()).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let taken = Problem::conflict(format!("an answer is kept as {id} already"));
            Err(taken.hint("what a permalink shows stays as it is: choose another id, or none").into())
        }
        Err(error) => Err(failed(&error).into()),
    }
}

fn address(id: &str) -> String {
    format!("/v1/query-runs/{id}")
}

pub(super) async fn list(
    State(companion): State<Companion>,
    Parameters(paged): Parameters<Paged>,
) -> Response {
    let kept = match companion.store().kept_runs().await {
        Ok(kept) => kept,
        Err(error) => return problem(&failed(&error)),
    };
    match paged.of(kept, place) {
        Ok((page, next)) => json(&QueryRuns { query_runs: page.into_iter().map(kept_run).collect(), next }),
        Err(wrong) => problem(&wrong),
    }
}

/// The newest first, and of the same millisecond by name.
fn place(run: &store::KeptRun) -> Cursor {
    let age = i64::MAX - run.at.as_millis();
    Cursor::new([format!("{age:020}"), run.id.clone()])
}

fn kept_run(run: store::KeptRun) -> KeptRun {
    KeptRun { url: address(&run.id), id: run.id, kept_at: run.at.to_string(), bytes: run.bytes }
}

pub(super) async fn get(State(companion): State<Companion>, Named(text): Named) -> Response {
    let id = match RunId::parse(&text) {
        Ok(id) => id,
        Err(wrong) => return problem(&wrong),
    };
    if companion.runs().is_running(id.as_str()) {
        return json(&told(&id, "STARTED", "Query runs"));
    }
    match companion.store().kept_run(id.as_str()).await {
        Ok(Some(kept)) => match serde_json::from_slice::<QueryResponse>(&kept) {
            Ok(response) => json(&response),
            Err(error) => problem(&failed(&error)),
        },
        Ok(None) => problem(&unknown(&id)),
        Err(error) => problem(&failed(&error)),
    }
}

pub(super) async fn delete(State(companion): State<Companion>, Named(text): Named) -> Response {
    let id = match RunId::parse(&text) {
        Ok(id) => id,
        Err(wrong) => return problem(&wrong),
    };
    if companion.runs().cancel(id.as_str()) {
        return json(&told(&id, "CANCELLED", "Query cancelled"));
    }
    match companion.store().forget_run(id.as_str()).await {
        Ok(true) => return json(&told(&id, "DELETED", "Query run deleted")),
        Ok(false) => {}
        Err(error) => return problem(&failed(&error)),
    }
    // Another process may be running it; whether one is, only that one knows.
    match companion.store().cancel_run(id.as_str()).await {
        Ok(()) => {
            status(http::StatusCode::ACCEPTED, &told(&id, "CANCELLING", "Whoever runs it was asked to stop"))
        }
        Err(error) => problem(&failed(&error)),
    }
}

fn told(id: &RunId, state: &str, message: &str) -> QueryResponse {
    let query_run = QueryRun { id: id.as_str().to_owned(), status: state.to_owned(), ..QueryRun::default() };
    QueryResponse { message: message.to_owned(), data: QueryData { query_run, ..QueryData::default() } }
}

fn unknown(id: &RunId) -> Problem {
    Problem::not_found(format!("there is no query run {}", id.as_str()))
        .hint("POST /v1/query?save=true keeps an answer; what is kept goes after 30 days")
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(why = chain(error), "a query run cannot be kept or read");
    Problem::internal("the store failed; the companion's log says why")
}
