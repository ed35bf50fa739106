//! `POST /v1/sql`.

use api::{Problem, SqlColumn, SqlRequest, SqlResponse};
use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{json, problem, run_error};
use super::query::read;
use crate::companion::Companion;

pub(super) async fn run(State(companion): State<Companion>, request: Request) -> Response {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(wrong) => return problem(&wrong),
    };
    let asked: SqlRequest = match serde_json::from_value(asked) {
        Ok(asked) => asked,
        Err(error) => {
            let wrong = Problem::bad_request(error.to_string());
            return problem(&wrong.hint(r#"as {"sql": "SELECT COUNT(*) FROM \"lambda-logs\""}"#));
        }
    };
    match companion.store().sql(&asked.sql).await {
        Ok(answer) => {
            let columns = answer.columns.into_iter().map(|(name, r#type)| SqlColumn { name, r#type });
            json(&SqlResponse {
                columns: columns.collect(),
                rows: answer.rows,
                statistics: answer.statistics.into(),
            })
        }
        Err(error) => run_error(&error),
    }
}
