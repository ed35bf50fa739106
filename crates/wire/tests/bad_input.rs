//! What cannot be read: refused with what and where, and never at the cost of memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use flate2::Compression;
use flate2::read::GzEncoder;
use model::Timestamp;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use std::io::Read;
use wire::printed::as_text;
use wire::{Context, DecodeError, Limits, decode};

fn refuse(bytes: &[u8]) -> DecodeError {
    refuse_with(bytes, &Limits::default())
}

fn refuse_with(bytes: &[u8], limits: &Limits) -> DecodeError {
    let context = Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: as_text };
    decode(bytes, &context, limits).unwrap_err()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzEncoder::new(bytes, Compression::default()).read_to_end(&mut out).unwrap();
    out
}

fn logs(records: Vec<LogRecord>, resource: Resource) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records: records, ..ScopeLogs::default() }];
    let of_resource = ResourceLogs { resource: Some(resource), scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![of_resource] }.encode_to_vec()
}

#[test]
fn nothing_is_no_record() {
    assert!(matches!(refuse(b""), DecodeError::Empty));
    assert!(matches!(refuse(b" \r\n"), DecodeError::Empty));
    assert!(matches!(refuse(&gzip(b"")), DecodeError::Empty));
}

#[test]
fn plain_text_is_refused_with_its_first_bytes() {
    let error = refuse(b"hello world, this is no telemetry").to_string();
    assert!(error.contains("33 bytes that begin with 68 65 6c 6c 6f"), "{error}");
}

#[test]
fn a_cut_gzip_says_how_far_it_came() {
    let whole = gzip(format!("[{}1]", "1234567,".repeat(20_000)).as_bytes());
    for cut in [5, whole.len() / 2, whole.len() - 1] {
        let error = refuse(&whole[..cut]);
        assert!(matches!(error, DecodeError::Inflate { compression: "gzip", .. }), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    let mut damaged = whole.clone();
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    assert!(matches!(refuse(&damaged), DecodeError::Inflate { .. }), "the checksum does not hold");
}

#[test]
fn a_cut_zstd_is_refused_too() {
    let whole = zstd::encode_all(&b"{\"a\":1}"[..], 1).unwrap();
    assert!(matches!(refuse(&whole[..whole.len() - 2]), DecodeError::Inflate { compression: "zstd", .. }));
}

#[test]
fn a_zip_bomb_costs_no_more_than_the_limit() {
    let limits = Limits { inflated_bytes_max: 1 << 20, ..Limits::default() };
    let bomb = gzip(&vec![b' '; 16 << 20]);
    assert!(bomb.len() < 20_000);
    assert!(matches!(
        refuse_with(&bomb, &limits),
        DecodeError::InflatesTooFar { compression: "gzip", max: 1_048_576 }
    ));
    let bomb = zstd::encode_all(vec![b' '; 16 << 20].as_slice(), 1).unwrap();
    assert!(matches!(refuse_with(&bomb, &limits), DecodeError::InflatesTooFar { compression: "zstd", .. }));
}

#[test]
fn gzip_in_gzip_in_gzip_is_refused() {
    assert!(matches!(refuse(&gzip(&gzip(&gzip(b"{}")))), DecodeError::TooManyLayers { max: 2 }));
}

#[test]
fn the_largest_record_of_a_stream_is_read_and_one_byte_more_is_not() {
    let record = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8)).into_bytes();
    let context = Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: as_text };
    let largest = record(10 * 1024 * 1024);
    assert_eq!(decode(&largest, &context, &Limits::default()).unwrap().events.len(), 1);
    assert!(matches!(
        refuse(&record(10 * 1024 * 1024 + 1)),
        DecodeError::TooLarge { bytes: 10_485_761, max: 10_485_760 }
    ));
}

#[test]
fn a_batch_of_a_later_version_is_named() {
    assert!(matches!(refuse(&[0x78, 0x02]), DecodeError::Version { found: 2, known: 1 }));
}

#[test]
fn a_batch_that_breaks_off_says_where() {
    // version 1; field 2 (logs) announces 100 bytes and has one.
    let error = refuse(&[0x78, 0x01, 0x12, 100, 0]);
    assert!(matches!(error, DecodeError::Protobuf { message: "Batch", at: 2, .. }), "{error}");
    // version 1 and nothing else: no sandbox.
    assert!(matches!(refuse(&[0x78, 0x01]), DecodeError::Invalid { what: "the sandbox", .. }));
}

#[test]
fn protobuf_of_the_wrong_type_is_refused() {
    // Looks like an export request on its first level; inside is text.
    let error = refuse(&[0x0a, 4, b'a', b'b', b'c', b'd']);
    assert!(matches!(error, DecodeError::Protobuf { .. }), "{error}");
}

#[test]
fn a_subscription_batch_without_lines_is_refused_and_the_place_is_named() {
    let error =
        refuse(br#"{"messageType":"DATA_MESSAGE","logGroup":"/g","logEvents":[{"message":"a"},{"id":"x"}]}"#);
    assert_eq!(error.to_string(), "a log event number 1 of log group \"/g\": it has no text under message");
}

#[test]
fn tiny_protobuf_does_not_become_great_memory() {
    let limits = Limits { values_max: 10_000, events_max: 1_000, ..Limits::default() };
    let empty = vec![LogRecord { time_unix_nano: 1, ..LogRecord::default() }; 2_000];
    let error = refuse_with(&logs(empty, Resource::default()), &limits);
    assert!(matches!(error, DecodeError::TooManyEvents { max: 1_000 }), "{error}");
    let values = vec![AnyValue::default(); 20_000];
    let body = Some(AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) });
    let many = vec![LogRecord { time_unix_nano: 1, body, ..LogRecord::default() }];
    let error = refuse_with(&logs(many, Resource::default()), &limits);
    assert!(matches!(error, DecodeError::TooManyValues { max: 10_000 }), "{error}");
}

#[test]
fn a_heavy_resource_on_many_records_is_refused() {
    let limits = Limits { inflated_bytes_max: 1 << 20, ..Limits::default() };
    let text = Some(AnyValue { value: Some(Any::StringValue("x".repeat(100_000))) });
    let attributes = vec![KeyValue { key: "heavy".into(), value: text, ..KeyValue::default() }];
    let records = vec![LogRecord { time_unix_nano: 1, ..LogRecord::default() }; 1_000];
    let error = refuse_with(&logs(records, Resource { attributes, ..Resource::default() }), &limits);
    assert!(matches!(error, DecodeError::ResourceTooHeavy { .. }), "{error}");
}

#[test]
fn bottomless_nesting_is_refused() {
    let deep = (0..500).fold(AnyValue::default(), |inner, _| AnyValue {
        value: Some(Any::ArrayValue(ArrayValue { values: vec![inner] })),
    });
    let record = LogRecord { time_unix_nano: 1, body: Some(deep), ..LogRecord::default() };
    assert!(matches!(refuse(&logs(vec![record], Resource::default())), DecodeError::TooDeep { .. }));
    assert!(matches!(refuse("[".repeat(1_000_000).as_bytes()), DecodeError::Json { .. }));
}
