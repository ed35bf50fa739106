//! Batches: numbers without holes, nothing too large, nothing skipped.

use super::*;
use crate::account::Reason;
use model::{
    Event, Level, LogRecord, Map, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus, TraceContext,
    TraceId, Value,
};

fn log(message: String) -> Signals {
    let record =
        LogRecord { body: Map::from([("message".to_owned(), Value::from(message))]), ..LogRecord::default() };
    Signals { logs: vec![record], ..Signals::default() }
}

/// Text that gzip cannot shrink below about half.
fn noise(bytes: usize, mut seed: u64) -> String {
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{:015x}", seed >> 4));
    }
    text.truncate(bytes);
    text
}

fn batcher(record_bytes_max: usize) -> Batcher {
    Batcher::new("5a".repeat(16), Limits { plain_bytes_max: 10_000, record_bytes_max })
}

fn seal_all(batcher: &mut Batcher, ledger: &mut Ledger) -> Vec<Sealed> {
    seal_as(Packing::Together, batcher, ledger)
}

fn seal_as(packing: Packing, batcher: &mut Batcher, ledger: &mut Ledger) -> Vec<Sealed> {
    let (resource, delivery) = (Resource::default(), Delivery::default());
    let seal = Seal { packing, resource: &resource, delivery: &delivery };
    std::iter::from_fn(|| batcher.seal(seal, ledger)).collect()
}

/// As whoever stores the batch reads it.
fn read(sealed: &Sealed) -> Vec<Event> {
    let context =
        wire::Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: crate::parse::printed };
    let decoded = wire::decode(&sealed.data, &context, &wire::Limits::default()).unwrap();
    decoded.events.into_iter().filter(|event| event.dataset != "limelight").collect()
}

#[test]
fn nothing_pushed_is_nothing_sealed() {
    let mut batcher = batcher(1_000_000);
    batcher.push(Timestamp::EPOCH, Signals::default());
    assert_eq!(batcher.pending(), None);
    assert!(seal_all(&mut batcher, &mut Ledger::default()).is_empty());
}

#[test]
fn batches_are_numbered_without_holes_and_closed_at_their_size() {
    let mut batcher = batcher(1_000_000);
    for number in 0..20 {
        batcher.push(Timestamp::from_millis(number), log("x".repeat(2_000)));
    }
    assert_eq!(batcher.pending().map(|pending| pending.since), Some(Timestamp::EPOCH));
    let sealed = seal_all(&mut batcher, &mut Ledger::default());
    assert_eq!(sealed.iter().map(|batch| batch.events).sum::<u64>(), 20);
    assert!(sealed.len() >= 4, "{}", sealed.len());
    assert!(sealed.iter().zip(0..).all(|(batch, sequence)| batch.id.sequence == sequence));
    assert_eq!(batcher.pending(), None);
}

#[test]
fn what_is_full_is_sealed_before_its_time_and_keeps_its_place_and_age() {
    let mut batcher = batcher(1_000_000);
    let mut ledger = Ledger::default();
    let (resource, delivery) = (Resource::default(), Delivery::default());
    let seal = Seal { packing: Packing::Together, resource: &resource, delivery: &delivery };
    for number in 0..12 {
        batcher.push(Timestamp::from_millis(number), log(noise(2_000, 1)));
        batcher.seal_full(seal, &mut ledger);
        assert!(!batcher.is_full());
    }
    let pending = batcher.pending().unwrap();
    assert_eq!(pending.since, Timestamp::EPOCH);
    assert!(pending.bytes < 24_000, "what is sealed weighs less: {}", pending.bytes);
    let sealed = seal_all(&mut batcher, &mut ledger);
    assert!(sealed.iter().zip(0..).all(|(batch, sequence)| batch.id.sequence == sequence));
    assert_eq!(sealed.iter().map(|batch| batch.events).sum::<u64>(), 12);
}

#[test]
fn what_does_not_fit_one_record_is_split_until_it_does() {
    let mut batcher = batcher(4_000);
    for seed in 0..9 {
        batcher.push(Timestamp::EPOCH, log(noise(1_000, seed)));
    }
    let sealed = seal_all(&mut batcher, &mut Ledger::default());
    assert_eq!(sealed.iter().map(|batch| batch.events).sum::<u64>(), 9);
    assert!(sealed.len() > 1 && sealed.iter().all(|batch| batch.data.len() <= 4_000));
}

#[test]
fn a_single_event_that_is_too_large_is_cut_with_a_mark_never_skipped() {
    let mut batcher = batcher(20_000);
    let mut ledger = Ledger::default();
    batcher.push(Timestamp::EPOCH, log(noise(100_000, 7)));
    let sealed = seal_all(&mut batcher, &mut ledger);
    assert_eq!(sealed.len(), 1);
    assert!(sealed[0].data.len() <= 20_000);
    assert!(ledger.account(0, &Delivery::default()).lost.is_empty());
}

#[test]
fn an_event_of_too_many_keys_leaves_its_ids_its_message_and_a_mark() {
    let mut batcher = batcher(2_000);
    let mut ledger = Ledger::default();
    let mut monster = log("mine".to_owned());
    monster.logs[0].request_id = Some("one".to_owned());
    for key in 0..2_000 {
        monster.logs[0].body.insert(noise(30, key), Value::Null);
    }
    batcher.push(Timestamp::EPOCH, monster);
    batcher.push(Timestamp::EPOCH, log("small".to_owned()));
    let sealed = seal_all(&mut batcher, &mut ledger);
    let events: Vec<_> = sealed.iter().flat_map(read).collect();
    assert_eq!(
        events.iter().map(|event| event.message.as_deref()).collect::<Vec<_>>(),
        [Some("mine"), Some("small")]
    );
    assert_eq!(events[0].request_id.as_deref(), Some("one"));
    assert!(matches!(events[0].attributes.get("limelight.truncatedBytes"), Some(Value::Int(2_000..))));
    assert!(ledger.account(0, &Delivery::default()).lost.is_empty());
}

#[test]
fn a_span_that_is_too_large_says_how_many_events_and_links_it_lost() {
    let context = TraceContext {
        trace_id: TraceId::from_bytes([7; 16]).unwrap(),
        span_id: SpanId::from_bytes([8; 8]).unwrap(),
    };
    let event = |seed| SpanEvent { name: noise(500, seed), time: Timestamp::EPOCH, attributes: Map::new() };
    let span = Span {
        trace_id: context.trace_id,
        span_id: context.span_id,
        parent_id: None,
        name: noise(5_000, 1),
        kind: SpanKind::Client,
        start: Timestamp::EPOCH,
        end: Timestamp::EPOCH,
        status: SpanStatus::Error(noise(5_000, 2)),
        request_id: Some("one".to_owned()),
        attributes: Map::from([("db.statement".to_owned(), noise(5_000, 3).into())]),
        events: (0..9).map(event).collect(),
        links: vec![SpanLink { context, attributes: Map::new() }],
    };
    let mut batcher = batcher(2_000);
    batcher.push(Timestamp::EPOCH, Signals { spans: vec![span], ..Signals::default() });
    let sealed = seal_all(&mut batcher, &mut Ledger::default());
    let events: Vec<_> = sealed.iter().flat_map(read).collect();
    assert_eq!((events.len(), events[0].request_id.as_deref()), (1, Some("one")));
    assert_eq!(events[0].attributes.get("limelight.droppedEvents"), Some(&Value::Int(9)));
    assert_eq!(events[0].attributes.get("limelight.droppedLinks"), Some(&Value::Int(1)));
    assert!(events[0].attributes.contains_key("limelight.truncatedBytes"));
}

#[test]
fn where_room_is_short_each_batch_has_one_worth_and_no_event_or_number_is_lost() {
    let mut batcher = batcher(4_000);
    for (seed, level) in [Level::Debug, Level::Error, Level::Info, Level::Debug].into_iter().enumerate() {
        let mut signals = log(noise(3_000, u64::try_from(seed).unwrap()));
        signals.logs[0].level = Some(level);
        batcher.push(Timestamp::EPOCH, signals);
    }
    let sealed = seal_as(Packing::ByWorth, &mut batcher, &mut Ledger::default());
    let worths: Vec<_> = sealed.iter().map(|batch| batch.worth).collect();
    // Two chunks, because of their size, and a debug line in each.
    assert_eq!(worths, [Worth::Vital, Worth::Info, Worth::Debug, Worth::Debug]);
    assert!(sealed.iter().zip(0..).all(|(batch, sequence)| batch.id.sequence == sequence));
    assert_eq!(sealed.iter().map(|batch| batch.events).sum::<u64>(), 4);
}

#[test]
fn a_sandbox_from_a_snapshot_has_a_name_of_its_own_and_numbers_from_zero() {
    let mut batcher = batcher(1_000_000);
    let mut ledger = Ledger::default();
    let (resource, delivery) = (Resource::default(), Delivery::default());
    let seal = Seal { packing: Packing::Together, resource: &resource, delivery: &delivery };
    batcher.push(Timestamp::EPOCH, log("before".to_owned()));
    batcher.rename("another".to_owned(), seal, &mut ledger);
    batcher.push(Timestamp::EPOCH, log("after".to_owned()));
    let ids: Vec<_> =
        seal_all(&mut batcher, &mut ledger).into_iter().map(|batch| batch.id.to_string()).collect();
    assert_eq!(ids, [format!("{}-0", "5a".repeat(16)), "another-0".to_owned()]);
}

#[test]
fn the_last_word_says_why_the_sandbox_ended_and_is_not_said_of_one_that_nobody_knows() {
    let mut batcher = batcher(1_000_000);
    let mut ledger = Ledger::default();
    let (resource, delivery) = (Resource::default(), Delivery::default());
    let seal = Seal { packing: Packing::Together, resource: &resource, delivery: &delivery };
    assert_eq!(batcher.seal_account("spindown", seal, &ledger), None);
    ledger.lost(Reason::Unreadable, 3);
    let last = batcher.seal_account("timeout", seal, &ledger).unwrap();
    assert_eq!((last.id.sequence, last.events), (0, 0));
    let context =
        wire::Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: wire::printed::as_text };
    let read = wire::decode(&last.data, &context, &wire::Limits::default()).unwrap();
    assert_eq!(read.account.unwrap().closed, "timeout");
}
