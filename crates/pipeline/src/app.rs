//! What the application's own OpenTelemetry SDK exported → signals at their place: below the resource that all of the
//! sandbox's telemetry shares, and with the request id where it can be known. Called by the extension for each export;
//! told of the course of invocations beside `assemble`. Knows no clock and no socket.
//!
//! Ids, times and everything else stay as the SDK said them. A batch has one resource (the function's), so what the
//! SDK's resource and scope say stands on each record, under its own name, where it differs from the function's; a
//! record's own attribute wins over both. OpenTelemetry has the same rule for systems without resources and scopes.

mod run;

use std::collections::HashMap;

use lambda_api::telemetry::{Payload, Record};
use model::{Map, Resource, Span, SpanId, Value};
use wire::export::Export;

use crate::Signals;
use run::Runs;

/// Spans between a call and its handler; also the end of parents that are their own children.
const GENERATIONS_MAX: usize = 64;

/// The application's telemetry of one sandbox.
#[derive(Debug, Default)]
pub struct App {
    runs: Runs,
}

impl App {
    /// Takes what a platform record tells of the invocations' course; most tell nothing.
    pub fn observe(&mut self, record: &Record<Payload<Value>>) {
        self.runs.observe(record);
    }

    /// INVOKE came. An SDK may export before the platform's record of the start is here.
    pub fn announce(&mut self, request_id: &str) {
        self.runs.announce(request_id);
    }

    /// Places an export. `overlaps`: several invocations run at a time, so that time alone says nothing.
    pub fn place(&mut self, export: Export, resource: &Resource, overlaps: bool) -> Signals {
        let mut signals = Signals::default();
        // A handler's span names its invocation, and so tells it of all spans in its trace, also of those before it.
        for span in export.parts.iter().flat_map(|part| &part.spans) {
            if let Some(request_id) = &span.request_id {
                self.runs.learn(span.trace_id, request_id);
            }
        }
        let owners = owners(&export);
        for part in export.parts {
            let origin = own(part.origin, resource);
            for mut span in part.spans {
                span.request_id = span
                    .request_id
                    .or_else(|| owners.get(&span.span_id).cloned())
                    .or_else(|| self.runs.find(Some(span.trace_id), span.start, overlaps).map(str::to_owned));
                stamp(&mut span.attributes, &origin);
                signals.spans.push(span);
            }
            for mut log in part.logs {
                log.request_id = log
                    .request_id
                    .or_else(|| owners.get(&log.span_id?).cloned())
                    .or_else(|| self.runs.find(log.trace_id, log.time, overlaps).map(str::to_owned));
                stamp(&mut log.body, &origin);
                signals.logs.push(log);
            }
            // A point covers a time, often of many invocations: only its own word counts.
            for mut metric in part.metrics {
                stamp(&mut metric.attributes, &origin);
                signals.metrics.push(metric);
            }
        }
        signals
    }
}

/// Of each span whose invocation is named by itself or by a span above it in the same export: that invocation.
fn owners(export: &Export) -> HashMap<SpanId, String> {
    let spans = || export.parts.iter().flat_map(|part| &part.spans);
    let above: HashMap<SpanId, &Span> = spans().map(|span| (span.span_id, span)).collect();
    let owner = |span: &Span| {
        let up = |span: &&Span| above.get(&span.parent_id?).copied();
        std::iter::successors(above.get(&span.span_id).copied(), up)
            .take(GENERATIONS_MAX)
            .find_map(|span| span.request_id.clone())
    };
    spans().filter_map(|span| Some((span.span_id, owner(span)?))).collect()
}

/// What the batch's resource does not say already.
fn own(origin: Map, resource: &Resource) -> Map {
    let fields = [
        ("faas.name", &resource.namespace),
        ("service.name", &resource.service),
        ("cloud.account.id", &resource.account),
        ("cloud.region", &resource.region),
    ];
    let said = |key: &str, value: &Value| {
        let field = fields.iter().find(|(name, _)| *name == key);
        match field {
            Some((_, text)) => value.as_str() == Some(text),
            None => resource.attributes.get(key) == Some(value),
        }
    };
    origin.into_iter().filter(|(key, value)| !said(key, value)).collect()
}

fn stamp(keys: &mut Map, origin: &Map) {
    for (key, value) in origin {
        if !keys.contains_key(key) {
            keys.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{SpanKind, SpanStatus, Timestamp, TraceId};
    use serde_json::json;
    use wire::export::Part;

    const XRAY: &str = "Root=1-58406520-a006649127e371903a2de979;Parent=4c721bf33e3caf8f;Sampled=1";
    const TRACE: &str = "58406520a006649127e371903a2de979";
    const OTHER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn span(trace: &str, start_ms: i64) -> Span {
        Span {
            trace_id: trace.parse::<TraceId>().unwrap(),
            span_id: SpanId::from_bytes([1; 8]).unwrap(),
            parent_id: None,
            name: "query".to_owned(),
            kind: SpanKind::Client,
            start: Timestamp::from_millis(start_ms),
            end: Timestamp::from_millis(start_ms + 1),
            status: SpanStatus::Unset,
            request_id: None,
            attributes: Map::new(),
            events: Vec::new(),
            links: Vec::new(),
        }
    }

    fn export(spans: Vec<Span>) -> Export {
        Export { parts: vec![Part { spans, ..Part::default() }], rejected: 0 }
    }

    fn record(kind: &str, ms: i64, record: serde_json::Value) -> Record<Payload<Value>> {
        Record { time: Timestamp::from_millis(ms).to_string(), kind: kind.to_owned(), record }.typed()
    }

    fn request_ids(app: &mut App, spans: Vec<Span>, overlaps: bool) -> Vec<Option<String>> {
        let placed = app.place(export(spans), &Resource::default(), overlaps);
        placed.spans.into_iter().map(|span| span.request_id).collect()
    }

    fn started(app: &mut App, id: &str, ms: i64, tracing: Option<&str>) {
        let tracing = tracing.map(|value| json!({ "type": "X-Amzn-Trace-Id", "value": value }));
        app.observe(&record("platform.start", ms, json!({ "requestId": id, "tracing": tracing })));
    }

    fn done(app: &mut App, id: &str, ms: i64) {
        app.observe(&record("platform.runtimeDone", ms, json!({ "requestId": id, "status": "success" })));
    }

    #[test]
    fn what_the_functions_resource_says_already_is_not_said_again() {
        let resource = Resource {
            namespace: "checkout".into(),
            attributes: Map::from([("cloud.provider".to_owned(), "aws".into())]),
            ..Resource::default()
        };
        let origin = Map::from([
            ("faas.name".to_owned(), Value::from("checkout")),
            ("cloud.provider".to_owned(), "aws".into()),
            ("telemetry.sdk.language".to_owned(), "python".into()),
            ("service.name".to_owned(), "orders".into()),
        ]);
        let mut one = span(TRACE, 0);
        one.attributes.insert("service.name".to_owned(), "mine".into());
        let part = Part { origin, spans: vec![one], ..Part::default() };
        let placed = App::default().place(Export { parts: vec![part], rejected: 0 }, &resource, false);
        let attributes = &placed.spans[0].attributes;
        assert_eq!(attributes.keys().collect::<Vec<_>>(), ["service.name", "telemetry.sdk.language"]);
        assert_eq!(attributes["service.name"], "mine".into(), "a record's own attribute wins");
    }

    #[test]
    fn a_span_of_the_platforms_trace_belongs_to_its_invocation_also_where_invocations_overlap() {
        let mut app = App::default();
        started(&mut app, "one", 0, Some(XRAY));
        started(&mut app, "two", 1, None);
        let ids = request_ids(&mut app, vec![span(TRACE, 50), span(OTHER, 50)], true);
        assert_eq!(ids, [Some("one".to_owned()), None], "time alone is a guess there");
    }

    #[test]
    fn a_span_that_names_its_invocation_tells_it_of_its_whole_trace() {
        let mut app = App::default();
        let mut handler = span(OTHER, 0);
        handler.request_id = Some("one".to_owned());
        let ids = request_ids(&mut app, vec![span(OTHER, 1), handler, span(TRACE, 1)], true);
        assert_eq!(ids, [Some("one".to_owned()), Some("one".to_owned()), None]);
        assert_eq!(request_ids(&mut app, vec![span(OTHER, 9)], true), [Some("one".to_owned())]);
    }

    #[test]
    fn a_trace_that_several_invocations_share_tells_nothing_but_its_spans_above_do() {
        let mut app = App::default();
        started(&mut app, "one", 0, Some(XRAY));
        done(&mut app, "one", 100);
        started(&mut app, "two", 200, Some(XRAY));
        let handler = |id: &str, span_id: u8, start_ms| Span {
            request_id: Some(id.to_owned()),
            span_id: SpanId::from_bytes([span_id; 8]).unwrap(),
            ..span(TRACE, start_ms)
        };
        let below = |parent: u8, span_id: u8, start_ms| Span {
            span_id: SpanId::from_bytes([span_id; 8]).unwrap(),
            parent_id: SpanId::from_bytes([parent; 8]),
            ..span(TRACE, start_ms)
        };
        request_ids(&mut app, vec![handler("one", 2, 10)], false);
        let (one, two) = (Some("one".to_owned()), Some("two".to_owned()));
        let later = vec![below(4, 5, 230), below(3, 4, 220), handler("two", 3, 210)];
        assert_eq!(request_ids(&mut app, later, true), [two.clone(), two.clone(), two.clone()]);
        assert_eq!(request_ids(&mut app, vec![span(TRACE, 20), span(TRACE, 220)], false), [one, two]);
        assert_eq!(request_ids(&mut app, vec![span(TRACE, 20)], true), [None]);
        let circle = vec![below(7, 6, 1), below(6, 7, 1)];
        assert_eq!(request_ids(&mut app, circle, true), [None, None]);
    }

    #[test]
    fn where_one_runs_at_a_time_the_time_tells_which() {
        let mut app = App::default();
        started(&mut app, "one", 100, None);
        done(&mut app, "one", 200);
        app.announce("two");
        let at = |ms| span(OTHER, ms);
        let ids = request_ids(&mut app, vec![at(50), at(150), at(300)], false);
        assert_eq!(ids, [None, Some("one".to_owned()), Some("two".to_owned())]);
        started(&mut app, "two", 302, None);
        assert_eq!(request_ids(&mut app, vec![at(250), at(310)], false), [None, Some("two".to_owned())]);
    }
}
