//! `POST /v1/query`: one question, one answer; as JSON, or as lines where whoever asks takes them.

use std::time::SystemTime;

use api::{Problem, QueryResponse};
use axum::body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header;
use model::Timestamp;
use serde::Deserialize;

use super::BODY_BYTES_MAX;
use super::answer::{json, problem, stopped};
use super::lines;
use super::parameters::Parameters;
use super::run::{self, RunId};
use crate::companion::Companion;
use crate::engines::Choice;
use crate::question::Question;

/// What stands behind the `?`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct About {
    /// The run's id, chosen by whoever wants to stop it before its answer is there.
    run: Option<String>,
    /// Whether the answer is kept under `/v1/query-runs/{id}`.
    save: bool,
    /// Which query of a YAML document.
    id: Option<String>,
    /// Who shall answer; whoever usually does if it is not said.
    engine: Option<Choice>,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    engine: Option<Choice>,
    save: bool,
}

impl About {
    fn how(&self) -> How {
        How { engine: self.engine, save: self.save }
    }
}

pub(super) async fn run(
    State(companion): State<Companion>,
    Parameters(about): Parameters<About>,
    request: Request,
) -> Response {
    let id = match about.run.as_deref().map_or_else(|| Ok(RunId::new()), RunId::parse) {
        Ok(id) => id,
        Err(wrong) => return problem(&wrong),
    };
    let how = about.how();
    let wants_lines = lines::wanted(request.headers());
    let question = match asked(request, about.id).await {
        Ok(question) => question,
        Err(wrong) => return problem(&wrong),
    };
    if wants_lines {
        return lines::stream(companion, id, question, how);
    }
    match answer(&companion, &id, question, how).await {
        Ok(response) => json(&response),
        Err(why) => problem(&why),
    }
}

/// The answer, kept if that is wanted.
pub(super) async fn answer(
    companion: &Companion,
    id: &RunId,
    question: Question,
    how: How,
) -> Result<QueryResponse, Box<Problem>> {
    let now = Timestamp::from(SystemTime::now());
    let run = companion.runs().run(id.as_str(), companion, question, how.engine, now).await;
    let (query, answer) = run.map_err(|why| stopped(&why))?;
    let mut response = QueryResponse::new(&query, answer);
    id.as_str().clone_into(&mut response.data.query_run.id);
    if how.save {
        run::keep(companion, &mut response).await?;
    }
    Ok(response)
}

/// The question of a request.
async fn asked(request: Request, id: Option<String>) -> Result<Question, Box<Problem>> {
    if has_type(&request, is_yaml) {
        let bytes = body_of(request).await?;
        let text = String::from_utf8(bytes.into())
            .map_err(|error| Problem::bad_request(format!("the body is no text: {error}")))?;
        return Ok(Question::Document { text, id });
    }
    read(request).await.map(Question::Json)
}

/// The body as JSON.
pub(super) async fn read(request: Request) -> Result<serde_json::Value, Box<Problem>> {
    // A page of another origin can post text and forms without asking, but neither JSON nor YAML: this keeps it from a
    // companion on loopback.
    if !has_type(&request, is_json) {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let found = content_type.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
        let wrong = Problem::unsupported_media_type(format!("the Content-Type says {found}"));
        return Err(wrong.hint("send the query with Content-Type: application/json").into());
    }
    let bytes = body_of(request).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::bad_request(format!("the body is no JSON: {error}"))
            .hint(r#"as {"text": "FROM lambda-logs COUNT"}, or a query's JSON"#)
            .into()
    })
}

async fn body_of(request: Request) -> Result<bytes::Bytes, Box<Problem>> {
    body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|_| {
        Problem::too_large(format!("a query may have {BODY_BYTES_MAX} bytes"))
            .hint("shorten its lists; a needle or a regular expression often says the same")
            .into()
    })
}

fn has_type(request: &Request, is: fn(&str) -> bool) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| is(content_type.split(';').next().unwrap_or_default().trim()))
}

fn is_json(essence: &str) -> bool {
    essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json")
}

fn is_yaml(essence: &str) -> bool {
    ["application/yaml", "application/x-yaml"].iter().any(|known| essence.eq_ignore_ascii_case(known))
}
