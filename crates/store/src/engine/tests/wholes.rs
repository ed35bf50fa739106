//! Requests, invocations and traces: what is put together from their events, and that the engine and a naive evaluator
//! put the same together.

use std::collections::{BTreeMap, BTreeSet};

use model::{Event, Kind, Level, SpanId, Timestamp, TraceId, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query::{Filter, Query, RunError, Runner as _, Whole};
use serde_json::{Map, json};

use super::drawn::{attributes, parts};
use super::reference::{self, Seen};
use super::{ask, event, now, read, store, wait};
use crate::engine::execute::Execution;
use crate::engine::session;
use crate::engine::whole::head::Heads;

const MINUTE_MS: i64 = 60_000;

fn trace_id(number: u8) -> TraceId {
    format!("{:032x}", 0xa0 + u32::from(number)).parse().unwrap()
}

fn span_id(number: u8) -> SpanId {
    SpanId::from_bytes([number; 8]).unwrap()
}

/// A line of a request.
fn line(number: usize, age_ms: i64, request: &str, message: &str) -> Event {
    let line = event("lambda-logs", number, age_ms, json!({ "message": message }));
    Event { request_id: Some(request.to_owned()), level: Some(Level::Info), ..line }
}

/// Lambda's report of a request, in a span.
fn report(number: usize, age_ms: i64, request: &str, span: u8, billed_ms: i64) -> Event {
    let keys = json!({
        "@type": "REPORT", "@duration": 90.5, "@billedDuration": billed_ms, "@memorySize": 128,
        "@maxMemoryUsed": 81, "@initDuration": 150.25, "@status": "timeout",
    });
    Event {
        kind: Kind::Platform,
        request_id: Some(request.to_owned()),
        span_id: Some(span_id(span)),
        ..event("lambda-logs", number, age_ms, keys)
    }
}

/// A span of trace 1.
fn span(number: usize, age_ms: i64, span: u8, parent: Option<u8>, duration_ms: f64) -> Event {
    Event {
        kind: Kind::Span,
        name: Some(format!("span {span}")),
        trace_id: Some(trace_id(1)),
        span_id: Some(span_id(span)),
        parent_id: parent.map(span_id),
        duration_ms: Some(duration_ms),
        status: Some("ok".to_owned()),
        ..event("otel", number, age_ms, json!({}))
    }
}

/// The platform's span of a request.
fn invocation(number: usize, age_ms: i64, request: &str, id: u8, told: &str) -> Event {
    let keys = json!({ "aws.lambda.status": told, "faas.coldstart": true });
    let attributes = event("otel", number, age_ms, keys).attributes;
    Event { attributes, request_id: Some(request.to_owned()), ..span(number, age_ms, id, None, 100.0) }
}

async fn rows(events: Vec<Event>, text: &str) -> Vec<Map<String, serde_json::Value>> {
    let (logs, spans): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event| event.dataset == "lambda-logs");
    let written: Vec<Vec<Event>> = [logs, spans].into_iter().filter(|part| !part.is_empty()).collect();
    ask(&store(&written).await, text).await.wholes
}

#[test]
fn a_request_is_found_by_one_line_and_shown_with_everything_of_it() {
    wait(async {
        let mut warning = line(2, 10_000, "r-1", "card declined");
        warning.level = Some(Level::Warn);
        let events = vec![
            line(1, 10_100, "r-1", "order taken"),
            warning,
            invocation(3, 10_200, "r-1", 7, "success"),
            report(4, 9_000, "r-1", 7, 101),
            line(5, 10_000, "r-2", "order taken"),
        ];
        let found = rows(events, "VIEW requests WHERE message INCLUDES declined").await;
        let start = Timestamp::from_millis(now().as_millis() - 10_200).to_string();
        assert_eq!(
            serde_json::Value::from(found[0].clone()),
            json!({
                "requestId": "r-1", "start": start, "duration": 100, "namespaces": ["checkout"],
                "services": ["shop"], "status": "ok", "error": null, "coldStart": true, "events": 4, "spans": 1,
                "logs": 2, "levels": {"trace": 0, "debug": 0, "info": 1, "warn": 1, "error": 0, "fatal": 0},
                "errors": 0, "billedDuration": 101, "memorySize": 128, "maxMemoryUsed": 81,
                "initDuration": 150.25, "invocations": 1, "traceId": trace_id(1).to_string(),
            })
        );
        assert_eq!(found.len(), 1);
    });
}

#[test]
fn a_request_that_was_tried_again_is_one_request_and_two_invocations() {
    wait(async {
        let events = || {
            vec![
                invocation(1, 50_000, "r-1", 7, "timeout"),
                report(2, 49_000, "r-1", 7, 3_000),
                invocation(3, 20_000, "r-1", 8, "success"),
                report(4, 19_000, "r-1", 8, 101),
                line(5, 19_500, "r-1", "second try"),
            ]
        };
        let requests = rows(events(), "VIEW requests").await;
        assert_eq!(requests.len(), 1);
        assert_eq!((&requests[0]["status"], &requests[0]["invocations"]), (&json!("ok"), &json!(2)));
        let invocations =
            rows(events(), "VIEW invocations SEARCH \"second try\" ORDER BY billedDuration").await;
        let told = |row: &Map<String, serde_json::Value>| {
            json!([row["spanId"], row["status"], row["billedDuration"]])
        };
        let told: Vec<serde_json::Value> = invocations.iter().map(told).collect();
        let id = |number| span_id(number).to_string();
        assert_eq!(told, [json!([id(7), "timeout", 3_000]), json!([id(8), "ok", 101])]);
    });
}

#[test]
fn a_report_of_cloudwatch_alone_is_an_invocation_too() {
    wait(async {
        let mut alone = report(1, 10_000, "r-1", 7, 202);
        alone.span_id = None;
        let found = rows(vec![alone], "VIEW invocations").await;
        assert_eq!(
            json!([found[0]["spanId"], found[0]["requestId"], found[0]["status"], found[0]["duration"]]),
            json!([null, "r-1", "timeout", 90.5])
        );
    });
}

#[test]
fn traces_are_found_by_any_of_their_spans_and_chosen_by_their_figures() {
    wait(async {
        let of = |trace: u8, event: Event| Event { trace_id: Some(trace_id(trace)), ..event };
        let failed = |event: Event| Event {
            service: "bank".to_owned(),
            error: Some("Declined".to_owned()),
            status: Some("error".to_owned()),
            ..event
        };
        let events = vec![
            of(1, span(1, 9_000, 1, None, 80.0)),
            of(1, failed(span(2, 8_990, 2, Some(1), 200.0))),
            of(2, span(3, 7_000, 3, None, 500.0)),
            of(2, span(4, 6_990, 4, Some(3), 10.0)),
            // A line alone makes no trace.
            of(3, line(5, 5_000, "r", "hello")),
        ];
        let all = rows(events.clone(), "VIEW traces ORDER BY duration").await;
        let durations: Vec<&serde_json::Value> = all.iter().map(|row| &row["duration"]).collect();
        assert_eq!(durations, [&json!(500), &json!(210)]);
        let bank = rows(events.clone(), "VIEW traces WHERE $limelight.service = bank").await;
        assert_eq!(bank.len(), 1);
        assert_eq!(
            json!([
                bank[0]["name"],
                bank[0]["services"],
                bank[0]["spans"],
                bank[0]["errors"],
                bank[0]["status"]
            ]),
            json!(["span 1", ["bank", "shop"], 2, 1, "ok"])
        );
        assert_eq!(rows(events, "VIEW traces HAVING errors = 0 AND duration / spans > 100").await.len(), 1);
    });
}

#[test]
fn what_happened_outside_the_time_belongs_to_it_if_one_part_is_inside() {
    wait(async {
        let events = || {
            vec![
                line(1, 61 * MINUTE_MS, "inside", "before"),
                line(2, 59 * MINUTE_MS, "inside", "in it"),
                line(3, 61 * MINUTE_MS, "outside", "before"),
                report(4, 62 * MINUTE_MS, "around", 1, 1),
                report(5, -MINUTE_MS, "around", 1, 1),
            ]
        };
        let found = rows(events(), "VIEW requests LAST 1h").await;
        assert_eq!(
            found.iter().map(|row| json!([row["requestId"], row["logs"]])).collect::<Vec<_>>(),
            [json!(["inside", 2])]
        );
        assert!(rows(events(), "VIEW requests WHERE message = before LAST 1h").await.is_empty());
    });
}

#[test]
fn more_than_the_limit_is_said_and_no_whole_is_no_row() {
    wait(async {
        let store = store(&[vec![line(1, 10, "a", "x"), line(2, 10, "b", "x")]]).await;
        let answer = ask(&store, "VIEW requests LIMIT 1").await;
        assert_eq!((answer.wholes.len(), answer.notes.len()), (1, 1), "{:?}", answer.notes);
        assert!(ask(&store, "VIEW traces").await.wholes.is_empty());
    });
}

#[test]
fn what_happened_at_the_same_moment_is_told_in_the_same_way_however_it_is_stored() {
    wait(async {
        let failed = |number: usize, id: u8, error: &str| Event {
            error: Some(error.to_owned()),
            ..invocation(number, 5_000, "r-1", id, "failure")
        };
        let parts = [vec![failed(1, 7, "First")], vec![failed(2, 8, "Second")], vec![failed(3, 9, "Third")]];
        let backwards: Vec<_> = parts.iter().rev().cloned().collect();
        let text = "VIEW requests FROM otel";
        let one = ask(&store(&parts).await, text).await.wholes;
        assert_eq!(one, ask(&store(&backwards).await, text).await.wholes);
        assert_eq!(one[0]["error"], "Third");
    });
}

#[test]
fn more_that_speaks_for_wholes_than_an_answer_can_hold_is_an_error() {
    wait(async {
        let events = vec![invocation(1, 10, "r-1", 7, "success"), report(2, 10, "r-1", 7, 1)];
        let query = read("VIEW requests FROM otel, lambda-logs");
        let store = store(&[events]).await;
        let snapshots = store.named(&query).await.unwrap();
        let tables: Vec<_> = snapshots.iter().map(crate::engine::table).collect();
        let plan = query::Plan::new(&query, &tables);
        for (rows_max, is_told) in [(2, true), (1, false)] {
            let context = session::context(&store.engine().runtime, &snapshots).unwrap();
            let mut execution = Execution::start(context, false);
            let heads = Heads::read(&plan, &["r-1".to_owned()], rows_max, &mut execution).await;
            match heads {
                Ok(heads) => assert!(is_told && heads.first("r-1").is_some()),
                Err(error) => assert!(!is_told && matches!(error, RunError::TooManyRows { limit: 1 })),
            }
        }
    });
}

/// An event of any kind, part of few requests and traces so that they meet.
fn any_event() -> impl Strategy<Value = Event> {
    let drawn = (
        (0..5_u8, option::of(0..3_u8), option::of(0..3_u8), 0..4_u8),
        (0..90 * MINUTE_MS, option::of(0..50_u32), option::of(0..6_usize), any::<bool>()),
        attributes(),
    );
    drawn.prop_map(|((shape, request, trace, parent), (age_ms, duration, level, failed), keys)| {
        let mut event = match shape {
            0 => invocation(0, age_ms, "", 1 + parent, "success"),
            1 => report(0, age_ms, "", 1 + parent, i64::from(parent)),
            2 => span(0, age_ms, 1 + parent, (parent > 1).then_some(9), 0.0),
            _ => line(0, age_ms, "", ""),
        };
        let Value::Object(keys) = Value::from(keys) else { return event };
        event.message = None;
        event.attributes.extend(keys.into_iter().filter(|(key, _)| key != "message"));
        event.request_id = request.map(|request| format!("r-{request}"));
        event.trace_id = trace.map(trace_id);
        event.duration_ms = duration.map(|quarters| f64::from(quarters) / 4.0);
        event.level = level
            .map(|at| [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal][at]);
        event.error = failed.then(|| "Failed".to_owned());
        event
    })
}

fn is_invocation(event: &Event) -> bool {
    event.kind == Kind::Span && event.attributes.contains_key("aws.lambda.status")
}

fn is_report(event: &Event) -> bool {
    event.attributes.get("@type") == Some(&Value::from("REPORT"))
}

fn identity(whole: Whole, event: &Event) -> Option<String> {
    match whole {
        Whole::Request => event.request_id.clone(),
        Whole::Trace => event.trace_id.map(|id| id.to_string()),
        Whole::Invocation => (is_invocation(event) || is_report(event))
            .then(|| event.span_id.map(|id| id.to_string()).or(event.request_id.clone()))?,
    }
}

/// Figures of each whole, by its identity, as plainly as possible.
fn expected(
    query: &Query,
    whole: Whole,
    events: &[Event],
) -> BTreeMap<String, Vec<(&'static str, Option<f64>)>> {
    let chooser = |event: &Event| match whole {
        Whole::Trace => identity(Whole::Trace, event),
        Whole::Request | Whole::Invocation => event.request_id.clone(),
    };
    let counts = |event: &&Event| reference::counts(query, &Seen::new(event, &[]));
    let everything = query.filter == Filter::everything();
    let chosen: BTreeSet<String> = events.iter().filter(counts).filter_map(chooser).collect();
    let inside: BTreeSet<String> =
        events.iter().filter(counts).filter_map(|event| identity(whole, event)).collect();
    let mut parts: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| event.timestamp >= query.timeframe.from.minus(std::time::Duration::from_mins(15)))
    {
        let Some(id) = identity(whole, event) else { continue };
        // Without conditions it is the time of the whole's own events that counts.
        let wanted = if everything {
            inside.contains(&id)
        } else {
            chooser(event).is_some_and(|id| chosen.contains(&id))
        };
        if wanted {
            parts.entry(id).or_default().push(event);
        }
    }
    parts.retain(|_, events| whole != Whole::Trace || events.iter().any(|event| event.kind == Kind::Span));
    parts.into_iter().map(|(id, events)| (id, figures(whole, &events))).collect()
}

fn figures(whole: Whole, events: &[&Event]) -> Vec<(&'static str, Option<f64>)> {
    let count =
        |which: &dyn Fn(&Event) -> bool| Some(events.iter().filter(|event| which(event)).count() as f64);
    let greatest =
        |of: &dyn Fn(&Event) -> Option<f64>| events.iter().filter_map(|event| of(event)).reduce(f64::max);
    let key = |key: &'static str| {
        greatest(&|event| is_report(event).then(|| event.attributes.get(key)?.as_f64())?)
    };
    let failed = |event: &Event| {
        let level = matches!(event.level, Some(Level::Error | Level::Fatal));
        level || event.error.is_some() || event.status.as_deref() == Some("error")
    };
    let mut known = vec![
        ("logs", count(&|event| event.kind == Kind::Log)),
        ("spans", count(&|event| event.kind == Kind::Span)),
        ("errors", count(&failed)),
        ("levels.warn", count(&|event| event.kind == Kind::Log && event.level == Some(Level::Warn))),
        ("billedDuration", key("@billedDuration")),
        ("initDuration", key("@initDuration")),
    ];
    if whole != Whole::Trace {
        let span = greatest(&|event| is_invocation(event).then_some(event.duration_ms)?);
        let any = greatest(&|event| event.duration_ms);
        known.push(("duration", span.or(key("@duration")).or(any)));
    }
    known.retain(|(name, _)| whole.fact(name).is_some());
    known
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_puts_together_what_a_naive_evaluator_does(
        drawn in vec(any_event(), 1..30),
        filters in vec(option::of(parts().filter(2, 4)), 4),
    ) {
        let events: Vec<Event> = drawn
            .into_iter()
            .enumerate()
            .map(|(number, event)| Event { id: format!("id-{number}").into(), ..event })
            .collect();
        wait(async {
            let store = store(std::slice::from_ref(&events)).await;
            for filter in filters {
                for (whole, name) in [(Whole::Request, "requests"), (Whole::Invocation, "invocations"), (Whole::Trace, "traces")] {
                    let query = Query { filter: filter.clone().unwrap_or_else(Filter::everything), ..read(&format!("VIEW {name} LAST 1h")) };
                    let answer = store.run(&query).await.map_err(|error| TestCaseError::fail(format!("{query}: {error}")))?;
                    let expected = expected(&query, whole, &events);
                    prop_assert_eq!(answer.wholes.len(), expected.len(), "{}", query);
                    for row in &answer.wholes {
                        let id = [whole.facts()[0].name, "requestId"].into_iter().find_map(|key| row.get(key)?.as_str());
                        let Some(figures) = id.and_then(|id| expected.get(id)) else {
                            return Err(TestCaseError::fail(format!("{row:?} of {query}")));
                        };
                        for (name, figure) in figures {
                            let at = format!("/{}", name.replace('.', "/"));
                            let got = serde_json::Value::from(row.clone()).pointer(&at).and_then(serde_json::Value::as_f64);
                            prop_assert_eq!(got, *figure, "{} of {:?} in {}", name, row, query);
                        }
                    }
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
