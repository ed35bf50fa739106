//! The events of one trace become a tree: spans under their parents, logs in their spans, Lambda's report joined to
//! the invocation that it is about. Whatever is missing, twice there or goes in circles, every event is shown once.

use std::collections::HashMap;

use api::{TraceLog, TraceResponse, TraceSpan};
use model::{Timestamp, TraceId};
use serde_json::{Map, Value};

use super::critical;

/// A span on its way into the tree.
struct Node {
    span: TraceSpan,
    start: Timestamp,
    end: Timestamp,
    children: Vec<usize>,
}

/// Puts the events of a trace together.
pub(super) fn assemble(id: TraceId, events: Vec<Map<String, Value>>) -> TraceResponse {
    let mut nodes = Vec::new();
    let mut others = Vec::new();
    let mut services = Vec::new();
    let mut errors = 0;
    for event in events {
        let event = Read::new(event);
        services.extend(event.text("service"));
        errors += u64::from(event.is_error());
        match event.text("kind").as_deref() {
            Some("span") => nodes.push(node(event)),
            _ => others.push(event),
        }
    }
    services.sort_unstable();
    services.dedup();
    let starts = nodes.iter().map(|node| node.start);
    let start = starts.min().or_else(|| others.iter().map(|event| event.time).min()).unwrap_or_default();
    let end = nodes.iter().map(|node| node.end).max();
    let end = end.or_else(|| others.iter().map(|event| event.time).max()).unwrap_or(start);
    let mut notes = Vec::new();
    let logs = place(&mut nodes, others, start);
    let roots = link(&mut nodes, &mut notes);
    let mut spans = in_order(nodes, roots, start);
    let duration_ms = millis(start, end);
    TraceResponse {
        trace_id: id.to_string(),
        start: start.to_string(),
        duration_ms,
        services,
        errors,
        critical_path: critical::mark(&mut spans, duration_ms),
        spans,
        logs,
        notes,
    }
}

/// An event as the store shows it, its envelope apart.
struct Read {
    envelope: Map<String, Value>,
    message: Option<Value>,
    keys: Map<String, Value>,
    time: Timestamp,
}

impl Read {
    fn new(mut keys: Map<String, Value>) -> Self {
        let envelope = match keys.remove("$limelight") {
            Some(Value::Object(envelope)) => envelope,
            _ => Map::new(),
        };
        let time = match envelope.get("timestamp") {
            Some(Value::String(text)) => text.parse().unwrap_or_default(),
            Some(Value::Number(millis)) => Timestamp::from_millis(millis.as_i64().unwrap_or_default()),
            _ => Timestamp::EPOCH,
        };
        Self { envelope, message: keys.remove("message"), keys, time }
    }

    fn text(&self, key: &str) -> Option<String> {
        self.envelope.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    fn is_error(&self) -> bool {
        let level = self.envelope.get("level").and_then(Value::as_str);
        let status = self.envelope.get("status").and_then(Value::as_str);
        self.envelope.contains_key("error")
            || matches!(level, Some("error" | "fatal"))
            || status == Some("error")
    }

    fn is_report(&self) -> bool {
        self.keys.get("@type").and_then(Value::as_str) == Some("REPORT")
    }

    fn into_log(self, start: Timestamp) -> TraceLog {
        let word = |key| self.text(key).unwrap_or_default();
        // Node's console lines have theirs there, as the platform's own records do.
        let message = match self.message.as_ref().or_else(|| self.keys.get("@message")) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        TraceLog {
            id: word("id"),
            timestamp: self.time.to_string(),
            offset_ms: millis(start, self.time),
            kind: word("kind"),
            dataset: word("dataset"),
            level: word("level"),
            message,
            error: self.text("error"),
            attributes: self.keys,
        }
    }
}

fn node(event: Read) -> Node {
    let word = |key| event.text(key).unwrap_or_default();
    let duration_ms = event.envelope.get("duration").and_then(Value::as_f64).unwrap_or_default().max(0.0);
    let kind = event.keys.get("span.kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let span = TraceSpan {
        span_id: word("spanId"),
        parent_id: event.text("parentId"),
        name: word("name"),
        kind,
        service: word("service"),
        namespace: word("namespace"),
        start: event.time.to_string(),
        duration_ms,
        status: word("status"),
        error: event.text("error"),
        request_id: event.text("requestId"),
        ..TraceSpan::default()
    };
    let length = std::time::Duration::try_from_secs_f64(duration_ms / 1_000.0).unwrap_or_default();
    let end = event.time.plus(length);
    Node { start: event.time, end, children: Vec::new(), span: TraceSpan { attributes: event.keys, ..span } }
}

/// Logs into the spans they name; reports to the invocations they are about. What finds no span is given back.
fn place(nodes: &mut [Node], mut others: Vec<Read>, start: Timestamp) -> Vec<TraceLog> {
    others.sort_by_key(|event| event.time);
    let by_span = index(nodes.iter().map(|node| Some(node.span.span_id.clone())));
    let servers =
        nodes.iter().map(|node| node.span.request_id.clone().filter(|_| node.span.kind == "server"));
    let by_request = index(servers);
    let mut homeless = Vec::new();
    for event in others {
        let span = event.text("spanId").and_then(|id| by_span.get(&id).copied());
        let invocation = || event.text("requestId").and_then(|id| by_request.get(&id).copied());
        match span.or_else(|| if event.is_report() { invocation() } else { None }) {
            Some(at) if event.is_report() && nodes[at].span.report.is_none() => {
                nodes[at].span.report = Some(event.keys);
            }
            Some(at) => nodes[at].span.logs.push(event.into_log(start)),
            None => homeless.push(event.into_log(start)),
        }
    }
    homeless
}

/// Where each name stands first.
fn index(names: impl Iterator<Item = Option<String>>) -> HashMap<String, usize> {
    let mut index = HashMap::new();
    for (at, name) in names.enumerate() {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            index.entry(name).or_insert(at);
        }
    }
    index
}

/// Ties children to their parents and says which spans are roots, earliest first.
fn link(nodes: &mut [Node], notes: &mut Vec<String>) -> Vec<usize> {
    let by_span = index(nodes.iter().map(|node| Some(node.span.span_id.clone())));
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    // The longer of two that begin together goes first: it is more likely to be the one around the other.
    order.sort_by_key(|at| (nodes[*at].start, std::cmp::Reverse(nodes[*at].end)));
    let mut roots = Vec::new();
    let mut orphans = 0;
    for at in &order {
        let parent = nodes[*at].span.parent_id.as_ref().map(|id| by_span.get(id).copied());
        match parent {
            Some(Some(parent)) if parent != *at => nodes[parent].children.push(*at),
            None => roots.push(*at),
            Some(_) => {
                nodes[*at].span.orphan = true;
                orphans += 1;
                roots.push(*at);
            }
        }
    }
    // Spans that are their own ancestors hang from no root: the earliest of each circle becomes one.
    let mut reached = vec![false; nodes.len()];
    roots.iter().for_each(|root| reach(nodes, *root, &mut reached));
    for at in order {
        if !reached[at] {
            nodes[at].span.orphan = true;
            orphans += 1;
            nodes.iter_mut().for_each(|node| node.children.retain(|child| *child != at));
            reach(nodes, at, &mut reached);
            roots.push(at);
        }
    }
    if orphans > 0 {
        notes.push(format!("{orphans} of the spans name a parent that is not here"));
    }
    roots
}

fn reach(nodes: &[Node], root: usize, reached: &mut [bool]) {
    let mut stack = vec![root];
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            stack.extend(&nodes[at].children);
        }
    }
}

/// A parent, then its children by start, each with theirs.
fn in_order(nodes: Vec<Node>, roots: Vec<usize>, start: Timestamp) -> Vec<TraceSpan> {
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut stack: Vec<(usize, usize)> = roots.into_iter().rev().map(|root| (root, 0)).collect();
    let mut spans = Vec::with_capacity(nodes.len());
    while let Some((at, depth)) = stack.pop() {
        let Some(node) = nodes[at].take() else { continue };
        stack.extend(node.children.iter().rev().map(|child| (*child, depth + 1)));
        spans.push(TraceSpan { depth, offset_ms: millis(start, node.start), ..node.span });
    }
    spans
}

/// Milliseconds from one to the other; negative if the other is earlier.
fn millis(from: Timestamp, to: Timestamp) -> f64 {
    if to >= from {
        to.since(from).as_secs_f64() * 1_000.0
    } else {
        -(from.since(to).as_secs_f64() * 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id() -> TraceId {
        "58406520a006649127e371903a2de979".parse().unwrap()
    }

    fn span(id: &str, parent: Option<&str>, start_ms: i64, duration: f64) -> Value {
        json!({
            "$limelight": {
                "kind": "span", "spanId": id, "parentId": parent, "name": id, "service": "shop",
                "timestamp": Timestamp::from_millis(start_ms).to_string(), "duration": duration,
                "requestId": format!("r-{id}"), "dataset": "otel",
            },
            "span.kind": "server",
        })
    }

    fn line(span: Option<&str>, at_ms: i64, message: &str) -> Value {
        json!({
            "$limelight": {
                "kind": "log", "spanId": span, "service": "cart", "level": "error", "dataset": "lambda-logs",
                "timestamp": Timestamp::from_millis(at_ms).to_string(),
            },
            "message": message,
        })
    }

    fn tree(events: &[Value]) -> TraceResponse {
        assemble(id(), events.iter().map(|event| event.as_object().unwrap().clone()).collect())
    }

    fn shape(trace: &TraceResponse) -> Vec<(&str, usize, bool)> {
        trace.spans.iter().map(|span| (span.span_id.as_str(), span.depth, span.orphan)).collect()
    }

    #[test]
    fn children_stand_under_their_parents_by_start() {
        let trace = tree(&[
            span("late", Some("root"), 30, 5.0),
            span("inner", Some("early"), 12, 1.0),
            span("root", None, 10, 100.0),
            span("early", Some("root"), 11, 5.0),
        ]);
        assert_eq!(
            shape(&trace),
            [("root", 0, false), ("early", 1, false), ("inner", 2, false), ("late", 1, false)]
        );
        assert_eq!((trace.duration_ms, trace.spans[3].offset_ms), (100.0, 20.0));
        assert!(trace.notes.is_empty());
    }

    #[test]
    fn a_missing_parent_makes_an_orphan_and_a_note() {
        let trace = tree(&[span("a", Some("gone"), 0, 1.0), span("b", Some("a"), 0, 1.0)]);
        assert_eq!(shape(&trace), [("a", 0, true), ("b", 1, false)]);
        assert_eq!(trace.notes, ["1 of the spans name a parent that is not here"]);
    }

    #[test]
    fn spans_in_a_circle_and_spans_twice_are_each_shown_once() {
        let trace = tree(&[
            span("a", Some("b"), 0, 1.0),
            span("b", Some("a"), 1, 1.0),
            span("self", Some("self"), 2, 1.0),
            span("a", Some("b"), 3, 1.0),
        ]);
        assert_eq!(trace.spans.len(), 4);
        assert_eq!(trace.spans.iter().filter(|span| span.span_id == "a").count(), 2);
    }

    #[test]
    fn a_chain_of_any_length_needs_no_stack() {
        let events: Vec<Value> = (0..10_000)
            .map(|n| span(&n.to_string(), (n > 0).then(|| (n - 1).to_string()).as_deref(), n, 1.0))
            .collect();
        assert_eq!(tree(&events).spans.last().unwrap().depth, 9_999);
    }

    #[test]
    fn logs_stand_in_their_spans_and_the_report_at_its_invocation() {
        let report = json!({
            "$limelight": {"kind": "platform", "requestId": "r-a", "timestamp": "1970-01-01T00:00:00.090Z"},
            "@type": "REPORT", "@billedDuration": 42,
        });
        let trace = tree(&[
            span("a", None, 10, 50.0),
            line(Some("a"), 40, "second"),
            line(Some("a"), 20, "first"),
            line(Some("elsewhere"), 5, "lost"),
            report,
        ]);
        let logs: Vec<&str> = trace.spans[0].logs.iter().map(|log| log.message.as_str()).collect();
        assert_eq!(logs, ["first", "second"]);
        assert_eq!(trace.spans[0].report.as_ref().unwrap()["@billedDuration"], 42);
        assert_eq!((trace.logs[0].message.as_str(), trace.logs[0].offset_ms), ("lost", -5.0));
        assert_eq!(trace.services, ["cart", "shop"]);
        assert_eq!(trace.errors, 3);
        assert_eq!(trace.duration_ms, 50.0, "a report that comes late makes the trace no longer");
    }

    #[test]
    fn a_line_of_nodes_console_shows_what_it_says() {
        let console = |said: Value| {
            let mut line = line(None, 10, "");
            line.as_object_mut().unwrap().remove("message");
            line["@message"] = said;
            line
        };
        let trace = tree(&[console("paid".into()), console(json!({"paid": 7}))]);
        let said: Vec<&str> = trace.logs.iter().map(|log| log.message.as_str()).collect();
        assert_eq!(said, ["paid", r#"{"paid":7}"#]);
        assert_eq!(trace.logs[0].attributes["@message"], "paid", "under its key it stays");
    }

    #[test]
    fn a_trace_of_logs_alone_has_them_in_order() {
        let trace = tree(&[line(None, 20, "b"), line(None, 10, "a")]);
        assert_eq!(trace.logs.iter().map(|log| log.message.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(trace.duration_ms, 10.0);
    }
}
