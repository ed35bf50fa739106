//! What the common loggers print, and what a [`Line`] says of it. One entry per logger and shape.

use model::{Level, Value};
use pipeline::parse::{self, Line, LineKind};

const ID: &str = "8286a188-ba32-4475-8077-530cd35c09a9";
const TRACE: &str = "62e900b2710d76f009d6e7785905449a";

/// A printed line, and what must be known of it.
struct Case {
    logger: &'static str,
    printed: &'static str,
    level: Option<Level>,
    time: Option<&'static str>,
    message: Option<&'static str>,
    error: Option<&'static str>,
}

const MOMENT: Option<&str> = Some("2026-11-20T13:52:00.123Z");

const CASES: &[Case] = &[
    Case {
        logger: "Powertools for Python",
        printed: r#"{"level":"ERROR","location":"handler:12","message":"no card","timestamp":"2026-11-20 13:52:00,123+0000","service":"checkout","cold_start":true,"function_name":"checkout","function_request_id":"8286a188-ba32-4475-8077-530cd35c09a9","xray_trace_id":"1-62e900b2-710d76f009d6e7785905449a","exception":"Traceback (most recent call last):\n  File \"a.py\"\nValueError: bad card","exception_name":"ValueError"}"#,
        level: Some(Level::Error),
        time: MOMENT,
        message: Some("no card"),
        error: Some("ValueError: bad card"),
    },
    Case {
        logger: "awslambdaric, JSON format",
        printed: r#"{"timestamp":"2026-11-20T13:52:00Z","level":"ERROR","message":"bad card","logger":"root","stackTrace":["  File \"a.py\""],"errorType":"ValueError","errorMessage":"bad card","requestId":"8286a188-ba32-4475-8077-530cd35c09a9","location":"/var/task/a.py:handler:1"}"#,
        level: Some(Level::Error),
        time: Some("2026-11-20T13:52:00Z"),
        message: Some("bad card"),
        error: Some("ValueError: bad card"),
    },
    Case {
        logger: "python-json-logger",
        printed: r#"{"asctime":"2026-11-20 13:52:00,123","levelname":"WARNING","name":"app","message":"slow"}"#,
        level: Some(Level::Warn),
        time: MOMENT,
        message: Some("slow"),
        error: None,
    },
    Case {
        logger: "structlog",
        printed: r#"{"event":"paid","level":"info","timestamp":"2026-11-20T13:52:00.123Z","order":7}"#,
        level: Some(Level::Info),
        time: MOMENT,
        message: Some("paid"),
        error: None,
    },
    Case {
        logger: "pino",
        printed: r#"{"level":50,"time":1795182720123,"pid":8,"hostname":"h","err":{"type":"TypeError","message":"x is undefined","stack":"TypeError: x is undefined\n    at f"},"msg":"failed"}"#,
        level: Some(Level::Error),
        time: MOMENT,
        message: Some("failed"),
        error: Some("TypeError: x is undefined"),
    },
    Case {
        logger: "bunyan",
        printed: r#"{"name":"checkout","hostname":"h","pid":8,"level":30,"msg":"paid","time":"2026-11-20T13:52:00.123Z","v":0}"#,
        level: Some(Level::Info),
        time: MOMENT,
        message: Some("paid"),
        error: None,
    },
    Case {
        logger: "winston",
        printed: r#"{"level":"error","message":"failed","stack":"Error: failed\n    at f","timestamp":"2026-11-20T13:52:00.123Z"}"#,
        level: Some(Level::Error),
        time: MOMENT,
        message: Some("failed"),
        error: Some("failed"),
    },
    Case {
        logger: "slog",
        printed: r#"{"time":"2026-11-20T13:52:00.123Z","level":"DEBUG","msg":"paid","order":7}"#,
        level: Some(Level::Debug),
        time: MOMENT,
        message: Some("paid"),
        error: None,
    },
    Case {
        logger: "zap",
        printed: r#"{"level":"error","ts":1795182720.123,"caller":"a.go:1","msg":"failed","error":"no card"}"#,
        level: Some(Level::Error),
        time: MOMENT,
        message: Some("failed"),
        error: Some("no card"),
    },
    Case {
        logger: "logback",
        printed: r#"{"@timestamp":"2026-11-20T13:52:00.123Z","@version":"1","message":"failed","logger_name":"a.B","level":"ERROR","level_value":40000,"stack_trace":"java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)"}"#,
        level: Some(Level::Error),
        time: MOMENT,
        message: Some("failed"),
        error: Some("java.lang.IllegalStateException: no"),
    },
    Case {
        logger: "Serilog, compact",
        printed: r#"{"@t":"2026-11-20T13:52:00.1230000Z","@mt":"paid {Order}","@l":"Warning","Order":7}"#,
        level: Some(Level::Warn),
        time: MOMENT,
        message: Some("paid {Order}"),
        error: None,
    },
    Case {
        logger: "tracing",
        printed: r#"{"timestamp":"2026-11-20T13:52:00.123Z","level":"INFO","fields":{"message":"paid","order":7},"target":"app"}"#,
        level: Some(Level::Info),
        time: MOMENT,
        message: Some("paid"),
        error: None,
    },
    Case {
        logger: "Elastic Common Schema",
        printed: r#"{"@timestamp":"2026-11-20T13:52:00.123Z","log.level":"warn","message":"slow","trace":{"id":"62e900b2710d76f009d6e7785905449a"}}"#,
        level: Some(Level::Warn),
        time: MOMENT,
        message: Some("slow"),
        error: None,
    },
    Case {
        logger: "the reference's logger",
        printed: r#"{"message":"failed","level":"error","data":{"error":{"name":"TypeError","message":"no","stack":"…"}}}"#,
        level: Some(Level::Error),
        time: None,
        message: Some("failed"),
        error: Some("TypeError: no"),
    },
    Case {
        logger: "an error key that says there is none",
        printed: r#"{"message":"fine","error":null,"err":{"message":"retried"},"level":"info"}"#,
        level: Some(Level::Info),
        time: None,
        message: Some("fine"),
        error: None,
    },
    Case {
        logger: "awslambdaric, text format",
        printed: "[ERROR]\t2026-11-20T13:52:00.123Z\t8286a188-ba32-4475-8077-530cd35c09a9\tno card\rTraceback (most recent call last):\r  File \"a.py\", line 1\rValueError: bad card\n",
        level: Some(Level::Error),
        time: MOMENT,
        message: Some(
            "no card\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad card",
        ),
        error: Some("ValueError: bad card"),
    },
    Case {
        logger: "awslambdaric, text format, before the first invocation",
        printed: "[INFO]\t2026-11-20T13:52:00.123Z\t\tloading\n",
        level: Some(Level::Info),
        time: MOMENT,
        message: Some("loading"),
        error: None,
    },
    Case {
        logger: "a print",
        printed: "paid 7\n",
        level: None,
        time: None,
        message: Some("paid 7"),
        error: None,
    },
];

fn message(line: &Line) -> Option<&str> {
    line.body.get("message").and_then(Value::as_str)
}

#[test]
fn every_logger_is_understood() {
    for case in CASES {
        let line = parse::line(case.printed);
        assert_eq!(line.level, case.level, "{}: level", case.logger);
        assert_eq!(line.time, case.time.map(|time| time.parse().unwrap()), "{}: time", case.logger);
        assert_eq!(message(&line), case.message, "{}: message", case.logger);
        assert_eq!(line.error.as_deref(), case.error, "{}: error", case.logger);
        assert_eq!(line.kind, LineKind::Log, "{}", case.logger);
    }
}

#[test]
fn ids_and_durations_are_found() {
    let powertools = parse::line(CASES[0].printed);
    assert_eq!(powertools.request_id.as_deref(), Some(ID));
    assert!(powertools.request_id_certain);
    assert_eq!(powertools.trace_id, TRACE.parse().ok());

    let generic = parse::line(&format!(r#"{{"requestId":"{ID}","responseTime":12.5}}"#));
    assert_eq!(generic.request_id.as_deref(), Some(ID));
    assert!(!generic.request_id_certain, "an application may log the id of another request");
    assert_eq!(generic.duration_ms, Some(12.5));
}

#[test]
fn nodes_console_has_the_references_keys() {
    let text = parse::line(&format!("2026-11-20T13:52:00.123Z\t{ID}\tWARN\tslow: {{\"ms\":7}}\n"));
    assert_eq!(text.level, Some(Level::Warn));
    assert_eq!(text.request_id.as_deref(), Some(ID));
    let shown = serde_json::Value::from(Value::Object(text.body));
    assert_eq!(
        shown,
        serde_json::json!({"@timestamp": "2026-11-20T13:52:00.123Z", "@requestId": ID,
        "LogLevel": "WARN", "@message": "slow: {\"ms\":7}"})
    );

    let json = parse::line(&format!(
        "2026-11-20T13:52:00.123Z\t{ID}\tINFO\t{{\"duration\":7,\"traceId\":\"{TRACE}\"}}\n"
    ));
    assert_eq!(json.duration_ms, Some(7.0));
    assert_eq!(json.trace_id, TRACE.parse().ok());
    assert_eq!(json.body["@message"].as_object().unwrap()["duration"], Value::Int(7));

    let early = parse::line("2026-11-20T13:52:00.123Z\tundefined\tINFO\tloading\n");
    assert_eq!(early.request_id, None);
    assert!(!early.body.contains_key("@requestId"));
}

#[test]
fn pythons_logging_gives_the_keys_of_a_json_message() {
    let line = parse::line(&format!(
        "[INFO]\t2026-11-20T13:52:00.123Z\t{ID}\t{{\"message\":\"paid\",\"order\":{{\"id\":7}}}}\n"
    ));
    assert_eq!(message(&line), Some("paid"));
    assert_eq!(line.body["LogLevel"].as_str(), Some("INFO"));
    assert!(line.body["order"].as_object().is_some());
    let around = parse::line(&format!("[INFO]\t2026-11-20T13:52:00.123Z\t{ID}\tEvent: {{\"a\":1}}\n"));
    assert_eq!(message(&around), Some("Event"));
    assert!(around.body["data"].as_object().is_some());
}
