use model::{Level, LogRecord, Map, Metric, MetricKind, Span, SpanKind, SpanStatus, Value};

use super::*;
use crate::assemble::identity;

const NOW: Timestamp = Timestamp::EPOCH;

fn sampler(rate: f64) -> Sampler {
    Sampler::new(Sampling { rate: Rate::new(rate).unwrap(), slow_from: Some(Duration::from_millis(1_000)) })
}

fn line(request_id: &str, level: Level) -> Signals {
    let log = LogRecord {
        time: NOW,
        level: Some(level),
        request_id: Some(request_id.to_owned()),
        trace_id: Some(identity::trace_id(request_id)),
        body: Map::from([("message".to_owned(), "hello".into())]),
        ..LogRecord::default()
    };
    Signals { logs: vec![log], ..Signals::default() }
}

fn span(request_id: &str, name: &str, kind: SpanKind) -> Span {
    Span {
        trace_id: identity::trace_id(request_id),
        span_id: identity::span_id(request_id, name),
        parent_id: None,
        name: name.to_owned(),
        kind,
        start: NOW,
        end: NOW.plus(Duration::from_millis(20)),
        status: SpanStatus::Ok,
        request_id: Some(request_id.to_owned()),
        attributes: Map::from([("faas.invocation_id".to_owned(), request_id.into())]),
        events: Vec::new(),
        links: Vec::new(),
    }
}

/// The invocation's span, changed, and the END event beside it.
fn end(request_id: &str, change: impl FnOnce(&mut Span)) -> Signals {
    let mut server = span(request_id, "checkout", SpanKind::Server);
    server.attributes.insert("aws.lambda.status".to_owned(), "success".into());
    change(&mut server);
    let mut signals = line(request_id, Level::Info);
    signals.spans.push(server);
    signals
}

/// Everything that passes while `signals` are taken one after the other, and how many are left out.
fn run(sampler: &mut Sampler, signals: impl IntoIterator<Item = Signals>) -> Sifted {
    let mut all = Sifted::default();
    for signals in signals {
        let sifted = sampler.take(signals, NOW);
        all.passed.append(sifted.passed);
        all.left_out += sifted.left_out;
    }
    all
}

#[test]
fn a_healthy_invocation_waits_for_its_end_and_is_left_out_whole() {
    let mut sampler = sampler(0.0);
    let before = run(&mut sampler, [line("a", Level::Info), line("a", Level::Warn)]);
    assert_eq!((before.passed.len(), before.left_out), (0, 0));
    let after = run(&mut sampler, [end("a", |_| {})]);
    assert_eq!((after.passed.len(), after.left_out), (0, 4));
    let late = run(&mut sampler, [line("a", Level::Info)]);
    assert_eq!((late.passed.len(), late.left_out), (0, 1), "what comes late follows");
}

#[test]
fn failed_slow_and_cold_ones_are_kept_for_themselves() {
    let failed = |span: &mut Span| span.status = SpanStatus::Error("boom".to_owned());
    let slow = |span: &mut Span| span.end = NOW.plus(Duration::from_millis(1_000));
    let cold = |span: &mut Span| {
        span.attributes.insert("faas.coldstart".to_owned(), true.into());
    };
    let changes: [&dyn Fn(&mut Span); 3] = [&failed, &slow, &cold];
    for change in changes {
        let kept = run(&mut sampler(0.0), [line("a", Level::Info), end("a", change), line("a", Level::Info)]);
        assert_eq!((kept.passed.len(), kept.left_out), (4, 0));
        assert!(kept.passed.logs.iter().all(|log| !log.body.contains_key(INTERVAL_KEY)));
    }
}

#[test]
fn an_error_decides_at_once() {
    let mut sampler = sampler(0.0);
    let kept = run(&mut sampler, [line("a", Level::Info), line("a", Level::Error)]);
    assert_eq!(kept.passed.len(), 2, "nothing is held that a crash could cost");
    assert_eq!(run(&mut sampler, [end("a", |_| {})]).passed.len(), 2);
}

#[test]
fn a_chosen_one_says_for_how_many_it_stands() {
    let chosen = (0..).map(|number| number.to_string());
    let rate = Rate::new(0.25).unwrap();
    let id = chosen.into_iter().find(|id| rate.interval(identity::trace_id(id)).is_some()).unwrap();
    let kept = run(&mut sampler(0.25), [line(&id, Level::Info), end(&id, |_| {}), line(&id, Level::Info)]);
    assert_eq!((kept.passed.len(), kept.left_out), (4, 0));
    let keys = kept.passed.logs.iter().map(|log| &log.body);
    for keys in keys.chain(kept.passed.spans.iter().map(|span| &span.attributes)) {
        assert_eq!(keys[INTERVAL_KEY], Value::Float(4.0));
    }
}

#[test]
fn a_late_error_of_an_invocation_that_was_left_out_passes() {
    let mut sampler = sampler(0.0);
    run(&mut sampler, [end("a", |_| {})]);
    assert_eq!(run(&mut sampler, [line("a", Level::Error)]).passed.len(), 1);
}

#[test]
fn the_functions_own_server_span_ends_nothing() {
    let of_sdk = |span: &mut Span| {
        span.attributes.remove("aws.lambda.status");
    };
    let mut sampler = sampler(0.0);
    assert_eq!(run(&mut sampler, [end("a", of_sdk)]).left_out, 0);
    assert_eq!(run(&mut sampler, [end("a", |_| {})]).left_out, 4);
}

#[test]
fn overlapping_invocations_are_judged_apart_and_spans_find_theirs_by_trace() {
    let mut sampler = sampler(0.0);
    let mut of_sdk = span("b", "SELECT", SpanKind::Client);
    of_sdk.request_id = None;
    let sdk = Signals { spans: vec![of_sdk.clone()], ..Signals::default() };
    let unknown = run(&mut sampler, [sdk.clone()]);
    assert_eq!(unknown.passed.len(), 1, "nobody knows whose it is");
    let failed = |span: &mut Span| span.status = SpanStatus::Error("boom".to_owned());
    let both = run(
        &mut sampler,
        [
            line("a", Level::Info),
            line("b", Level::Info),
            sdk.clone(),
            end("a", failed),
            end("b", |_| {}),
            sdk,
        ],
    );
    assert!(both.passed.logs.iter().all(|log| log.request_id.as_deref() == Some("a")));
    assert_eq!((both.passed.len(), both.left_out), (3, 5));
}

#[test]
fn metrics_pass_and_so_does_what_the_platform_lost() {
    let mut sampler = sampler(0.0);
    let mut signals = line("a", Level::Warn);
    signals.logs[0].platform = true;
    signals.metrics.push(Metric {
        name: "orders".to_owned(),
        unit: String::new(),
        time: NOW,
        kind: MetricKind::Sum(1.0),
        request_id: Some("a".to_owned()),
        attributes: Map::new(),
    });
    assert_eq!(run(&mut sampler, [signals]).passed.len(), 2);
}

#[test]
fn what_is_over_a_bound_is_kept() {
    let mut large = line("a", Level::Info);
    large.logs[0].body.insert("data".to_owned(), "x".repeat(1_100_000).into());
    let mut in_bytes = sampler(0.0);
    let kept = run(&mut in_bytes, [line("a", Level::Info), large, end("a", |_| {})]);
    assert_eq!((kept.passed.len(), kept.left_out), (4, 0));

    let mut in_time = sampler(0.0);
    run(&mut in_time, [line("a", Level::Info)]);
    let due = in_time.due().unwrap();
    assert_eq!(in_time.release(due.minus(Duration::from_millis(1))).len(), 0);
    assert_eq!(in_time.release(due).len(), 1);
    assert_eq!((in_time.due(), run(&mut in_time, [end("a", |_| {})]).passed.len()), (None, 2));

    let mut in_count = sampler(0.0);
    let many = run(&mut in_count, (0..1_100).map(|number| line(&number.to_string(), Level::Info)));
    assert_eq!(many.passed.len(), 1_100 - 1_024);
}

#[test]
fn at_the_end_of_the_sandbox_nothing_stays_behind() {
    let mut sampler = sampler(0.0);
    run(&mut sampler, [line("a", Level::Info), line("b", Level::Info)]);
    assert_eq!((sampler.close().len(), sampler.due()), (2, None));
}

#[test]
fn everything_passes_is_left_out_or_waits() {
    let mut sampler = sampler(0.5);
    let mut sifted = Sifted::default();
    let mut taken = 0;
    for number in 0..300 {
        let id = (number / 2 % 40).to_string();
        let signals = if number % 7 == 0 { end(&id, |_| {}) } else { line(&id, Level::Info) };
        taken += signals.len() as u64;
        let more = sampler.take(signals, NOW);
        sifted.passed.append(more.passed);
        sifted.left_out += more.left_out;
    }
    sifted.passed.append(sampler.close());
    assert!(sifted.left_out > 0);
    assert_eq!(taken, sifted.passed.len() as u64 + sifted.left_out);
}
