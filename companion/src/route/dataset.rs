//! `GET /v1/datasets`.

use api::{Dataset, Datasets, Problem};
use axum::extract::State;
use axum::response::Response;
use store::DatasetInfo;

use super::answer::{json, problem};
use crate::companion::Companion;
use crate::ingest::chain;

pub(super) async fn list(State(companion): State<Companion>) -> Response {
    match companion.store().datasets().await {
        Ok(found) => json(&Datasets { datasets: found.into_iter().map(dataset).collect() }),
        Err(error) => {
            tracing::error!(why = chain(&error), "the datasets cannot be listed");
            problem(&Problem::internal("the datasets cannot be listed; the companion's log says why"))
        }
    }
}

fn dataset(info: DatasetInfo) -> Dataset {
    Dataset {
        name: info.name,
        events: info.rows,
        bytes: info.bytes,
        files: info.files,
        from: info.from.map(|time| time.to_string()),
        to: info.to.map(|time| time.to_string()),
        version: info.version,
    }
}
