//! What a tail was asked for, as the API's JSON and as the text that `GET /v1/tail` takes.

use std::time::SystemTime;

use api::Problem;
use model::Timestamp;
use serde_json::{Map, Value, json};

use crate::args::TailArgs;

/// The newest events, as `POST /v1/query` takes it.
pub(super) fn body(arguments: &TailArgs) -> Value {
    let mut filters: Vec<Value> = arguments.filters.iter().map(|filter| filter.as_str().into()).collect();
    let named = [
        ("$limelight.service", arguments.service.as_ref()),
        ("$limelight.namespace", arguments.namespace.as_ref()),
    ];
    for (key, name) in named {
        let equals = |name| json!({"key": key, "operation": "=", "value": name, "type": "string"});
        filters.extend(name.map(equals));
    }
    let mut parameters = Map::new();
    if !arguments.datasets.is_empty() {
        parameters.insert("datasets".to_owned(), json!(arguments.datasets));
    }
    parameters.insert("filters".to_owned(), filters.into());
    if let Some(needle) = arguments.regex.as_ref().or(arguments.needle.as_ref()) {
        let is_regex = arguments.regex.is_some();
        let needle = json!({"value": needle, "isRegex": is_regex, "matchCase": arguments.match_case});
        parameters.insert("needle".to_owned(), needle);
    }
    parameters.insert("limit".to_owned(), arguments.limit.into());
    json!({"parameters": parameters, "view": "events"})
}

/// The same conditions as one line. Its time and limit mean nothing to a tail.
///
/// # Errors
/// Everything that is wrong with them.
pub(super) fn text(arguments: &TailArgs) -> anyhow::Result<String> {
    match query::from_json(&body(arguments), Timestamp::from(SystemTime::now())) {
        Ok(query) => Ok(query.to_string()),
        Err(faults) => Err(Problem::from(&faults).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_ask_for_the_same() {
        let arguments = TailArgs {
            datasets: vec!["lambda-logs".to_owned()],
            service: Some("it's \"mine\"".to_owned()),
            namespace: Some("checkout".to_owned()),
            filters: vec!["@type = REPORT".to_owned()],
            regex: Some("a/c".to_owned()),
            limit: 7,
            ..TailArgs::default()
        };
        let now = Timestamp::from_millis(1_763_640_000_000);
        let query = query::from_json(&body(&arguments), now).unwrap();
        assert_eq!((query.filter.conditions().len(), query.limit), (3, 7));
        let read = query::parse_text(&text(&arguments).unwrap(), now).unwrap();
        assert_eq!((read.filter, read.needle, read.datasets), (query.filter, query.needle, query.datasets));
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_asked() {
        let arguments =
            TailArgs { filters: vec!["a CONTAINS b".to_owned()], limit: 1, ..TailArgs::default() };
        assert!(text(&arguments).unwrap_err().to_string().contains("CONTAINS is no operation"));
    }
}
