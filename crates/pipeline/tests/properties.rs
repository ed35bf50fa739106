//! What holds for every line and every order of records.

use lambda_api::telemetry::Record;
use model::Timestamp;
use pipeline::{Assembler, CloseReason, FunctionContext, Signals, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Text that is close to what the parser looks for, and text that is not.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "2026-11-20T13:52:00.123Z",
        "\t",
        " ",
        "[ERROR]",
        "ERROR",
        "INFO",
        "START",
        "REPORT",
        "RequestId: ",
        "id-1",
        "Duration: ",
        "12.5 ms",
        "Task timed out after ",
        "3.00 seconds",
        "{",
        "}",
        "{\"a\":1}",
        "\"level\":30",
        ":",
        "Traceback (most recent call last):",
        "\n",
        "\r",
        "  at f",
        "Error: x",
        "ä",
        "日本",
        "\u{0}",
        "Root=1-",
        ";",
        "{\"_aws\":{\"CloudWatchMetrics\":[{\"Metrics\":[{\"Name\":\"a\"}]}]},\"a\":[1,2]}",
        "level=",
        "-",
        "|",
        "99999999999",
    ]);
    prop_oneof![
        "\\PC{0,60}",
        ".{0,60}",
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "level",
        "time",
        "timestamp",
        "message",
        "msg",
        "error",
        "err",
        "requestId",
        "awsRequestId",
        "trace_id",
        "duration",
        "_aws",
        "CloudWatchMetrics",
        "fields",
        "data",
        "errorType",
        "name",
        "log",
        "span",
        "id",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn any_record() -> impl Strategy<Value = Record> {
    let platform = prop::sample::select(vec![
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.restoreStart",
        "platform.restoreReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
        "platform.logsDropped",
        "platform.novelty",
    ]);
    let fields = (0..4_u8, prop::sample::select(vec!["success", "error", "timeout", ""]), any::<f64>())
        .prop_map(|(id, status, duration)| {
            json!({"requestId": format!("id-{id}"), "status": status, "initializationType": "on-demand",
                "phase": "init", "metrics": {"durationMs": duration}})
        });
    let printed = prop::sample::select(vec!["function", "extension"]);
    let time = prop_oneof![Just("2026-11-20T13:52:00.123Z".to_owned()), "\\PC{0,10}"];
    let parts = prop_oneof![
        (platform.clone(), prop_oneof![3 => fields, 1 => any_json()]).boxed(),
        (printed, prop_oneof![any_text().prop_map(Value::from), any_json()]).boxed(),
    ];
    (parts, time).prop_map(|((kind, record), time)| Record { time, kind: kind.into(), record })
}

/// The same with half an emoji where it may stand in a text, and a number beyond a double.
fn refused_by_readers(json: &Value) -> String {
    json.to_string().replace("日本", "\\ud83d").replace("null", "1e999")
}

/// A glance says everything but the keys, and what is read of a line that was shipped as it was printed is the rest.
fn agree(text: &str) -> Result<(), TestCaseError> {
    let (glance, line, printed) = (parse::glance(text), parse::line(text), parse::printed(text));
    prop_assert_eq!(
        format!("{:?}", (&printed.keys, printed.duration_ms)),
        format!("{:?}", (&line.body, line.duration_ms)),
        "{}",
        text
    );
    prop_assert_eq!(printed.error.is_some(), line.error.is_some(), "{}", text);
    if line.error.as_ref().is_some_and(|error| error.len() <= 1_024) {
        prop_assert_eq!(&printed.error, &line.error, "{}", text);
    }
    let body = glance.body.clone();
    prop_assert_eq!(format!("{:?}", parse::Line { body, ..line }), format!("{glance:?}"), "{}", text);
    Ok(())
}

proptest! {
    #[test]
    fn no_text_is_too_strange_and_none_is_thrown_away(text in any_text()) {
        let line = parse::line(&text);
        let is_empty_object = text.trim() == "{}";
        prop_assert!(is_empty_object || !line.body.is_empty());
    }

    #[test]
    fn a_glance_says_of_every_text_what_reading_it_says(text in any_text()) {
        agree(&text)?;
    }

    #[test]
    fn a_glance_says_of_every_object_what_reading_it_says(json in any_json(), before in any_text(), behind in "\\PC{0,5}") {
        for json in [json.to_string(), refused_by_readers(&json)] {
            agree(&json)?;
            agree(&format!("{before}{json}{behind}"))?;
            for level in ["ERROR", "INFO"] {
                agree(&format!("[{level}]\t2026-11-20T13:52:00.123Z\tid-1\t{json}"))?;
                agree(&format!("2026-11-20T13:52:00.123Z\tid-1\t{level}\t{json}"))?;
            }
        }
    }

    #[test]
    fn a_lines_object_stands_where_its_range_says(json in any_json(), before in "[a-z:= \t\\[\\]]{0,8}", behind in "[a-z }]{0,3}") {
        let text = format!("{before}{json}{behind}");
        if let Some(range) = parse::json_range(&text) {
            prop_assert_eq!(text.as_bytes()[range.start], b'{');
        } else if let Some(model::Value::Object(_)) = parse::line(&text).body.get("data") {
            prop_assert!(json.as_object().is_none(), "{text}");
        }
    }

    #[test]
    fn a_secret_under_its_key_leaves_no_line_wherever_its_object_stands(
        json in any_json(), before in any_text(), behind in any_text(), prefix in 0..3_usize
    ) {
        let prefix = ["", "[INFO]\t2026-11-20T13:52:00.123Z\tid-1\t", "2026-11-20T13:52:00.123Z\t{id}\tINFO\t"][prefix];
        let object = json!({"deep": {"password": "hunter2"}, "other": json});
        let (object, refused) = (object.to_string(), refused_by_readers(&object));
        for text in [
            format!("{prefix}{object}"), format!("{prefix}{refused}"), format!("{prefix}{before}{object}{behind}"),
        ] {
            let record = Record { time: String::new(), kind: "function".to_owned(), record: Value::from(text) };
            let mut assembler = Assembler::new(FunctionContext::default());
            let mut signals = assembler.accept(record, Timestamp::EPOCH);
            signals.append(assembler.close(CloseReason::Spindown, Timestamp::EPOCH));
            pipeline::Scrubber::default().scrub(&mut signals);
            prop_assert!(!format!("{signals:?}").contains("hunter2"), "{signals:?}");
        }
    }

    #[test]
    fn an_objects_own_fields_are_all_kept(json in any_json()) {
        if let model::Value::Object(map) = model::Value::from(json) {
            let line = parse::line(&Value::from(model::Value::from(map.clone())).to_string());
            for (key, value) in &map {
                prop_assert_eq!(format!("{:?}", line.body.get(key)), format!("{:?}", Some(value)));
            }
        }
    }

    #[test]
    fn every_printed_record_is_one_log_or_folded(records in prop::collection::vec(any_record(), 0..40)) {
        let mut assembler = Assembler::new(FunctionContext::default());
        let mut all = Signals::default();
        let mut printed = 0;
        let mut ends_twice = 0;
        for record in records {
            if record.kind.starts_with("platform") {
                all.append(assembler.finish_lines());
                let signals = assembler.accept(record, Timestamp::EPOCH);
                ends_twice += signals.folded;
                all.append(signals);
            } else {
                printed += 1;
                all.append(assembler.accept(record, Timestamp::EPOCH));
            }
        }
        all.append(assembler.close(CloseReason::Spindown, Timestamp::EPOCH));
        let logs = all.logs.iter().filter(|log| !log.platform).count() as u64;
        prop_assert_eq!(logs + all.folded - ends_twice, printed);
        prop_assert!(all.spans.iter().all(|span| span.end >= span.start));
    }

    #[test]
    fn every_started_invocation_has_exactly_one_span(ids in prop::collection::vec(0..50_u8, 0..60), ended in any::<u64>()) {
        let mut assembler = Assembler::new(FunctionContext::default());
        let mut all = Signals::default();
        for (index, id) in ids.iter().enumerate() {
            let body = json!({"requestId": format!("id-{id}"), "status": "success", "metrics": {"durationMs": 1.0}});
            let record = |kind: &str| Record {
                time: "2026-11-20T13:52:00Z".into(), kind: kind.into(), record: body.clone(),
            };
            all.append(assembler.accept(record("platform.start"), Timestamp::EPOCH));
            if ended >> (index % 64) & 1 == 1 {
                all.append(assembler.accept(record("platform.runtimeDone"), Timestamp::EPOCH));
            }
        }
        all.append(assembler.close(CloseReason::Spindown, Timestamp::EPOCH));
        prop_assert_eq!(all.spans.len(), ids.len());
    }
}
