//! `GET /v1/keys` and `GET /v1/values`: completion for whoever types a query.

use std::collections::BTreeMap;
use std::time::SystemTime;

use api::{KeySet, Keys, Problem, ValueCount, Values};
use axum::extract::State;
use axum::response::Response;
use model::Timestamp;
use query::Query;
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::answer::{json, problem, run_error, stopped};
use super::parameters::Parameters;
use super::run::RunId;
use crate::companion::Companion;
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
    match companion.store().keys(&names(&about.datasets)).await {
        Ok(found) => json(&Keys { keys: sets(found, &about.prefix) }),
        Err(error) => problem(&run_error(&error)),
    }
}

/// One set per dataset and type.
fn sets(found: Vec<(String, Vec<query::Field>)>, prefix: &str) -> Vec<KeySet> {
    let mut sets: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    for (dataset, fields) in found {
        for field in fields.into_iter().filter(|field| field.name.starts_with(prefix)) {
            sets.entry((dataset.clone(), field.r#type)).or_default().push(field.name);
        }
    }
    let set = |((dataset, r#type), keys): ((String, &str), Vec<String>)| KeySet {
        dataset,
        r#type: r#type.to_owned(),
        keys,
    };
    sets.into_iter().map(set).collect()
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
    match companion.runs().run(RunId::new().as_str(), companion.store(), question, now).await {
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
