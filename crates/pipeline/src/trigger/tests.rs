//! Events as AWS's documentation shows them ("Invoking Lambda with events from other AWS services"), shortened.

use serde_json::json;

use super::*;

const PARENT: &str = "00-62e900b2710d76f009d6e7785905449a-0efbd19962d95b05-01";
const XRAY: &str = "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1";

fn map(event: serde_json::Value) -> Map {
    let Value::Object(map) = Value::from(event) else { panic!("no object") };
    map
}

fn trigger(event: serde_json::Value) -> Trigger {
    of_event(&map(event)).expect("an event of AWS")
}

fn context() -> Option<TraceContext> {
    Some(TraceContext {
        trace_id: "62e900b2710d76f009d6e7785905449a".parse().unwrap(),
        span_id: "0efbd19962d95b05".parse().unwrap(),
    })
}

fn attribute<'a>(trigger: &'a Trigger, key: &str) -> Option<&'a str> {
    trigger.attributes.get(key).and_then(Value::as_str)
}

#[test]
fn every_kind_of_request_names_its_route_and_its_caller() {
    let rest = json!({"resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "GET",
        "headers": {"X-Amzn-Trace-Id": XRAY}, "requestContext": {"apiId": "a", "stage": "prod"}});
    let http = json!({"version": "2.0", "routeKey": "GET /orders/{id}", "rawPath": "/orders/7",
        "headers": {"traceparent": PARENT},
        "requestContext": {"domainName": "a.execute-api.eu-west-1.amazonaws.com", "routeKey": "GET /orders/{id}",
            "http": {"method": "GET", "path": "/orders/7"}}});
    let mut url = http.clone();
    url["requestContext"]["domainName"] = json!("abc.lambda-url.eu-west-1.on.aws");
    url["requestContext"]["routeKey"] = json!("$default");
    let balancer = json!({"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/orders/7",
        "multiValueHeaders": {"traceparent": [PARENT]}});
    for (event, source, route) in [
        (rest, "api-gateway", Some("/orders/{id}")),
        (http, "api-gateway-http", Some("/orders/{id}")),
        (url, "function-url", None),
        (balancer, "load-balancer", None),
    ] {
        let trigger = trigger(event);
        assert_eq!((trigger.source, trigger.class), (source, "http"));
        assert_eq!(attribute(&trigger, "http.request.method"), Some("GET"), "{source}");
        assert_eq!(attribute(&trigger, "url.path"), Some("/orders/7"), "{source}");
        assert_eq!(attribute(&trigger, "http.route"), route, "{source}");
        assert_eq!(trigger.caller, context(), "{source}");
    }
    let socket = trigger(
        json!({"requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c"}}),
    );
    assert_eq!(
        (socket.source, attribute(&socket, "http.route")),
        ("api-gateway-websocket", Some("$connect"))
    );
}

#[test]
fn a_service_network_is_known_by_both_of_its_versions() {
    let first = json!({"raw_path": "/orders/7", "method": "GET", "headers": {"traceparent": PARENT, "host": "shop"},
        "query_string_parameters": {"token": "t"}, "body": "", "is_base64_encoded": false});
    let second = json!({"version": "2.0", "path": "/orders/7", "method": "GET",
        "headers": {"traceparent": [PARENT], "host": ["shop"]}, "isBase64Encoded": false,
        "requestContext": {"serviceNetworkArn": "arn:aws:vpc-lattice:eu-west-1:1:servicenetwork/sn-1",
            "serviceArn": "arn:aws:vpc-lattice:eu-west-1:1:service/svc-1", "region": "eu-west-1"}});
    for event in [first, second] {
        let trigger = trigger(event);
        assert_eq!((trigger.source, trigger.class), ("vpc-lattice", "http"));
        assert_eq!(attribute(&trigger, "http.request.method"), Some("GET"));
        assert_eq!(attribute(&trigger, "url.path"), Some("/orders/7"));
        assert_eq!(attribute(&trigger, "server.address"), Some("shop"));
        assert_eq!(trigger.caller, context());
    }
}

#[test]
fn a_batch_links_each_messages_span_once() {
    let message = |trace: &str| {
        json!({"messageId": "m", "body": "x", "attributes": {"AWSTraceHeader": trace},
            "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders"})
    };
    let other = "Root=1-62e900b2-710d76f009d6e77859054400;Parent=0efbd19962d95b06";
    let trigger =
        trigger(json!({"Records": [message(XRAY), message(other), message(XRAY), message("Root=1-x")]}));
    assert_eq!((trigger.source, trigger.class, trigger.links.len()), ("sqs", "pubsub", 2));
    assert_eq!(trigger.links[0].context, context().unwrap());
    assert_eq!(trigger.caller, None, "a batch has no one caller");
    assert_eq!(trigger.attributes["messaging.batch.message_count"], Value::Int(4));
    assert_eq!(attribute(&trigger, "aws.event_source.arn"), Some("arn:aws:sqs:eu-west-1:1:orders"));
}

#[test]
fn messages_inside_messages_are_found() {
    let in_bus =
        json!({"detail-type": "order", "source": "shop", "detail": {"traceparent": PARENT}}).to_string();
    let in_topic =
        json!({"Type": "Notification", "TopicArn": "arn", "Message": in_bus, "MessageAttributes": {}})
            .to_string();
    let attributes = json!({"traceparent": {"Type": "String", "Value": PARENT}});
    let topic =
        json!({"Type": "Notification", "TopicArn": "arn", "Message": "x", "MessageAttributes": attributes})
            .to_string();
    for (body, nested) in [(in_topic, "sns/eventbridge"), (topic, "sns"), (in_bus, "eventbridge")] {
        let trigger = trigger(json!({"Records": [{"eventSource": "aws:sqs", "body": body}]}));
        assert_eq!(attribute(&trigger, "aws.lambda.trigger.nested"), Some(nested));
        assert_eq!(trigger.caller, context(), "{nested}");
    }
}

/// A bucket's notifications come through topics and queues as often as not. They carry no trace of their own: what the
/// topic or the queue knows of one counts.
#[test]
fn a_buckets_notification_is_found_in_a_queue_in_a_topic_and_in_a_topic_in_a_queue() {
    let put = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "orders", "arn": "arn:aws:s3:::orders"}, "object": {"key": "7.json"}}}]})
    .to_string();
    let topic = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:puts", "Message": put})
        .to_string();
    let queue =
        |body: &str| json!({"eventSource": "aws:sqs", "body": body, "attributes": {"AWSTraceHeader": XRAY}});
    let sns = json!({"EventSource": "aws:sns", "Sns": {"TopicArn": "arn:aws:sns:eu-west-1:1:puts", "Message": put,
        "MessageAttributes": {"traceparent": {"Type": "String", "Value": PARENT}}}});
    for (record, source, nested) in
        [(queue(&put), "sqs", "s3"), (sns, "sns", "s3"), (queue(&topic), "sqs", "sns/s3")]
    {
        let trigger = trigger(json!({"Records": [record]}));
        assert_eq!(trigger.source, source);
        assert_eq!(attribute(&trigger, "aws.lambda.trigger.nested"), Some(nested), "in {source}");
        assert_eq!(trigger.caller, context(), "{nested} in {source}");
    }
    // As deep as they are opened.
    let deep = json!({"TopicArn": "arn", "Message": json!({"TopicArn": "arn", "Message": json!({"detail-type": "x",
        "source": "shop", "detail": {"traceparent": PARENT}}).to_string()}).to_string()});
    let deeper = json!({"Records": [{"eventSource": "aws:sqs", "body": deep.to_string()}]});
    assert_eq!(trigger(deeper).caller, None);
}

#[test]
fn every_other_sender_is_known() {
    for (event, source, class) in [
        (
            json!({"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": "arn", "Message": "x"}}]}),
            "sns",
            "pubsub",
        ),
        (json!({"Records": [{"eventSource": "aws:kinesis", "kinesis": {}}]}), "kinesis", "datasource"),
        (json!({"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {}}]}), "dynamodb", "datasource"),
        (
            json!({"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"arn": "arn"}}}]}),
            "s3",
            "datasource",
        ),
        (
            json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}),
            "eventbridge",
            "timer",
        ),
        (json!({"detail-type": "order", "source": "shop", "detail": {}}), "eventbridge", "pubsub"),
        (
            json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {}, "receipt": {}}}]}),
            "ses",
            "pubsub",
        ),
        (
            json!({"Records": [{"eventSource": "aws:codecommit", "eventSourceARN": "arn", "codecommit": {}}]}),
            "codecommit",
            "other",
        ),
        (json!({"CodePipeline.job": {"id": "j", "data": {}}}), "codepipeline", "other"),
        (json!({"configRuleName": "r", "invokingEvent": "{}", "resultToken": "t"}), "config", "other"),
        (json!({"awslogs": {"data": "H4sI"}}), "cloudwatch-logs", "datasource"),
        (json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": [{}, {}]}}), "mq", "pubsub"),
        (json!({"deliveryStreamArn": "arn", "records": [{}]}), "firehose", "datasource"),
        (json!({"triggerSource": "PreSignUp_SignUp", "userPoolId": "p"}), "cognito", "other"),
        (json!({"info": {"fieldName": "order", "parentTypeName": "Query"}}), "appsync", "http"),
        (json!({"Execution": {"Id": "arn:aws:states:eu-west-1:1:execution:m:e"}}), "step-functions", "other"),
        (json!({"_baselime": {"traceparent": PARENT}}), "step-functions", "other"),
    ] {
        let trigger = trigger(event);
        assert_eq!((trigger.source, trigger.class), (source, class));
    }
    let bytes: Vec<u8> = PARENT.bytes().collect();
    let records = json!({"orders-0": [
        {"topic": "orders", "headers": [{"traceparent": bytes}]}, {"topic": "orders", "headers": []}]});
    let managed = json!({"eventSource": "aws:kafka", "eventSourceArn": "arn", "records": records});
    let own = json!({"eventSource": "SelfManagedKafka", "bootstrapServers": "b-1:9092", "records": records});
    for (event, arn) in [(managed, Some("arn")), (own, None)] {
        let kafka = trigger(event);
        assert_eq!((kafka.source, kafka.links.len()), ("kafka", 1));
        assert_eq!(kafka.links[0].context, context().unwrap());
        assert_eq!(attribute(&kafka, "aws.event_source.arn"), arn);
        assert_eq!(attribute(&kafka, "messaging.destination.name"), Some("orders"));
    }
}

#[test]
fn a_broker_is_told_by_its_system_with_all_messages_counted() {
    let active =
        json!({"eventSource": "aws:mq", "eventSourceArn": "arn", "messages": [{"messageID": "1"}, {}]});
    let rabbit = json!({"eventSource": "aws:rmq", "eventSourceArn": "arn",
        "rmqMessagesByQueue": {"orders::/": [{}], "bills::/": [{}]}});
    for (event, system) in [(active, "activemq"), (rabbit, "rabbitmq")] {
        let broker = trigger(event);
        assert_eq!((broker.source, broker.class), ("mq", "pubsub"));
        assert_eq!(attribute(&broker, "messaging.system"), Some(system));
        assert_eq!(broker.attributes["messaging.batch.message_count"], Value::Int(2), "{system}");
    }
}

#[test]
fn what_is_no_event_is_none() {
    for event in [
        json!({}),
        json!({"Records": []}),
        json!({"Records": [{"a": 1}]}),
        json!({"requestContext": {}}),
        json!({"source": "me", "order": 7}),
        json!({"eventSource": "mine", "records": []}),
    ] {
        assert_eq!(of_event(&map(event.clone())), None, "{event}");
    }
}

#[test]
fn a_log_shows_its_event_under_several_names() {
    let event = json!({"Records": [{"eventSource": "aws:sqs"}]});
    for line in [
        json!({"message": event}),
        json!({"event": event}),
        json!({"message": "baselime:trigger", "data": {"event": event}}),
        event.clone(),
    ] {
        assert_eq!(of_log(&map(line.clone()), || map(line)).map(|trigger| trigger.source), Some("sqs"));
    }
    let line = || map(json!({"message": "paid", "userPoolId": "p", "triggerSource": "x"}));
    assert_eq!(of_log(&line(), line), None);
}
