use super::*;
use lambda_api::telemetry::Record;
use serde_json::json;

use crate::{Assembler, FunctionContext};

const NOW: Timestamp = Timestamp::from_millis(1_795_182_720_000);

/// An assembler whose signals are dressed as the extension does it.
struct Sandbox {
    assembler: Assembler,
    payloads: Payloads,
    all: Signals,
}

impl Sandbox {
    fn new(keep: Keep) -> Self {
        let function = FunctionContext { name: "checkout".into(), ..FunctionContext::default() };
        Self {
            assembler: Assembler::new(function),
            payloads: Payloads::new(keep, 1_000_000),
            all: Signals::default(),
        }
    }

    fn platform(&mut self, kind: &str, record: serde_json::Value) {
        let record = Record { time: NOW.to_string(), kind: kind.to_owned(), record };
        let mut signals = self.assembler.accept(record, NOW);
        self.payloads.dress(&mut signals);
        self.all.append(signals);
    }

    fn copy(&mut self, part: Part, payload: &str) {
        let signals = self.payloads.take(part, "one", payload.as_bytes(), false, NOW);
        self.all.append(signals);
    }

    fn start(&mut self) {
        let value = "Root=1-58406520-a006649127e371903a2de979;Sampled=0";
        let tracing = json!({ "type": "X-Amzn-Trace-Id", "value": value });
        self.platform("platform.start", json!({ "requestId": "one", "tracing": tracing }));
    }

    fn done(&mut self) {
        self.platform("platform.runtimeDone", json!({ "requestId": "one", "status": "success" }));
    }

    fn kinds(&self) -> Vec<&str> {
        self.all.logs.iter().filter_map(|log| log.body.get("@type")?.as_str()).collect()
    }
}

const HTTP: &str = r#"{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"",
    "headers":{"traceparent":"00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01","host":"api.example"},
    "requestContext":{"apiId":"a","domainName":"api.example","stage":"$default",
      "http":{"method":"POST","path":"/orders","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"curl"}},
    "body":"{\"order\":7}","isBase64Encoded":false}"#;

#[test]
fn event_and_response_stand_in_their_invocations_trace_and_its_span_knows_its_trigger() {
    let mut sandbox = Sandbox::new(Keep::All);
    sandbox.copy(Part::Event, HTTP);
    sandbox.start();
    sandbox.copy(Part::Response, r#"{"statusCode":503,"body":"no"}"#);
    sandbox.done();
    assert_eq!(sandbox.kinds(), ["START", "EVENT", "RESPONSE", "END"]);
    let span = &sandbox.all.spans[0];
    for log in &sandbox.all.logs {
        assert_eq!((log.trace_id, log.span_id), (Some(span.trace_id), Some(span.span_id)));
    }
    let event = sandbox.all.logs[1].body["event"].as_object().unwrap();
    assert_eq!(event["body"].as_object().unwrap()["order"], Value::Int(7));
    assert_eq!(span.attributes["faas.trigger"], "http".into());
    assert_eq!(span.attributes["http.response.status_code"], Value::Int(503));
    assert_eq!(span.status, SpanStatus::Error("HTTP 503".to_owned()));
    let linked: Vec<_> = span.links.iter().map(|link| link.context.trace_id.to_string()).collect();
    assert_eq!(linked, ["a".repeat(32)], "the caller's trace is another than the platform's");
}

#[test]
fn only_what_is_asked_for_becomes_a_record() {
    for (keep, expected) in [
        (Keep::Triggers, &["START", "END"][..]),
        (Keep::Events, &["START", "EVENT", "END"]),
        (Keep::All, &["START", "EVENT", "RESPONSE", "END"]),
    ] {
        let mut sandbox = Sandbox::new(keep);
        sandbox.copy(Part::Event, HTTP);
        sandbox.start();
        sandbox.copy(Part::Response, "{}");
        sandbox.done();
        assert_eq!(sandbox.kinds(), expected);
        assert!(sandbox.all.spans[0].attributes.contains_key("faas.trigger"));
    }
}

#[test]
fn copies_whose_invocation_never_starts_are_not_lost() {
    let mut payloads = Payloads::new(Keep::Events, 1_000_000);
    let mut given = 0;
    for number in 0..WAITING_MAX + 3 {
        given += payloads.take(Part::Event, &number.to_string(), b"{}", false, NOW).logs.len();
    }
    assert_eq!(given, 3);
    assert_eq!(payloads.close().logs.len(), WAITING_MAX);
}

#[test]
fn copies_that_wait_have_so_many_bytes_at_the_most_and_what_they_told_stays() {
    let mut payloads = Payloads::new(Keep::Events, 250);
    let event = format!("{:<100}", r#"{"version":"2.0","routeKey":"GET /","requestContext":{"http":{}}}"#);
    let mut given = Vec::new();
    for number in 0..3 {
        let signals = payloads.take(Part::Event, &number.to_string(), event.as_bytes(), false, NOW);
        given.extend(signals.logs.into_iter().filter_map(|log| log.request_id));
    }
    assert_eq!(given, ["0"]);
    assert!(payloads.waiting.iter().all(|waiting| waiting.trigger.is_some()));
    assert_eq!(payloads.close().logs.len(), 2);
}

#[test]
fn a_cut_copy_says_so() {
    let mut payloads = Payloads::new(Keep::Events, 1_000_000);
    payloads.take(Part::Event, "one", br#"{"a":1,"b":"#, true, NOW);
    let log = payloads.close().logs.remove(0);
    assert_eq!((&log.body["@truncated"], log.body["event"].as_object().unwrap().len()), (&true.into(), 1));
}
