//! Trace context: X-Ray's header, W3C `traceparent`, and the names under which loggers write trace and span ids.

use model::{Map, SpanId, TraceContext, TraceId, Value};

use super::named::named;

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

/// What a platform record's `tracing` holds: X-Ray's header, or W3C's, whose span is then the caller's.
pub fn trace_header(header: &str) -> Option<XrayContext> {
    xray_header(header).or_else(|| {
        let TraceContext { trace_id, span_id } = traceparent(header)?;
        Some(XrayContext { trace_id, parent_id: Some(span_id), sampled: None })
    })
}

/// W3C Trace Context, version 00 and what later versions keep of it.
pub fn traceparent(text: &str) -> Option<TraceContext> {
    let mut parts = text.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    (version.len() == 2).then_some(())?;
    Some(TraceContext { trace_id: trace.parse().ok()?, span_id: span.parse().ok()? })
}

const TRACE_KEYS: [&str; 14] = [
    "trace_id",
    "traceId",
    "traceID",
    "TraceId",
    "trace.id",
    "otelTraceID",
    "@tr",
    "xray_trace_id",
    "xrayTraceId",
    "traceparent",
    "X-Amzn-Trace-Id",
    "x-amzn-trace-id",
    "_X_AMZN_TRACE_ID",
    "AWS-XRAY-TRACE-ID",
];
const SPAN_KEYS: [&str; 8] =
    ["span_id", "spanId", "spanID", "SpanId", "span.id", "otelSpanID", "@sp", "traceparent"];

/// What is looked for at a line's root, for [`super::telling`].
pub(super) const ROOT_KEYS: &[&[&str]] = &[&TRACE_KEYS, &SPAN_KEYS, &["trace", "span"]];

/// The trace that a JSON line names. Elastic's schema has it as `{"trace": {"id": …}}`.
pub(super) fn trace_id(places: &[&Map]) -> Option<TraceId> {
    let find = |map: &&Map| named(map, &TRACE_KEYS).filter_map(Value::as_str).find_map(trace);
    places.iter().find_map(find).or_else(|| trace(nested_id(places, "trace")?))
}

/// The span that a JSON line names.
pub(super) fn span_id(places: &[&Map]) -> Option<SpanId> {
    let find = |map: &&Map| named(map, &SPAN_KEYS).filter_map(Value::as_str).find_map(span);
    places.iter().find_map(find).or_else(|| span(nested_id(places, "span")?))
}

fn nested_id<'a>(places: &[&'a Map], key: &str) -> Option<&'a str> {
    places.first()?.get(key)?.as_object()?.get("id")?.as_str()
}

/// The trace and the span that a text names as `trace_id=… span_id=…` (OpenTelemetry's format for Python's logging,
/// logfmt) or `traceparent=…`.
pub(super) fn in_text(text: &str) -> (Option<TraceId>, Option<SpanId>) {
    if !text.contains("trace") && !text.contains("TraceId") {
        return (None, None);
    }
    let value = |label: &str| {
        let (_, behind) = text.split_once(label)?;
        let behind = behind.trim_start_matches('"');
        let is_header = behind.starts_with("Root=");
        let end = behind.find(|letter: char| match letter {
            '-' => false,
            '=' | ';' => !is_header,
            _ => !letter.is_ascii_alphanumeric(),
        });
        Some(&behind[..end.unwrap_or(behind.len())])
    };
    if let Some(context) = value("traceparent=").and_then(traceparent) {
        return (Some(context.trace_id), Some(context.span_id));
    }
    let first = |labels: &[&str]| labels.iter().find_map(|label| value(label));
    let trace_id =
        first(&["trace_id=", "traceId=", "xrayTraceId=", "trace_id: ", "traceId: "]).and_then(trace);
    let span_id = first(&["span_id=", "spanId=", "span_id: ", "spanId: "]).and_then(|id| id.parse().ok());
    (trace_id, span_id.filter(|_| trace_id.is_some()))
}

/// 32 digits, X-Ray's `1-…-…` (a log may add `@segment`), X-Ray's header, or a `traceparent`.
fn trace(text: &str) -> Option<TraceId> {
    let xray = |text: &str| TraceId::from_xray(text.split('@').next().unwrap_or(text)).ok();
    match text.len() {
        32 => text.parse().ok(),
        ..32 => None,
        _ => xray(text)
            .or_else(|| traceparent(text).map(|context| context.trace_id))
            .or_else(|| xray_header(text).map(|context| context.trace_id)),
    }
}

fn span(text: &str) -> Option<SpanId> {
    if text.len() == 16 { text.parse().ok() } else { traceparent(text).map(|context| context.span_id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "58406520a006649127e371903a2de979";
    const SPAN: &str = "4c721bf33e3caf8f";

    #[test]
    fn the_xray_header_is_read_in_any_order() {
        let header =
            "Sampled=1;Parent=4c721bf33e3caf8f;Root=1-58406520-a006649127e371903a2de979;Lineage=1:a:0";
        let context = xray_header(header).unwrap();
        assert_eq!(context.trace_id, TRACE.parse().unwrap());
        assert_eq!(context.parent_id, SPAN.parse().ok());
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
            assert_eq!(trace_id(&[&body]), TRACE.parse().ok(), "{key}");
            assert_eq!(trace_id(&[&Map::new(), &body]), TRACE.parse().ok(), "{key}, further out");
        }
        let body =
            Map::from([("otelTraceID".to_owned(), "0".into()), ("traceId".to_owned(), "order-7".into())]);
        assert_eq!(trace_id(&[&body]), None);
        let body = Map::from([(
            "traceparent".to_owned(),
            "00-58406520a006649127e371903a2de979-4c721bf33e3caf8f-01".into(),
        )]);
        assert_eq!(span_id(&[&body]), SPAN.parse().ok());
    }

    #[test]
    fn a_text_names_its_trace_too() {
        let both = (TRACE.parse().ok(), SPAN.parse().ok());
        for text in [
            format!("INFO [app] [trace_id={TRACE} span_id={SPAN} trace_sampled=True] - paid"),
            format!("level=info traceId={TRACE} spanId={SPAN}"),
            format!("got traceparent=00-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(in_text(&text), both, "{text}");
        }
        for text in ["", "trace_id=0 span_id=0", "trace_id=", "the trace is cold", "span_id=4c721bf33e3caf8f"]
        {
            assert_eq!(in_text(text), (None, None), "{text}");
        }
    }
}
