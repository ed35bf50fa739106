//! JSON text: of values inside columns, and of whole events for people.

use model::{Event, Value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A value that serialises as JSON without being copied first.
struct Json<'a>(&'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            // serde_json writes null for what JSON cannot say.
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => {
                let mut array = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| array.serialize_element(&Json(item)))?;
                array.end()
            }
            Value::Object(map) => {
                let mut object = serializer.serialize_map(Some(map.len()))?;
                map.iter().try_for_each(|(key, value)| object.serialize_entry(key, &Json(value)))?;
                object.end()
            }
        }
    }
}

/// The value as JSON text; NaN and infinities become null.
pub(super) fn text(value: &Value) -> String {
    // Writing values of ours into memory cannot fail: every key is text.
    serde_json::to_string(&Json(value)).unwrap_or_else(|_| "null".to_owned())
}

/// An event as people see it: `{"$limelight": {envelope}, "message": …, …attributes}`. The envelope's keys are those
/// of [`Event::ENVELOPE_KEYS`] (without `ingestedAt`, which an event does not know); what is not known is left out.
pub fn event_to_json(event: &Event) -> serde_json::Map<String, serde_json::Value> {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let envelope = [
        ("dataset", known(&event.dataset)),
        ("timestamp", Some(event.timestamp.to_string())),
        ("id", known(event.id.as_str())),
        ("kind", Some(event.kind.as_str().to_owned())),
        ("namespace", known(&event.namespace)),
        ("service", known(&event.service)),
        ("account", known(&event.account)),
        ("region", known(&event.region)),
        ("level", event.level.map(|level| level.as_str().to_owned())),
        ("name", event.name.clone()),
        ("requestId", event.request_id.clone()),
        ("traceId", event.trace_id.map(|id| id.to_string())),
        ("spanId", event.span_id.map(|id| id.to_string())),
        ("parentId", event.parent_id.map(|id| id.to_string())),
        ("error", event.error.clone()),
        ("status", event.status.clone()),
    ];
    let mut shown: serde_json::Map<_, _> =
        envelope.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))).collect();
    if let Some(duration_ms) = event.duration_ms {
        shown.insert("duration".to_owned(), duration_ms.into());
    }
    let mut json = serde_json::Map::new();
    json.insert("$limelight".to_owned(), shown.into());
    if let Some(message) = &event.message {
        json.insert("message".to_owned(), message.clone().into());
    }
    json.extend(event.attributes.iter().map(|(key, value)| (key.clone(), value.clone().into())));
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EventId, Kind, Map, Timestamp};

    #[test]
    fn people_see_the_envelope_apart_from_the_events_own_keys() {
        let mut event = Event::new("logs", Timestamp::EPOCH, EventId::from("a-0".to_owned()), Kind::Log);
        event.message = Some("hello".into());
        event.attributes = Map::from([("n".to_owned(), Value::Int(1))]);
        assert_eq!(
            serde_json::Value::from(event_to_json(&event)),
            serde_json::json!({
                "$limelight": {
                    "dataset": "logs", "timestamp": "1970-01-01T00:00:00.000Z", "id": "a-0", "kind": "log",
                },
                "message": "hello",
                "n": 1,
            })
        );
    }
}
