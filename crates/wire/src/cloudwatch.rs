//! CloudWatch Logs subscription batches become events, one per log event. What the lines say is read by who has a
//! line parser (the companion); here a line is the event's `message`.
//!
//! Shape: "Real-time processing of log data with subscriptions" in the CloudWatch Logs user guide:
//! `{messageType, owner, logGroup, logStream, subscriptionFilters, logEvents: [{id, timestamp, message}]}`.

use model::{Event, EventId, Kind, Map, Timestamp, Value};

use crate::decode::Context;
use crate::error::DecodeError;
use crate::event::{LAMBDA_LOGS, SERVICE_DEFAULT};

/// The log group and stream, as every event of a subscription batch carries them.
const LOG_GROUP: &str = "@logGroup";
const LOG_STREAM: &str = "@logStream";

const LAMBDA_PREFIX: &str = "/aws/lambda/";

/// Whether a JSON object is a subscription batch.
pub(crate) fn is_batch(object: &Map) -> bool {
    match object.get("messageType").and_then(Value::as_str) {
        Some("DATA_MESSAGE") => matches!(object.get("logEvents"), Some(Value::Array(_))),
        // CloudWatch asks with it, from time to time, whether the destination can be reached.
        Some("CONTROL_MESSAGE") => object.contains_key("logEvents"),
        _ => false,
    }
}

/// The batch's events; none for a control message.
pub(crate) fn events(
    mut batch: Map,
    context: &Context<'_>,
    events: &mut Vec<Event>,
) -> Result<(), DecodeError> {
    if batch.get("messageType").and_then(Value::as_str) == Some("CONTROL_MESSAGE") {
        return Ok(());
    }
    let mut text = |key| match batch.remove(key) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (group, stream, account) = (text("logGroup"), text("logStream"), text("owner"));
    let (dataset, namespace) = route(&group);
    let Some(Value::Array(list)) = batch.remove("logEvents") else { return Ok(()) };
    for (number, found) in list.into_iter().enumerate() {
        let invalid = |why: &str| DecodeError::Invalid {
            what: "a log event",
            place: format!("number {number} of log group {group:?}"),
            why: why.to_owned(),
        };
        let Value::Object(mut found) = found else { return Err(invalid("it must be an object")) };
        let Some(Value::String(message)) = found.remove("message") else {
            return Err(invalid("it has no text under message"));
        };
        let timestamp = match found.remove("timestamp") {
            Some(Value::Int(millis)) => Timestamp::from_millis(millis),
            _ => context.arrived_at,
        };
        // CloudWatch's own id: the same event through two filters, or sent twice, has the same one.
        let id = match found.remove("id") {
            Some(Value::String(id)) if !id.is_empty() => EventId::from(id),
            _ => EventId::in_record(context.record, events.len()),
        };
        let mut attributes = Map::from([
            (LOG_GROUP.to_owned(), group.as_str().into()),
            (LOG_STREAM.to_owned(), stream.as_str().into()),
        ]);
        // What a filter pattern has cut out of the line.
        if let Some(fields) = found.remove("extractedFields") {
            attributes.insert("extractedFields".to_owned(), fields);
        }
        events.push(Event {
            namespace: namespace.to_owned(),
            service: SERVICE_DEFAULT.to_owned(),
            account: account.clone(),
            message: Some(trimmed(message)),
            attributes,
            ..Event::new(dataset, timestamp, id, Kind::Log)
        });
    }
    Ok(())
}

fn trimmed(mut message: String) -> String {
    message.truncate(message.trim_end_matches(['\n', '\r']).len());
    message
}

/// Dataset and namespace of a log group.
fn route(group: &str) -> (&'static str, &str) {
    if let Some(function) = group.strip_prefix(LAMBDA_PREFIX) {
        return (LAMBDA_LOGS, function);
    }
    // API Gateway's own names: execution logs of REST APIs, and the group that its console proposes for access logs.
    let gateway = ["API-Gateway-Execution-Logs_", "/aws/apigateway/", "/aws/api-gateway/", "/aws/http-api/"];
    let dataset =
        if gateway.iter().any(|prefix| group.starts_with(prefix)) { "apigateway-logs" } else { "logs" };
    (dataset, group)
}
