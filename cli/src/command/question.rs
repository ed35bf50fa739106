//! What was typed as the API's JSON: ORL text, or the fields that flags give.

use serde_json::{Map, Value, json};

use crate::args::{QueryArgs, TimeArgs};
use crate::exit::Refused;

/// The body for `POST /v1/query`.
///
/// # Errors
/// When nothing at all is asked.
pub fn of_query(arguments: &QueryArgs) -> Result<Value, Refused> {
    let mut body = match &arguments.text {
        Some(text) => json!({"text": with_clauses(text, arguments)}),
        None if is_empty(arguments) => {
            return Err(Refused::usage(
                "what shall I ask? For example: limelight query 'COUNT GROUP BY $limelight.level' (see --help)",
            ));
        }
        None => of_flags(arguments),
    };
    explain(&mut body, arguments);
    Ok(body)
}

/// The same for a saved query; flags win over what its file says.
pub fn of_saved(mut body: Value, arguments: &QueryArgs) -> Value {
    let mut put = |key: &str, value: Option<Value>| {
        if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
            // What stands beside the parameters wins over what stands among them.
            body.insert(key.to_owned(), value);
        }
    };
    put("timeframe", timeframe(&arguments.time));
    put("limit", arguments.limit.map(Value::from));
    put("granularity", arguments.granularity.as_deref().map(Value::from));
    explain(&mut body, arguments);
    body
}

fn explain(body: &mut Value, arguments: &QueryArgs) {
    if let (true, Value::Object(body)) = (arguments.explain, body) {
        body.insert("explain".to_owned(), true.into());
    }
}

fn is_empty(arguments: &QueryArgs) -> bool {
    arguments.datasets.is_empty()
        && arguments.calculations.is_empty()
        && arguments.filters.is_empty()
        && arguments.needle.is_none()
        && arguments.group_by.is_empty()
}

/// Flags that stand beside a text become clauses at its end.
fn with_clauses(text: &str, arguments: &QueryArgs) -> String {
    let time = &arguments.time;
    let clauses = [
        time.from.as_ref().map(|from| format!("SINCE {}", quoted(from))),
        time.to.as_ref().map(|to| format!("UNTIL {}", quoted(to))),
        time.last.as_ref().map(|last| format!("LAST {}", quoted(last))),
        arguments.limit.map(|limit| format!("LIMIT {limit}")),
        arguments.granularity.as_ref().map(|width| format!("EVERY {}", quoted(width))),
    ];
    std::iter::once(text.to_owned()).chain(clauses.into_iter().flatten()).collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn of_flags(arguments: &QueryArgs) -> Value {
    let mut body = Map::new();
    let mut parameters = Map::new();
    let mut list = |key: &str, values: &[String]| {
        if !values.is_empty() {
            parameters.insert(key.to_owned(), json!(values));
        }
    };
    list("datasets", &arguments.datasets);
    list("calculations", &arguments.calculations);
    list("filters", &arguments.filters);
    if arguments.any {
        parameters.insert("filterCombination".to_owned(), "OR".into());
    }
    if !arguments.group_by.is_empty() {
        let keys: Vec<Value> =
            arguments.group_by.iter().map(|key| json!({"type": "string", "value": key})).collect();
        parameters.insert("groupBys".to_owned(), keys.into());
    }
    if let Some(figure) = &arguments.order_by {
        parameters.insert("orderBy".to_owned(), json!({"value": figure, "order": "DESC"}));
    }
    if let Some(needle) = &arguments.needle {
        let needle = json!({"value": needle, "isRegex": arguments.regex, "matchCase": arguments.match_case});
        parameters.insert("needle".to_owned(), needle);
    }
    if let Some(limit) = arguments.limit {
        parameters.insert("limit".to_owned(), limit.into());
    }
    body.insert("parameters".to_owned(), parameters.into());
    if let Some(timeframe) = timeframe(&arguments.time) {
        body.insert("timeframe".to_owned(), timeframe);
    }
    if let Some(width) = &arguments.granularity {
        body.insert("granularity".to_owned(), width.as_str().into());
    }
    body.into()
}

/// The API reads times as people write them.
pub fn timeframe(time: &TimeArgs) -> Option<Value> {
    if let Some(last) = &time.last {
        return Some(last.as_str().into());
    }
    let mut ends = Map::new();
    for (key, value) in [("from", &time.from), ("to", &time.to)] {
        if let Some(text) = value {
            ends.insert(key.to_owned(), text.as_str().into());
        }
    }
    (!ends.is_empty()).then(|| ends.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_763_640_000_000);

    fn read(arguments: &QueryArgs) -> query::Query {
        query::from_json(&of_query(arguments).unwrap(), NOW).unwrap()
    }

    #[test]
    fn flags_beside_a_text_become_its_clauses() {
        let arguments = QueryArgs {
            text: Some("COUNT as n GROUP BY $limelight.level".to_owned()),
            limit: Some(7),
            granularity: Some("5 mins".to_owned()),
            time: TimeArgs { last: Some("2h".to_owned()), ..TimeArgs::default() },
            ..QueryArgs::default()
        };
        let query = read(&arguments);
        assert_eq!((query.limit, query.granularity_ms), (7, Some(300_000)));
        assert_eq!(query.timeframe.width_ms(), 7_200_000);
    }

    #[test]
    fn flags_alone_ask_the_same_as_a_text() {
        let arguments = QueryArgs {
            datasets: vec!["otel".to_owned(), "logs".to_owned()],
            calculations: vec!["COUNT".to_owned(), "P99(@duration) as slow".to_owned()],
            filters: vec!["@type = REPORT".to_owned(), "@duration > 10".to_owned()],
            group_by: vec!["$limelight.namespace".to_owned()],
            order_by: Some("slow".to_owned()),
            needle: Some("a \"quoted\" text".to_owned()),
            limit: Some(5),
            granularity: Some("1m".to_owned()),
            time: TimeArgs { from: Some("2h".to_owned()), to: Some("now".to_owned()), last: None },
            ..QueryArgs::default()
        };
        let text = "COUNT, P99(@duration) as slow FROM otel, logs WHERE @type = REPORT AND @duration > 10 \
                    SEARCH \"a \\\"quoted\\\" text\" GROUP BY $limelight.namespace ORDER BY slow LIMIT 5 \
                    SINCE 2h UNTIL now EVERY 1m";
        assert_eq!(read(&arguments), query::parse_text(text, NOW).unwrap());
    }

    #[test]
    fn flags_win_over_a_saved_query() {
        let saved = json!({"parameters": {"calculations": ["COUNT"], "limit": 3}, "timeframe": "3h", "granularity": "1h"});
        let arguments = QueryArgs {
            limit: Some(7),
            time: TimeArgs { last: Some("2h".to_owned()), ..TimeArgs::default() },
            ..QueryArgs::default()
        };
        let query = query::from_json(&of_saved(saved, &arguments), NOW).unwrap();
        assert_eq!(query, query::parse_text("COUNT LIMIT 7 LAST 2h EVERY 1h", NOW).unwrap());
    }

    #[test]
    fn asking_nothing_is_answered_with_an_example() {
        assert!(of_query(&QueryArgs::default()).unwrap_err().to_string().contains("limelight query '"));
    }
}
