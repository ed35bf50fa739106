use super::*;
use crate::rows::encode;
use crate::schema::Schema;
use model::{Level, SpanId, TraceId};
use proptest::prelude::*;

/// Through columns and back.
fn round(events: &[Event], columns_max: usize) -> Vec<Event> {
    let borrowed: Vec<&Event> = events.iter().collect();
    let encoded = encode(&borrowed, &Schema::default(), columns_max, Timestamp::EPOCH).unwrap();
    rebuild("logs", &encoded.batch, &encoded.columns).unwrap()
}

fn event(json: serde_json::Value) -> Event {
    let mut event = Event::new("logs", Timestamp::from_micros(7), EventId::from("a-0".to_owned()), Kind::Log);
    let Value::Object(attributes) = Value::from(json) else { panic!("an event is an object") };
    event.attributes = attributes;
    event
}

#[test]
fn null_empty_object_and_empty_array_are_not_the_same_as_nothing() {
    let event = event(
        serde_json::json!({"a": null, "b": {}, "c": [], "d": {"e": {"f": null}}, "g": [{"h": 1}, 2.0]}),
    );
    assert_eq!(round(std::slice::from_ref(&event), 100), [event]);
}

#[test]
fn one_key_may_have_every_type() {
    let values = [r#""text""#, "1", "1.5", "true", "null", "[]", "{}", r#"{"inside":1}"#, "9007199254740993"];
    let events: Vec<Event> = values
        .iter()
        .map(|value| event(serde_json::from_str(&format!("{{\"key\":{value}}}")).unwrap()))
        .collect();
    assert_eq!(round(&events, 100), events);
}

#[test]
fn a_dotted_key_and_a_nested_key_live_side_by_side() {
    let event =
        event(serde_json::json!({"a.b": 1, "a": {"b": 2, "": 3}, "": {"": 4}, "A": 5, "_": 6, "__": 7}));
    assert_eq!(round(std::slice::from_ref(&event), 100), [event]);
}

#[test]
fn what_is_over_the_cap_or_too_long_is_kept_in_the_overflow() {
    let event =
        event(serde_json::json!({"a": {"b": 1, "c": "x"}, "d": [1], ("k".repeat(300)): true, "e": {}}));
    for columns_max in 0..5 {
        assert_eq!(round(std::slice::from_ref(&event), columns_max).first(), Some(&event));
    }
    let encoded = encode(&[&event], &Schema::default(), 2, Timestamp::EPOCH).unwrap();
    assert_eq!(encoded.columns.len(), 2);
}

#[test]
fn a_column_that_is_not_what_its_name_says_is_an_error() {
    use arrow::array::Int32Array;
    use arrow::datatypes::{Field, Schema as ArrowSchema};
    use std::sync::Arc;
    let fields = Arc::new(ArrowSchema::new(vec![Field::new("message", DataType::Int32, true)]));
    let batch = RecordBatch::try_new(fields, vec![Arc::new(Int32Array::from(vec![1]))]).unwrap();
    let error = rebuild("logs", &batch, &[]).unwrap_err().to_string();
    assert!(error.contains("message") && error.contains("Int32"), "{error}");
}

fn any_value() -> impl Strategy<Value = Value> {
    let finite = any::<f64>().prop_filter("JSON has no other", |number| number.is_finite());
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        finite.prop_map(Value::Float),
        "\\PC{0,6}".prop_map(Value::String),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(any_key(), inner, 0..5).prop_map(Value::Object),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-bA-B_.]{0,3}", ".{0,4}", "k{250,260}"]
}

fn any_event() -> impl Strategy<Value = Event> {
    let text = || prop::option::of("\\PC{0,8}");
    (
        prop::collection::btree_map(any_key(), any_value(), 0..6),
        (i64::MIN / 1_000..i64::MAX / 1_000).prop_map(Timestamp::from_micros),
        prop::option::of(any::<f64>().prop_filter("equal to itself", |number| !number.is_nan())),
        prop::option::of(any::<[u8; 16]>()),
        prop::option::of(any::<[u8; 8]>()),
        (text(), text(), text(), text(), text()),
    )
        .prop_map(|(attributes, timestamp, duration_ms, trace, span, texts)| {
            let mut event = Event::new("logs", timestamp, EventId::from("b-1".to_owned()), Kind::Span);
            event.attributes = attributes;
            event.duration_ms = duration_ms;
            event.trace_id = trace.and_then(TraceId::from_bytes);
            event.span_id = span.and_then(SpanId::from_bytes);
            event.parent_id = event.span_id;
            event.level = event.trace_id.map(|_| Level::Warn);
            (event.name, event.message, event.request_id, event.error, event.status) = texts;
            event.namespace = event.name.clone().unwrap_or_default();
            event
        })
}

proptest! {
    #[test]
    fn any_events_survive_their_columns(events in prop::collection::vec(any_event(), 0..6), cap in 0usize..12) {
        prop_assert_eq!(round(&events, cap), events);
    }
}
