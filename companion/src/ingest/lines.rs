//! A CloudWatch log event becomes what the extension would have made of the same line: its keys, level, request,
//! error (reference A.3.3), and the points of an Embedded Metric Format line as events of their own.

use model::{Event, EventId, Kind, Value};
use pipeline::parse::{self, LineKind};

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
    let mut events = Vec::with_capacity(1 + metrics.len());
    for (number, metric) in metrics.into_iter().enumerate() {
        let id = EventId::from(format!("{}-{number}", event.id));
        events.push(wire::metric_event(metric, &event, id));
    }
    events.insert(0, event);
    events
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
