//! Trace context inside an event: headers, message attributes, a message's own text.

use model::{Map, TraceContext, Value};

use crate::parse::{traceparent, xray_header};

/// From headers or what is shaped like them: `traceparent`, else X-Ray's header with a parent.
pub(super) fn of_headers(headers: &Map) -> Option<TraceContext> {
    const XRAY: [&str; 3] = ["x-amzn-trace-id", "awstraceheader", "_x_amzn_trace_id"];
    header(headers, "traceparent")
        .and_then(traceparent)
        .or_else(|| XRAY.iter().find_map(|name| xray(header(headers, name)?)))
}

/// A header's value, whatever its case; of several values the first.
pub(super) fn header<'a>(headers: &'a Map, name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match value {
        Value::Array(values) => values.first()?.as_str(),
        value => value.as_str(),
    }
}

/// From SQS's and SNS's message attributes: `{"traceparent": {"stringValue": "00-…"}}`, `{"Type": …, "Value": …}`.
pub(super) fn of_attributes(attributes: &Map) -> Option<TraceContext> {
    attributes.iter().find_map(|(key, attribute)| {
        let attribute = attribute.as_object()?;
        let value =
            ["stringValue", "Value", "StringValue"].iter().find_map(|name| attribute.get(*name)?.as_str())?;
        match key.as_str() {
            "traceparent" => traceparent(value),
            "AWSTraceHeader" | "X-Amzn-Trace-Id" => xray(value),
            _ => None,
        }
    })
}

/// X-Ray's header, if it names the span that sent.
pub(super) fn xray(header: &str) -> Option<TraceContext> {
    let xray = xray_header(header)?;
    Some(TraceContext { trace_id: xray.trace_id, span_id: xray.parent_id? })
}
