//! Base64 inside events and answers, where AWS puts it: bodies that say so, and the records of streams, queues and logs.
//! What it holds becomes the value, so that people find it and secrets in it are found; what is no text becomes its size.
//!
//! Sources: AWS Lambda Developer Guide, the event examples of API Gateway, Kinesis, Firehose, MSK and self-managed Kafka,
//! Amazon MQ and CloudWatch Logs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Map, Value};

/// Decodes in place. An application's own event of a similar shape stays as it is: only what names its service counts.
pub(super) fn decode(payload: &mut Map) {
    if payload.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        at(payload, &["body"]);
    }
    match payload.get("eventSource").and_then(Value::as_str) {
        Some("aws:kafka" | "SelfManagedKafka") => {
            at(payload, &["records", "*", "*", "key"]);
            at(payload, &["records", "*", "*", "value"]);
        }
        Some("aws:mq") => at(payload, &["messages", "*", "data"]),
        Some("aws:rmq") => at(payload, &["rmqMessagesByQueue", "*", "*", "data"]),
        _ => {}
    }
    if payload.contains_key("deliveryStreamArn") {
        at(payload, &["records", "*", "data"]);
    }
    at(payload, &["awslogs", "data"]);
    at(payload, &["Records", "*", "kinesis", "data"]);
}

/// Every text at this path; `*` is every element or every key.
fn at(map: &mut Map, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else { return };
    match *step {
        "*" => map.values_mut().for_each(|value| below(value, rest)),
        key => {
            if let Some(value) = map.get_mut(key) {
                below(value, rest);
            }
        }
    }
}

fn below(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (value @ Value::String(_), []) => {
            if let Some(decoded) = value.as_str().and_then(text) {
                *value = Value::String(decoded);
            }
        }
        (Value::Object(map), path) => at(map, path),
        (Value::Array(items), ["*", rest @ ..]) => items.iter_mut().for_each(|item| below(item, rest)),
        _ => {}
    }
}

/// The text that it stands for, or how many bytes; none if it is no Base64.
fn text(encoded: &str) -> Option<String> {
    let bytes = STANDARD.decode(encoded.trim()).ok()?;
    let size = bytes.len();
    Some(String::from_utf8(bytes).unwrap_or_else(|_| format!("({size} bytes)")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decoded(payload: serde_json::Value) -> serde_json::Value {
        let Value::Object(mut map) = Value::from(payload) else { panic!("no object") };
        decode(&mut map);
        Value::Object(map).into()
    }

    #[test]
    fn a_body_that_says_it_is_base64_is_its_text_or_its_size() {
        let form = decoded(json!({"isBase64Encoded": true, "body": STANDARD.encode("password=hunter2")}));
        assert_eq!(form["body"], "password=hunter2");
        let image = decoded(json!({"isBase64Encoded": true, "body": STANDARD.encode([0xff, 0xd8, 0xff])}));
        assert_eq!(image["body"], "(3 bytes)");
        for unchanged in [
            json!({"isBase64Encoded": false, "body": "dGVzdA=="}),
            json!({"isBase64Encoded": true, "body": "no base64!"}),
            json!({"isBase64Encoded": true, "body": {"a": 1}}),
            json!({"records": [{"data": "dGVzdA==", "value": "dGVzdA=="}]}),
        ] {
            assert_eq!(decoded(unchanged.clone()), unchanged);
        }
    }

    #[test]
    fn records_of_streams_queues_and_logs_are_their_texts() {
        let data = STANDARD.encode("{\"pin\":1}");
        let expect = |payload: serde_json::Value, pointer: &str| {
            assert_eq!(decoded(payload.clone()).pointer(pointer), Some(&json!("{\"pin\":1}")), "{payload}");
        };
        expect(
            json!({"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": data}}]}),
            "/Records/0/kinesis/data",
        );
        expect(json!({"deliveryStreamArn": "arn", "records": [{"data": data}]}), "/records/0/data");
        for source in ["aws:kafka", "SelfManagedKafka"] {
            let event =
                json!({"eventSource": source, "records": {"orders-0": [{"key": data, "value": data}]}});
            expect(event.clone(), "/records/orders-0/0/key");
            expect(event, "/records/orders-0/0/value");
        }
        expect(json!({"eventSource": "aws:mq", "messages": [{"data": data}]}), "/messages/0/data");
        expect(
            json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": [{"data": data}]}}),
            "/rmqMessagesByQueue/q::~1/0/data",
        );
        assert_eq!(decoded(json!({"awslogs": {"data": "H4sI"}})), json!({"awslogs": {"data": "(3 bytes)"}}));
    }
}
