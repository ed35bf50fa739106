//! Trace context: X-Ray's header, W3C `traceparent`, and the keys under which loggers write trace and span ids.

use model::{Map, SpanId, TraceContext, TraceId, Value};

/// What an X-Ray header says (AWS X-Ray developer guide, "Tracing header").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XrayContext {
    /// `Root`.
    pub trace_id: TraceId,
    /// `Parent`: the caller's segment.
    pub parent_id: Option<SpanId>,
    /// `Sampled`, where decided.
    pub sampled: Option<bool>,
}

/// Reads `Root=1-…;Parent=…;Sampled=1;…` in any order; none without a valid root.
pub fn xray_header(header: &str) -> Option<XrayContext> {
    let mut root = None;
    let mut parent_id = None;
    let mut sampled = None;
    for part in header.split(';') {
        match part.trim().split_once('=') {
            Some(("Root", id)) => root = TraceId::from_xray(id).ok(),
            Some(("Parent", id)) => parent_id = id.parse().ok(),
            Some(("Sampled", flag)) => sampled = flag.parse::<u8>().ok().map(|flag| flag == 1),
            _ => {}
        }
    }
    root.map(|trace_id| XrayContext { trace_id, parent_id, sampled })
}

const TRACE_KEYS: [&str; 9] = [
    "trace_id",
    "traceId",
    "traceID",
    "trace.id",
    "otelTraceID",
    "xray_trace_id",
    "xrayTraceId",
    "traceparent",
    "AWS-XRAY-TRACE-ID",
];
const SPAN_KEYS: [&str; 6] = ["span_id", "spanId", "spanID", "span.id", "otelSpanID", "traceparent"];

/// The trace that a JSON line names.
pub(super) fn trace_id(body: &Map) -> Option<TraceId> {
    TRACE_KEYS.iter().filter_map(|key| body.get(*key)?.as_str()).find_map(trace).or_else(|| {
        // Elastic Common Schema, nested.
        trace(body.get("trace")?.as_object()?.get("id")?.as_str()?)
    })
}

/// The span that a JSON line names.
pub(super) fn span_id(body: &Map) -> Option<SpanId> {
    let nested = || body.get("span")?.as_object()?.get("id").and_then(Value::as_str);
    let texts = SPAN_KEYS.iter().filter_map(|key| body.get(*key)?.as_str()).chain(nested());
    texts
        .into_iter()
        .find_map(|text| text.parse().ok().or_else(|| traceparent(text).map(|context| context.span_id)))
}

/// 32 digits, X-Ray's `1-…-…` (a log may add `@segment`), X-Ray's header, or a `traceparent`.
fn trace(text: &str) -> Option<TraceId> {
    let xray = |text: &str| TraceId::from_xray(text.split('@').next().unwrap_or(text)).ok();
    text.parse()
        .ok()
        .or_else(|| xray(text))
        .or_else(|| traceparent(text).map(|context| context.trace_id))
        .or_else(|| xray_header(text).map(|context| context.trace_id))
}

/// W3C Trace Context, version 00 and what later versions keep of it.
pub fn traceparent(text: &str) -> Option<TraceContext> {
    let mut parts = text.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    (version.len() == 2).then_some(())?;
    Some(TraceContext { trace_id: trace.parse().ok()?, span_id: span.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "58406520a006649127e371903a2de979";

    #[test]
    fn the_xray_header_is_read_in_any_order() {
        let header =
            "Sampled=1;Parent=4c721bf33e3caf8f;Root=1-58406520-a006649127e371903a2de979;Lineage=1:a:0";
        let context = xray_header(header).unwrap();
        assert_eq!(context.trace_id, TRACE.parse().unwrap());
        assert_eq!(context.parent_id, "4c721bf33e3caf8f".parse().ok());
        assert_eq!(context.sampled, Some(true));
        assert_eq!(xray_header("Parent=4c721bf33e3caf8f"), None);
        assert_eq!(xray_header(""), None);
    }

    #[test]
    fn a_log_names_its_trace_in_many_ways() {
        for (key, text) in [
            ("trace_id", TRACE),
            ("xray_trace_id", "1-58406520-a006649127e371903a2de979"),
            ("AWS-XRAY-TRACE-ID", "1-58406520-a006649127e371903a2de979@4c721bf33e3caf8f"),
            ("traceparent", "00-58406520a006649127e371903a2de979-4c721bf33e3caf8f-01"),
            ("traceId", "Root=1-58406520-a006649127e371903a2de979;Sampled=0"),
        ] {
            let body = Map::from([(key.to_owned(), text.into())]);
            assert_eq!(trace_id(&body), TRACE.parse().ok(), "{key}");
        }
        let body =
            Map::from([("otelTraceID".to_owned(), "0".into()), ("traceId".to_owned(), "order-7".into())]);
        assert_eq!(trace_id(&body), None);
        let body = Map::from([(
            "traceparent".to_owned(),
            "00-58406520a006649127e371903a2de979-4c721bf33e3caf8f-01".into(),
        )]);
        assert_eq!(span_id(&body), "4c721bf33e3caf8f".parse().ok());
    }
}
