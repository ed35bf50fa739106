//! A CloudWatch log event becomes what the extension would have made of the same line: its keys, level, request,
//! error (reference A.3.3), and the points of an Embedded Metric Format line as events of their own.

use model::{Event, EventId, Kind, Value};
use pipeline::assemble::identity;
use pipeline::parse::{self, LineKind};

/// Where functions' lines go. Request ids of other log groups are not Lambda's.
const LAMBDA_LOGS: &str = "lambda-logs";

/// The event, understood; then its metric points.
pub(super) fn understand(mut event: Event) -> Vec<Event> {
    let Some(text) = event.message.take() else { return vec![event] };
    let mut line = parse::line(&text);
    let metrics = std::mem::take(&mut line.metrics);
    event.message = match line.body.remove("message") {
        Some(Value::String(message)) => Some(message),
        Some(other) => {
            line.body.insert("message".to_owned(), other);
            None
        }
        None => None,
    };
    // Where it was found is ours; all else is the line's.
    for (key, value) in line.body {
        event.attributes.entry(key).or_insert(value);
    }
    if line.kind != LineKind::Log {
        event.kind = Kind::Platform;
    }
    event.timestamp = line.time.unwrap_or(event.timestamp);
    event.level = line.level;
    event.request_id = line.request_id;
    event.trace_id = line.trace_id;
    event.span_id = line.span_id;
    event.duration_ms = line.duration_ms;
    event.error = line.error;
    place(&mut event);
    let mut events = Vec::with_capacity(1 + metrics.len());
    for (number, metric) in metrics.into_iter().enumerate() {
        let id = EventId::from(format!("{}-{number}", event.id));
        events.push(wire::metric_event(metric, &event, id));
    }
    events.insert(0, event);
    events
}

/// A function's line that tells its invocation but no trace stands where the extension puts the same invocation's.
fn place(event: &mut Event) {
    if event.dataset != LAMBDA_LOGS || event.trace_id.is_some() {
        return;
    }
    if let Some(id) = &event.request_id {
        event.trace_id = Some(identity::trace_id(id));
        event.span_id = Some(identity::span_id(id, identity::INVOCATION));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Level, Timestamp};

    fn understood(text: &str) -> Vec<Event> {
        let id = EventId::from("cw1".to_owned());
        let mut event = Event::new("lambda-logs", Timestamp::from_millis(5), id, Kind::Log);
        event.message = Some(text.to_owned());
        event.attributes.insert("@logGroup".to_owned(), "/aws/lambda/f".into());
        understand(event)
    }

    #[test]
    fn a_report_line_has_its_figures() {
        let events = understood(
            "REPORT RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\tDuration: 201.67 ms\tBilled Duration: 202 ms\t\
             Memory Size: 2048 MB\tMax Memory Used: 81 MB\tInit Duration: 480.25 ms",
        );
        let event = &events[0];
        assert_eq!(event.kind, Kind::Platform);
        assert_eq!(event.attributes["@type"], Value::from("REPORT"));
        assert_eq!(event.attributes["@duration"].as_f64(), Some(201.67));
        assert_eq!(event.attributes["@logGroup"], Value::from("/aws/lambda/f"));
        assert_eq!(event.request_id.as_deref(), Some("79b4f56e-95b1-4643-9700-2807f4e68189"));
    }

    #[test]
    fn a_line_stands_in_the_trace_that_the_extension_gives_its_invocation() {
        let id = "8286a188-ba32-4475-8077-530cd35c09a9";
        let line = format!(r#"{{"requestId":"{id}","message":"charged"}}"#);
        let event = &understood(&line)[0];
        assert_eq!(event.trace_id.unwrap().to_string(), "2c9689cd0481e8efcad6468fb022d104");
        assert_eq!(event.span_id.unwrap().to_string(), "bdac57af2f3ba083");

        let traced = understood(&format!(
            r#"{{"requestId":"{id}","xray_trace_id":"1-58406520-a006649127e371903a2de979","message":"charged"}}"#
        ));
        assert_eq!(traced[0].trace_id.unwrap().to_string(), "58406520a006649127e371903a2de979");
        assert!(understood("hello")[0].trace_id.is_none());
    }

    #[test]
    fn a_json_line_has_its_keys_and_its_level() {
        let events = understood(r#"{"level":"ERROR","message":"card refused","order":{"id":7}}"#);
        let [event] = events.as_slice() else { panic!("one event") };
        assert_eq!(event.message.as_deref(), Some("card refused"));
        assert_eq!(event.level, Some(Level::Error));
        assert!(event.error.is_some());
        assert_eq!(event.attributes["order"].as_object().unwrap()["id"], Value::Int(7));
    }

    #[test]
    fn plain_text_stays_its_message() {
        let events = understood("hello");
        assert_eq!(events[0].message.as_deref(), Some("hello"));
        assert_eq!(events[0].timestamp, Timestamp::from_millis(5));
    }
}
