//! What Lambda itself prints into a function's log as text: START, END, REPORT, timeouts and crashes. The keys are the
//! reference's discovered keys, and `assemble` makes the same ones from the Telemetry API's records.

use model::{Level, Map, Value};

use super::{Line, LineKind, context, error, time};

/// What makes a timeout an error. Without its figure, so that all timeouts of a function are one error.
pub(crate) const TIMED_OUT: &str = "Task timed out";

/// The line, if Lambda printed it.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim_start();
    let (first, rest) = text.split_once([' ', '\t'])?;
    let line = match first {
        "START" => lifecycle(LineKind::Start, first, rest),
        "END" => lifecycle(LineKind::End, first, rest),
        "REPORT" => lifecycle(LineKind::Report, first, rest),
        "RequestId:" => crash(text, rest),
        _ => timeout(first, rest),
    }?;
    line.request_id.as_deref().is_some_and(is_request_id).then_some(line)
}

/// Lambda's ids are letters, digits and hyphens. What has another one is an application's own line that begins alike, and
/// what stands there may be a secret: ids are not scrubbed.
fn is_request_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `START RequestId: <id> Version: 7`, `REPORT RequestId: <id>\tDuration: 201.67 ms\t…`
fn lifecycle(kind: LineKind, word: &str, rest: &str) -> Option<Line> {
    let body = labelled(rest.trim_start().strip_prefix("RequestId:")?, word)?;
    let mut line = Line { kind, request_id_certain: true, ..Line::default() };
    line.request_id = body.get("@requestId").and_then(Value::as_str).map(str::to_owned);
    line.trace_id = body
        .get("@xRAYTraceId")
        .and_then(Value::as_str)
        .and_then(|id| context::xray_header(&format!("Root={id}")))
        .map(|xray| xray.trace_id);
    if kind == LineKind::Report {
        line.duration_ms = body.get("@duration").and_then(Value::as_f64);
    }
    line.body = body;
    Some(line)
}

/// Takes `<id> Label One: value unit Label Two: value` apart: what stands before a colon is the value of the label
/// before it, perhaps its unit, and the next label.
fn labelled(text: &str, word: &str) -> Option<Map> {
    let mut body = Map::from([("@type".to_owned(), word.into())]);
    let mut key = "@requestId".to_owned();
    for segment in text.split(": ") {
        let mut words = segment.split_whitespace();
        let value = words.next()?;
        let mut label: Vec<&str> = words.collect();
        if label.first().is_some_and(|unit| matches!(*unit, "ms" | "MB")) {
            label.remove(0);
        }
        let known = typed(&key, value);
        body.insert(std::mem::replace(&mut key, discovered_key(&label)), known);
    }
    Some(body)
}

/// `Billed Duration` → `@billedDuration`, `XRAY TraceId` → `@xRAYTraceId`.
fn discovered_key(label: &[&str]) -> String {
    let mut key = String::from("@");
    for (index, letter) in label.iter().flat_map(|word| word.chars()).enumerate() {
        key.push(if index == 0 { letter.to_ascii_lowercase() } else { letter });
    }
    key
}

/// A key has one type, whatever its figure looks like: durations have fractions, sizes and billed time have none.
fn typed(key: &str, text: &str) -> Value {
    match key {
        "@duration" | "@initDuration" | "@restoreDuration" => text.parse().map_or(text.into(), Value::Float),
        "@billedDuration" | "@memorySize" | "@maxMemoryUsed" | "@billedRestoreDuration" => {
            text.parse().map_or(text.into(), Value::Int)
        }
        "@sampled" => text.parse().map_or(text.into(), Value::Bool),
        _ => text.into(),
    }
}

/// `<ISO time> <id> Task timed out after 3.00 seconds`
fn timeout(stamp: &str, rest: &str) -> Option<Line> {
    let time = time::text(stamp)?;
    let (id, message) = rest.trim_start().split_once([' ', '\t'])?;
    let message = message.trim();
    let figure = message.strip_prefix(TIMED_OUT)?.strip_prefix(" after ")?;
    let seconds: f64 = figure.split_whitespace().next()?.parse().ok()?;
    let mut line = Line {
        kind: LineKind::Timeout,
        time: Some(time),
        level: Some(Level::Error),
        request_id: Some(id.to_owned()),
        request_id_certain: true,
        error: Some(TIMED_OUT.to_owned()),
        body: timed_out(seconds, message),
        ..Line::default()
    };
    line.body.insert("@timestamp".to_owned(), stamp.into());
    line.body.insert("@requestId".to_owned(), id.into());
    Some(line)
}

/// The keys by which queries find timeouts.
pub(crate) fn timed_out(seconds: f64, message: &str) -> Map {
    Map::from([
        ("@timedOut".to_owned(), true.into()),
        ("@timeout".to_owned(), seconds.into()),
        ("@message".to_owned(), message.into()),
    ])
}

/// `RequestId: <id> Error: Runtime exited with error: signal: killed`, then the error type on a line of its own.
fn crash(text: &str, rest: &str) -> Option<Line> {
    let (id, message) = rest.trim_start().split_once([' ', '\t'])?;
    let message = message.trim_start().strip_prefix("Error: ")?;
    Some(Line {
        level: Some(Level::Error),
        request_id: Some(id.to_owned()),
        request_id_certain: true,
        error: Some(error::first_line(message)),
        body: Map::from([("@requestId".to_owned(), id.into()), ("message".to_owned(), text.into())]),
        ..Line::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_references_keys_whether_tabs_or_spaces_stand_between() {
        let tabs = "REPORT RequestId: abc-1\tDuration: 201.67 ms\tBilled Duration: 202 ms\tMemory Size: 2048 MB\tMax \
                    Memory Used: 81 MB\tInit Duration: 480.25 ms\t\nXRAY TraceId: 1-58406520-a006649127e371903a2de979\
                    \tSegmentId: 4c721bf33e3caf8f\tSampled: true";
        for text in [tabs.to_owned(), tabs.replace('\t', " "), format!("  {tabs}")] {
            let line = line(&text).unwrap();
            assert_eq!(line.kind, LineKind::Report);
            assert_eq!(line.request_id.as_deref(), Some("abc-1"));
            assert_eq!(line.duration_ms, Some(201.67));
            assert_eq!(
                line.body,
                Map::from([
                    ("@type".to_owned(), "REPORT".into()),
                    ("@requestId".to_owned(), "abc-1".into()),
                    ("@duration".to_owned(), 201.67.into()),
                    ("@billedDuration".to_owned(), 202.into()),
                    ("@memorySize".to_owned(), 2048.into()),
                    ("@maxMemoryUsed".to_owned(), 81.into()),
                    ("@initDuration".to_owned(), 480.25.into()),
                    ("@xRAYTraceId".to_owned(), "1-58406520-a006649127e371903a2de979".into()),
                    ("@segmentId".to_owned(), "4c721bf33e3caf8f".into()),
                    ("@sampled".to_owned(), true.into()),
                ])
            );
            assert!(line.trace_id.is_some());
        }
    }

    #[test]
    fn start_end_timeout_and_crash_are_known() {
        let start = line("START RequestId: abc-1 Version: $LATEST").unwrap();
        assert_eq!((start.kind, start.body["@version"].as_str()), (LineKind::Start, Some("$LATEST")));
        assert_eq!(line("END RequestId: abc-1").unwrap().kind, LineKind::End);
        let timeout = line("2026-11-20T13:52:00.123Z abc-1 Task timed out after 3.00 seconds").unwrap();
        assert_eq!(timeout.body["@timeout"], Value::Float(3.0));
        assert_eq!(timeout.body["@message"].as_str(), Some("Task timed out after 3.00 seconds"));
        assert_eq!(timeout.error.as_deref(), Some(TIMED_OUT));
        let crash =
            line("RequestId: abc-1 Error: Runtime exited with error: signal: killed\nRuntime.ExitError")
                .unwrap();
        assert_eq!(crash.error.as_deref(), Some("Runtime exited with error: signal: killed"));
    }

    #[test]
    fn an_application_may_use_the_same_words() {
        for text in
            ["START", "START of the sale", "REPORT: all is well", "END RequestId:", "RequestId: 7 is slow"]
        {
            assert_eq!(line(text), None, "{text}");
        }
    }
}
