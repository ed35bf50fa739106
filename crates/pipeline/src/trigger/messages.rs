//! Events that carry messages: queues, topics, streams, tables, buckets, brokers; and messages inside messages.

use model::{Map, TraceContext, Value};

use super::{LINKS_MAX, Trigger, context, text};

/// A message whose text is larger is not opened to look for another message in it.
const NESTED_BYTES_MAX: usize = 256 * 1024;
/// SNS in SQS, EventBridge or S3 in SNS in SQS.
const NESTING_MAX: usize = 2;

/// The messages, if the event carries some.
pub(super) fn read(event: &Map) -> Option<Trigger> {
    of_records(event).or_else(|| of_kafka(event)).or_else(|| of_broker(event)).or_else(|| of_firehose(event))
}

fn of_records(event: &Map) -> Option<Trigger> {
    let Value::Array(records) = event.get("Records")? else { return None };
    let first = records.first()?.as_object()?;
    let source = text(first, "eventSource").or_else(|| text(first, "EventSource"))?;
    let (name, class) = match source {
        "aws:sqs" => ("sqs", "pubsub"),
        "aws:sns" => ("sns", "pubsub"),
        "aws:kinesis" => ("kinesis", "datasource"),
        "aws:dynamodb" => ("dynamodb", "datasource"),
        "aws:s3" => ("s3", "datasource"),
        "aws:ses" => ("ses", "pubsub"),
        "aws:codecommit" => ("codecommit", "other"),
        _ => return None,
    };
    let arn = text(first, "eventSourceARN").or_else(|| topic(first)).or_else(|| bucket(first));
    let mut trigger = Trigger::new(name, class)
        .with("aws.event_source.arn", arn)
        .with("messaging.system", matches!(name, "sqs" | "sns").then(|| format!("aws_{name}")))
        .with("messaging.batch.message_count", i64::try_from(records.len()).ok())
        .with("aws.lambda.trigger.nested", nested(first).map(|(source, _)| source));
    for record in records.iter().take(LINKS_MAX).filter_map(Value::as_object) {
        if let Some(context) = of_message(record).or_else(|| nested(record)?.1) {
            trigger.link(context);
        }
    }
    if records.len() == 1 {
        trigger.caller = trigger.links.first().map(|link| link.context);
    }
    Some(trigger)
}

fn topic(record: &Map) -> Option<&str> {
    text(record.get("Sns")?.as_object()?, "TopicArn")
}

fn bucket(record: &Map) -> Option<&str> {
    text(record.get("s3")?.as_object()?.get("bucket")?.as_object()?, "arn")
}

/// The span that sent one message: as its producer wrote it, else as X-Ray did for SQS.
fn of_message(record: &Map) -> Option<TraceContext> {
    let attributes = |key: &str| record.get(key).and_then(Value::as_object);
    attributes("messageAttributes")
        .and_then(context::of_attributes)
        .or_else(|| context::of_attributes(attributes("Sns")?.get("MessageAttributes")?.as_object()?))
        .or_else(|| context::xray(text(attributes("attributes")?, "AWSTraceHeader")?))
}

/// What a message that is itself an event says: its source (`sns`; `sns/s3` where that carries one again) and the span
/// that sent it.
fn nested(record: &Map) -> Option<(String, Option<TraceContext>)> {
    let sns = || text(record.get("Sns")?.as_object()?, "Message");
    inside(text(record, "body").or_else(sns)?, NESTING_MAX)
}

fn inside(body: &str, depth: usize) -> Option<(String, Option<TraceContext>)> {
    if depth == 0 || body.len() > NESTED_BYTES_MAX || !body.trim_start().starts_with('{') {
        return None;
    }
    let Ok(Value::Object(message)) = serde_json::from_str(body) else { return None };
    if message.contains_key("TopicArn") {
        let attributes = message.get("MessageAttributes").and_then(Value::as_object);
        let own = attributes.and_then(context::of_attributes);
        let deeper = text(&message, "Message").and_then(|body| inside(body, depth - 1));
        let (source, context) =
            deeper.map_or(("sns".to_owned(), None), |(source, context)| (format!("sns/{source}"), context));
        return Some((source, own.or(context)));
    }
    let event = super::of_event(&message)?;
    Some((event.source.to_owned(), event.caller.or_else(|| Some(event.links.first()?.context))))
}

/// `{"eventSource": "aws:kafka", "records": {"topic-0": [{"headers": [{"traceparent": [48, 48, …]}]}]}}`
fn of_kafka(event: &Map) -> Option<Trigger> {
    let is_kafka = matches!(text(event, "eventSource")?, "aws:kafka" | "SelfManagedKafka");
    let partitions = event.get("records").filter(|_| is_kafka)?.as_object()?;
    let records = || partitions.values().filter_map(list).flatten().filter_map(Value::as_object);
    let mut trigger = Trigger::new("kafka", "pubsub")
        .with("messaging.system", Some("kafka"))
        .with("aws.event_source.arn", text(event, "eventSourceArn"))
        .with("messaging.destination.name", records().next().and_then(|record| text(record, "topic")))
        .with("messaging.batch.message_count", i64::try_from(records().count()).ok());
    for record in records().take(LINKS_MAX) {
        if let Some(context) = record.get("headers").and_then(list).and_then(kafka_context) {
            trigger.link(context);
        }
    }
    Some(trigger)
}

/// Header values are arrays of bytes.
fn kafka_context(headers: &[Value]) -> Option<TraceContext> {
    headers.iter().filter_map(Value::as_object).flatten().find_map(|(key, value)| {
        let bytes = list(value).filter(|_| key == "traceparent")?.iter();
        let bytes: Option<Vec<u8>> = bytes
            .map(|byte| if let Value::Int(byte) = byte { u8::try_from(*byte).ok() } else { None })
            .collect();
        crate::parse::traceparent(&String::from_utf8(bytes?).ok()?)
    })
}

fn of_broker(event: &Map) -> Option<Trigger> {
    let (system, messages) = match text(event, "eventSource")? {
        "aws:mq" => ("activemq", event.get("messages").and_then(list).map_or(0, <[Value]>::len)),
        "aws:rmq" => {
            let queues = event.get("rmqMessagesByQueue")?.as_object()?;
            ("rabbitmq", queues.values().filter_map(list).map(<[Value]>::len).sum())
        }
        _ => return None,
    };
    let trigger = Trigger::new("mq", "pubsub")
        .with("messaging.system", Some(system))
        .with("aws.event_source.arn", text(event, "eventSourceArn"))
        .with("messaging.batch.message_count", i64::try_from(messages).ok());
    Some(trigger)
}

fn of_firehose(event: &Map) -> Option<Trigger> {
    let records = event.get("records").and_then(list)?;
    let arn = text(event, "deliveryStreamArn")?;
    let trigger = Trigger::new("firehose", "datasource")
        .with("aws.event_source.arn", Some(arn))
        .with("messaging.batch.message_count", i64::try_from(records.len()).ok());
    Some(trigger)
}

fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}
