//! `POST /v1/sql`.

use api::{Problem, SqlColumn, SqlRequest, SqlResponse};
use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{json, problem, run_error, stopped};
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
    let store = companion.store().clone();
    match companion.runs().in_turn(async move { store.sql(&asked.sql).await }).await {
        Ok(Ok(answer)) => {
            let columns = answer.columns.into_iter().map(|(name, r#type)| SqlColumn { name, r#type });
            json(&SqlResponse {
                columns: columns.collect(),
                rows: answer.rows,
                statistics: answer.statistics.into(),
            })
        }
        Ok(Err(error)) => problem(&run_error(&error)),
        Err(why) => problem(&stopped(&why)),
    }
}
