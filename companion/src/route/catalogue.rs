//! `GET /v1/keys` and `GET /v1/values`: completion for whoever types a query.

use std::time::SystemTime;

use api::{Cursor, KeySet, Keys, Problem, ValueCount, Values};
use axum::extract::State;
use axum::response::Response;
use model::Timestamp;
use query::Query;
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::answer::{json, problem, run_error, stopped};
use super::parameters::{Paged, Parameters};
use super::run::RunId;
use crate::companion::Companion;
use crate::engines::Choice;
use crate::question::Question;

/// Values of one answer, if it is not said.
const VALUES_DEFAULT: u64 = 20;
/// More is no completion.
const VALUES_MAX: u64 = 1_000;

/// What `GET /v1/keys` takes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AboutKeys {
    /// With commas between them; all if none.
    datasets: String,
    /// What the keys begin with.
    prefix: String,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// What `GET /v1/values` takes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AboutValues {
    key: String,
    datasets: String,
    /// What the values begin with.
    prefix: String,
    /// How far back; an hour if it is not said.
    last: Option<String>,
    limit: Option<u64>,
}

pub(super) async fn keys(
    State(companion): State<Companion>,
    Parameters(about): Parameters<AboutKeys>,
) -> Response {
    let found = match companion.store().keys(&names(&about.datasets)).await {
        Ok(found) => found,
        Err(error) => return problem(&run_error(&error)),
    };
    let one_by_one = found.into_iter().flat_map(|(dataset, fields)| {
        fields.into_iter().map(move |field| Place {
            dataset: dataset.clone(),
            r#type: field.r#type,
            key: field.name,
        })
    });
    let wanted = one_by_one.filter(|place| place.key.starts_with(&about.prefix));
    match Paged::new(about.limit, about.cursor).of(wanted, Place::cursor) {
        Ok((page, next)) => json(&Keys { keys: sets(page), next }),
        Err(wrong) => problem(&wrong),
    }
}

/// Where a key stands in the list of all.
struct Place {
    dataset: String,
    r#type: &'static str,
    key: String,
}

impl Place {
    fn cursor(&self) -> Cursor {
        Cursor::new([self.dataset.as_str(), self.r#type, &self.key])
    }
}

/// One set per dataset and type.
fn sets(page: Vec<Place>) -> Vec<KeySet> {
    let mut sets: Vec<KeySet> = Vec::new();
    for Place { dataset, r#type, key } in page {
        match sets.last_mut().filter(|set| set.dataset == dataset && set.r#type == r#type) {
            Some(set) => set.keys.push(key),
            None => sets.push(KeySet { dataset, r#type: r#type.to_owned(), keys: vec![key] }),
        }
    }
    sets
}

pub(super) async fn values(
    State(companion): State<Companion>,
    Parameters(about): Parameters<AboutValues>,
) -> Response {
    let question = match counted(&about) {
        Ok(question) => question,
        Err(wrong) => return problem(&wrong),
    };
    let now = Timestamp::from(SystemTime::now());
    match companion.runs().run(RunId::new().as_str(), &companion, question, Some(Choice::Embedded), now).await
    {
        Ok((query, answer)) => {
            // One more than wanted was asked for.
            let wanted = usize::try_from(query.limit - 1).unwrap_or(usize::MAX);
            let more = answer.aggregates.len() > wanted;
            let count = |row: query::Aggregate| ValueCount {
                value: row.groups.get(&about.key).cloned().unwrap_or(Value::Null),
                count: row.values.get("_count").and_then(Value::as_u64).unwrap_or(0),
            };
            let values = answer.aggregates.into_iter().take(wanted).map(count).collect();
            json(&Values { key: about.key, values, more })
        }
        Err(why) => problem(&stopped(&why)),
    }
}

/// The question that counts a key's values.
fn counted(about: &AboutValues) -> Result<Question, Box<Problem>> {
    if about.key.is_empty() {
        let missing = Problem::bad_request("a key is missing");
        return Err(missing.hint("as /v1/values?key=$limelight.namespace").into());
    }
    let datasets = match names(&about.datasets) {
        none if none.is_empty() => vec![Query::ALL_DATASETS.to_owned()],
        names => names,
    };
    let mut filters = vec![value!({ "key": about.key, "operation": "EXISTS" })];
    if !about.prefix.is_empty() {
        filters.push(value!({ "key": about.key, "operation": "STARTS_WITH", "value": about.prefix }));
    }
    Ok(Question::Json(value!({
        "datasets": datasets,
        "calculations": ["COUNT"],
        "filters": filters,
        "groupBys": [about.key],
        "limit": about.limit.unwrap_or(VALUES_DEFAULT).clamp(1, VALUES_MAX) + 1,
        "timeframe": about.last.as_deref().unwrap_or("1h"),
        "granularity": 0,
    })))
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
