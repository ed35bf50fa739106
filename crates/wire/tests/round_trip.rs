//! What is encoded is what is decoded, whatever a batch holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::collections::BTreeMap;

use model::{
    BatchId, Buckets, Counter, ExponentialCounts, Histogram, Level, LogRecord, Map, Metric, MetricKind,
    Resource, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus, Temporality, Timestamp, TraceContext,
    TraceId, Value,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use wire::printed::as_text;
use wire::{Account, Batch, Context, Format, Limits, decode, decode_plain, encode, encode_plain};

/// Keys that our own encoding uses, too: a record may have them as well.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z@$.A-Z]{0,8}",
        1 => "\\PC{0,6}",
        1 => prop::sample::select(vec![
            "message", "faas.invocation_id", "limelight.request_id", "faas.name", "service.name", "cloud.region",
            "cloud.account.id", "limelight.error", "span.kind", "value",
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::num::f64::ANY.prop_filter("NaN is not equal to itself", |f| !f.is_nan()).prop_map(Value::Float),
        "\\PC{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(40, 60, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            btree_map(key(), inner, 0..3).prop_map(Value::Object),
        ]
    })
}

fn map() -> impl Strategy<Value = Map> {
    btree_map(key(), value(), 0..5)
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    any::<[u8; 16]>().prop_filter_map("zero", TraceId::from_bytes)
}

fn span_id() -> impl Strategy<Value = SpanId> {
    any::<[u8; 8]>().prop_filter_map("zero", SpanId::from_bytes)
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_nanos)
}

fn request_id() -> impl Strategy<Value = Option<String>> {
    option::of("[0-9a-f-]{0,4}")
}

fn level() -> impl Strategy<Value = Option<Level>> {
    option::of(prop::sample::select(vec![
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Fatal,
    ]))
}

fn log() -> impl Strategy<Value = LogRecord> {
    let ids = (request_id(), option::of(trace_id()), option::of(span_id()));
    let told = (option::of(-1e9..1e9_f64), option::of("\\PC{0,5}"), any::<bool>(), map());
    let line = option::of("\\PC{0,5}");
    (time(), level(), ids, told, line).prop_map(|(time, level, ids, told, line)| {
        let (request_id, trace_id, span_id) = ids;
        let (duration_ms, error, platform, body) = told;
        // Both follow from a line, and are not shipped beside it.
        let (duration_ms, error) = if line.is_some() { (None, None) } else { (duration_ms, error) };
        LogRecord { time, level, request_id, trace_id, span_id, duration_ms, error, platform, line, body }
    })
}

fn span() -> impl Strategy<Value = Span> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let kind = prop::sample::select(vec![Internal, Server, Client, Producer, Consumer]);
    let status =
        prop_oneof![Just(SpanStatus::Unset), Just(SpanStatus::Ok), "\\PC{0,5}".prop_map(SpanStatus::Error)];
    let event = ("\\PC{0,5}", time(), map()).prop_map(|(name, time, attributes)| SpanEvent {
        name,
        time,
        attributes,
    });
    let link = (trace_id(), span_id(), map()).prop_map(|(trace_id, span_id, attributes)| SpanLink {
        context: TraceContext { trace_id, span_id },
        attributes,
    });
    let ids = (trace_id(), span_id(), option::of(span_id()), request_id());
    let what = ("\\PC{0,5}", kind, status, time(), time());
    (ids, what, map(), vec(event, 0..2), vec(link, 0..2)).prop_map(
        |(ids, what, attributes, events, links)| {
            let (trace_id, span_id, parent_id, request_id) = ids;
            let (name, kind, status, start, end) = what;
            Span {
                trace_id,
                span_id,
                parent_id,
                name,
                kind,
                start,
                end,
                status,
                request_id,
                attributes,
                events,
                links,
            }
        },
    )
}

fn temporality() -> impl Strategy<Value = Temporality> {
    prop::sample::select(vec![Temporality::Delta, Temporality::Cumulative])
}

/// One that says when it began, or that is no [`MetricKind::Sum`].
fn counter() -> impl Strategy<Value = MetricKind> {
    let since = (1..i64::MAX).prop_map(Timestamp::from_nanos);
    (-1e12..1e12_f64, temporality(), any::<bool>(), since).prop_map(
        |(value, temporality, monotonic, since)| {
            MetricKind::Counter(Counter { value, temporality, monotonic, since })
        },
    )
}

fn histogram() -> impl Strategy<Value = MetricKind> {
    let figure = || option::of(-1e12..1e12_f64);
    let counts = || (any::<i32>(), vec(any::<u64>(), 0..3));
    let exponential =
        (any::<i32>(), any::<u64>(), counts(), counts()).prop_map(|(scale, zero_count, up, down)| {
            let counts = |(offset, counts)| ExponentialCounts { offset, counts };
            Buckets::Exponential { scale, zero_count, positive: counts(up), negative: counts(down) }
        });
    let explicit = (vec(-1e9..1e9_f64, 0..3), vec(any::<u64>(), 1..4))
        .prop_map(|(bounds, counts)| Buckets::Explicit { bounds, counts });
    let buckets = prop_oneof![explicit, exponential];
    (temporality(), time(), any::<u64>(), (figure(), figure(), figure()), buckets).prop_map(
        |(temporality, since, count, (sum, min, max), buckets)| {
            MetricKind::Histogram(Box::new(Histogram { temporality, since, count, sum, min, max, buckets }))
        },
    )
}

fn metric() -> impl Strategy<Value = Metric> {
    let number = -1e12..1e12_f64;
    let kind = prop_oneof![
        number.clone().prop_map(MetricKind::Gauge),
        number.clone().prop_map(MetricKind::Sum),
        (any::<u64>(), number.clone(), number.clone(), number)
            .prop_map(|(count, sum, min, max)| MetricKind::Summary { count, sum, min, max }),
        counter(),
        histogram(),
    ];
    ("[ab]", "[sm]?", time(), kind, request_id(), map()).prop_map(
        |(name, unit, time, kind, request_id, attributes)| Metric {
            name,
            unit,
            time,
            kind,
            request_id,
            attributes,
        },
    )
}

fn counts() -> impl Strategy<Value = BTreeMap<String, u64>> {
    btree_map("[a-z.]{0,6}", any::<u64>(), 0..3)
}

fn batch() -> impl Strategy<Value = Batch> {
    let resource = ("[a-z]{0,3}", "[a-z]{0,3}", "[0-9]{0,3}", "[a-z]{0,3}", map()).prop_map(
        |(namespace, service, account, region, attributes)| Resource {
            namespace,
            service,
            account,
            region,
            attributes,
        },
    );
    let account = (any::<[u64; 4]>(), counts(), counts(), counts(), "[a-z]{0,3}", counts()).prop_map(
        |([received, shipped, retried, scrubbed], scrubbed_by, shed, lost, closed, counts)| Account {
            received,
            shipped,
            retried,
            scrubbed,
            scrubbed_by,
            shed,
            lost,
            closed,
            counts,
        },
    );
    let id = ("[0-9a-f-]{1,8}", any::<u64>()).prop_map(|(sandbox, sequence)| BatchId { sandbox, sequence });
    let records = (vec(span(), 0..3), vec(log(), 0..4), vec(metric(), 0..5));
    (id, any::<u64>(), resource, records, account).prop_map(
        |(id, first_record, resource, records, account)| {
            let (spans, logs, metrics) = records;
            Batch { id, first_record, resource, spans, logs, metrics, account }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_survives_its_bytes(batch in batch()) {
        let bytes = encode_plain(&batch);
        prop_assert_eq!(&bytes[..2], [0x78, 0x01], "the version stands first");
        prop_assert_eq!(&encode_plain(&batch), &bytes, "the same batch gives the same bytes");
        prop_assert_eq!(decode_plain(&bytes, &Limits::default()).unwrap(), batch);
    }

    #[test]
    fn every_record_becomes_one_event_with_a_name_of_its_own(batch in batch()) {
        let context = Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: as_text };
        let decoded = decode(&encode(&batch), &context, &Limits::default()).unwrap();
        prop_assert_eq!(decoded.format, Format::Batch);
        prop_assert_eq!(decoded.batch.as_ref(), Some(&batch.id));
        prop_assert_eq!(decoded.account.as_ref(), Some(&batch.account));
        prop_assert_eq!(decoded.events.len(), batch.records() + 1, "and one for the account");
        for (number, event) in decoded.events.iter().enumerate() {
            prop_assert_eq!(event.id.as_str(), format!("{}-{number}", batch.id));
        }
        for (log, event) in batch.logs.iter().zip(&decoded.events[batch.spans.len()..]) {
            prop_assert_eq!(event.timestamp, log.time);
            prop_assert_eq!(&event.request_id, &log.request_id);
            for (key, value) in &log.body {
                match (key.as_str(), value) {
                    ("message", Value::String(text)) => prop_assert_eq!(event.message.as_ref(), Some(text)),
                    _ => prop_assert_eq!(event.attributes.get(key), Some(value)),
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..300)) {
        let context = Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: as_text };
        let limits = Limits { inflated_bytes_max: 1 << 16, values_max: 10_000, ..Limits::default() };
        let _ = decode(&bytes, &context, &limits);
        let mut as_batch = vec![0x78, 0x01];
        as_batch.extend(&bytes);
        let _ = decode(&as_batch, &context, &limits);
    }

    #[test]
    fn a_damaged_batch_is_refused_or_read_and_never_panics(
        batch in batch(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let context = Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: as_text };
        let mut bytes = encode_plain(&batch);
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _ = decode(&bytes, &context, &Limits::default());
    }
}

/// `batch.proto` is the documentation that other languages read; the code must not say anything else.
#[test]
fn the_proto_file_and_the_code_agree_on_the_field_numbers() {
    let proto = include_str!("../batch.proto");
    let code = include_str!("../src/batch.rs");
    for (name, number) in [
        ("traces", 1),
        ("logs", 2),
        ("metrics", 3),
        ("sandbox", 4),
        ("sequence", 5),
        ("first_record", 6),
        ("account", 7),
        ("received", 1),
        ("shipped", 2),
        ("retried", 3),
        ("scrubbed", 4),
        ("shed", 5),
        ("lost", 6),
        ("scrubbed_by", 7),
        ("closed", 8),
        ("counts", 9),
    ] {
        assert!(proto.contains(&format!("{name} = {number};")), "batch.proto: {name} = {number}");
        let declared = code.lines().zip(code.lines().skip(1)).any(|(attribute, field)| {
            attribute.contains(&format!("tag = \"{number}\""))
                && field.trim().starts_with(&format!("{name}:"))
        });
        assert!(declared, "src/batch.rs: {name} with tag {number}");
    }
    assert!(proto.contains("uint32 version = 15;"));
}
