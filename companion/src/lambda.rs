//! The companion as a Lambda function: an event in, what Lambda expects as its answer out. Plain functions; the
//! binary `bootstrap` ties them to the Runtime API.

mod kinesis;
mod gateway;
mod schedule;

use std::time::Duration;

use serde_json::Value;

use crate::companion::Companion;

/// What is left of an invocation's time for answering when its work is given up.
const MARGIN: Duration = Duration::from_millis(500);

/// An event that is none of ours, or one that breaks its own promises.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Neither Kinesis nor HTTP nor a schedule.
    #[error(
        "this function takes Kinesis events, HTTP requests (API Gateway payload 2.0, function URLs) and schedules, got {0}"
    )]
    Unknown(String),
    /// Recognised, but not readable.
    #[error("the {kind} event cannot be read")]
    Malformed {
        /// `Kinesis` or `HTTP`.
        kind: &'static str,
        /// Where it breaks.
        #[source]
        source: serde_json::Error,
    },
}

/// Answers one event within `remaining`: a batch of Kinesis records with `batchItemFailures`, an HTTP request with
/// the API's response, a schedule with what was done.
///
/// # Errors
/// When the event is none of these. What goes wrong with single records, or with a request, is in the answer.
pub async fn handle(companion: &Companion, event: Value, remaining: Duration) -> Result<Value, EventError> {
    let time_max = remaining.saturating_sub(MARGIN);
    if kinesis::is_event(&event) {
        return kinesis::handle(companion, event, time_max).await;
    }
    if gateway::is_event(&event) {
        return gateway::handle(companion.router(), event, time_max).await;
    }
    if schedule::is_event(&event) {
        return Ok(schedule::handle(companion, time_max).await);
    }
    Err(EventError::Unknown(described(&event)))
}

/// What an event looks like, without what is in it.
fn described(event: &Value) -> String {
    match event {
        Value::Object(map) if map.is_empty() => "an empty object".to_owned(),
        Value::Object(map) => {
            let source =
                event.pointer("/Records/0/eventSource").or(event.get("source")).and_then(Value::as_str);
            let keys = map.keys().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
            match source {
                Some(source) => format!("an event from {source}"),
                None => format!("an object with {keys}"),
            }
        }
        Value::Array(_) => "an array".to_owned(),
        _ => "no object".to_owned(),
    }
}
