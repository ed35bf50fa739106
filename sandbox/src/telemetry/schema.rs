//! What an older schema version does not have. Records are made in the newest shape and cut down per subscriber.

use lambda_api::telemetry::{Record, SchemaVersion, kind};
use serde_json::Value;

use super::buffer::Item;

/// Fields that `2022-12-13` added, by kind. A report's status is not among them: AWS's own Rust crate subscribes with
/// the oldest version and refuses a report without it (its fixtures are records of 2022-10).
const SINCE_DECEMBER_2022: [(&str, &[&str]); 4] = [
    (kind::INIT_START, &["runtimeVersion", "runtimeVersionArn"]),
    (kind::INIT_RUNTIME_DONE, &["errorType"]),
    (kind::INIT_REPORT, &["status", "errorType"]),
    (kind::REPORT, &["errorType", "spans"]),
];

/// The record as this version of the schema has it, ready for the wire.
pub(crate) fn item(record: &Record, version: SchemaVersion) -> Item {
    let text = |text: &str| Value::from(text).to_string();
    let envelope = format!(r#"{{"time":{},"type":{},"record":"#, text(&record.time), text(&record.kind));
    Item { envelope, value: value(record, version) }
}

fn value(record: &Record, version: SchemaVersion) -> String {
    let dropped = SINCE_DECEMBER_2022
        .iter()
        .find(|(kind, _)| version == SchemaVersion::July2022 && *kind == record.kind)
        .map(|(_, fields)| *fields);
    match (dropped, &record.record) {
        (Some(fields), Value::Object(object)) => {
            let mut object = object.clone();
            object.retain(|key, _| !fields.contains(&key.as_str()));
            Value::Object(object).to_string()
        }
        _ => record.record.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_oldest_schema_has_no_spans_in_its_report() {
        let record = Record {
            time: "t".to_owned(),
            kind: kind::REPORT.to_owned(),
            record: json!({"requestId": "r", "spans": []}),
        };
        let of = |version| item(&record, version).value;
        assert_eq!(of(SchemaVersion::July2022), r#"{"requestId":"r"}"#);
        assert!(of(SchemaVersion::December2022).contains("spans"));
    }

    #[test]
    fn an_item_is_the_record_in_json() {
        let record = Record {
            time: "t".to_owned(),
            kind: kind::FUNCTION.to_owned(),
            record: Value::from("a\"b\u{1}"),
        };
        let item = item(&record, SchemaVersion::January2025);
        let read: Record = serde_json::from_str(&format!("{}{}}}", item.envelope, item.value)).unwrap();
        assert_eq!(read, record);
    }
}
