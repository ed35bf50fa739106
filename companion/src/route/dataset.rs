//! `GET /v1/datasets`.

use api::{Cursor, Dataset, Datasets, Problem};
use axum::extract::State;
use axum::response::Response;
use store::DatasetInfo;

use super::answer::{json, problem};
use super::parameters::{Paged, Parameters};
use crate::companion::Companion;
use crate::ingest::chain;

pub(super) async fn list(
    State(companion): State<Companion>,
    Parameters(paged): Parameters<Paged>,
) -> Response {
    match companion.store().datasets().await {
        Ok(found) => match paged.of(found, |info| Cursor::new([info.name.as_str()])) {
            Ok((page, next)) => json(&Datasets { datasets: page.into_iter().map(dataset).collect(), next }),
            Err(wrong) => problem(&wrong),
        },
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
