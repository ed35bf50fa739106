//! What the function prints: its place, its figures, its joined lines.

use std::time::Duration;

use lambda_api::telemetry::Record;
use model::{SpanStatus, Timestamp};
use pipeline::Assembler;
use serde_json::{Value, json};

use super::support::*;

#[test]
fn embedded_metrics_become_points_and_stay_a_log() {
    let line = json!({"_aws": {"Timestamp": 1_795_182_721_000_i64, "CloudWatchMetrics": [{"Namespace": "shop",
        "Dimensions": [["service"], ["service", "currency"]],
        "Metrics": [{"Name": "paid", "Unit": "Count"}, {"Name": "latency", "Unit": "Milliseconds"}, {"Name": "absent"}]}]},
        "service": "checkout", "currency": "EUR", "paid": 1, "latency": [12.5, 40.0], "orderId": "o-1"});
    let signals = run(
        &mut Assembler::new(checkout()),
        [start(1_000, ID), record(1_005, "function", json!(line.to_string() + "\n"))],
    );
    assert_eq!(signals.logs.len(), 2, "START and the line");
    insta::assert_json_snapshot!(shown(&signals));
}

fn printed(at_ms: u32, line: &str) -> Record {
    record(at_ms, "function", json!(line))
}

#[test]
fn a_trace_of_several_lines_is_one_log_of_the_invocation_that_printed_it() {
    let mut assembler = Assembler::new(checkout());
    let now = Timestamp::EPOCH;
    let mut signals = run(&mut assembler, [start(1_000, ID)]);
    for line in [printed(1_010, "TypeError: no card"), printed(1_010, "    at f (a.js:1:2)")] {
        assert!(assembler.accept(line, now).is_empty(), "held: more may come");
    }
    assert!(assembler.settle().is_empty(), "the invocation runs");
    assert_eq!(assembler.due(), Some(now.plus(Duration::from_millis(100))));
    // The end lets go of it before anything else is told.
    signals.append(run(&mut assembler, [done(1_043, ID, "error", None, 42.5), start(2_000, NEXT_ID)]));
    let log = signals.logs.iter().find(|log| !log.platform).unwrap();
    assert_eq!(log.line.as_deref(), Some("TypeError: no card\n    at f (a.js:1:2)"));
    assert_eq!((log.request_id.as_deref(), signals.folded), (Some(ID), 1));
    assert_eq!(signals.spans[0].status, SpanStatus::Error("TypeError: no card".into()));
    assert_eq!(assembler.due(), None);
}

#[test]
fn nothing_is_held_while_nothing_runs_nor_longer_than_stated() {
    let mut assembler = Assembler::new(checkout());
    run(&mut assembler, [start(1_000, ID), done(1_043, ID, "success", None, 42.5)]);
    assert!(assembler.accept(printed(1_050, "a late line"), Timestamp::EPOCH).is_empty());
    assert_eq!(assembler.settle().logs.len(), 1);
    run(&mut assembler, [start(2_000, NEXT_ID)]);
    assembler.accept(printed(2_010, "the last for now"), Timestamp::EPOCH);
    assert!(assembler.release(Timestamp::from_millis(99)).is_empty());
    assert_eq!(assembler.release(Timestamp::from_millis(100)).logs.len(), 1);
}

#[test]
fn an_event_in_a_log_names_the_trigger_and_links_its_messages() {
    let message = json!({"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders",
        "attributes": {"AWSTraceHeader": "Root=1-62e900b2-710d76f009d6e77859054400;Parent=0efbd19962d95b06"}});
    let line = json!({"level": "INFO", "message": {"Records": [message]}, "function_request_id": ID});
    let signals = run(
        &mut Assembler::new(checkout()),
        [start(1_000, ID), record(1_005, "function", line), done(1_043, ID, "success", None, 42.5)],
    );
    let span = signals.spans.iter().find(|span| span.name == "checkout").unwrap();
    assert_eq!(span.attributes["faas.trigger"], "pubsub".into());
    assert_eq!(span.attributes["aws.lambda.trigger"], "sqs".into());
    let [link] = span.links.as_slice() else { panic!("{:?}", span.links) };
    assert_eq!(link.context.trace_id.to_string(), "62e900b2710d76f009d6e77859054400");
}

#[test]
fn a_duration_makes_a_span_unless_it_is_somebody_elses() {
    let spans_of = |line: Value| {
        let signals =
            run(&mut Assembler::new(checkout()), [start(1_000, ID), record(1_500, "function", line)]);
        signals.spans
    };
    let timed = spans_of(json!({"message": "charged", "duration": 200, "level": "ERROR"}));
    assert_eq!((timed[0].name.as_str(), timed[0].end.since(timed[0].start).as_millis()), ("charged", 200));
    assert_eq!(timed[0].status, SpanStatus::Error("charged".into()));
    assert_eq!(timed[0].parent_id, "54565fb41ac79632".parse().ok());
    let own_span = json!({"message": "charged", "duration": 200, "span_id": "0efbd19962d95b05"});
    let age = json!({"message": "message received", "duration": 86_400_000});
    let metrics =
        json!({"duration": 1, "_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "duration"}]}]}});
    for line in [own_span, age, metrics, json!({"message": "charged"})] {
        assert!(spans_of(line.clone()).is_empty(), "{line}");
    }
}
