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
        _ => managed_report(record).unwrap_or_else(|| record.record.to_string()),
    }
}

/// A managed instance's report has its duration alone, with exactly three decimals, which no number of JSON's keeps.
fn managed_report(record: &Record) -> Option<String> {
    let mut report = record.record.as_object().filter(|_| record.kind == kind::REPORT)?.clone();
    let metrics = report.remove("metrics")?;
    let metrics = metrics.as_object().filter(|metrics| metrics.len() == 1)?;
    let duration_ms = metrics.get("durationMs")?.as_f64()?;
    let rest = Value::Object(report).to_string();
    let rest = rest.strip_suffix('}').filter(|rest| rest.len() > 1)?;
    Some(format!(r#"{rest},"metrics":{{"durationMs":{duration_ms:.3}}}}}"#))
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
    fn a_managed_instances_duration_has_three_decimals() {
        let record = Record {
            time: "t".to_owned(),
            kind: kind::REPORT.to_owned(),
            record: json!({"requestId": "r", "metrics": {"durationMs": 12.5}, "status": "success"}),
        };
        let value = item(&record, SchemaVersion::January2025).value;
        assert!(value.contains(r#""metrics":{"durationMs":12.500}"#), "{value}");
        assert_eq!(serde_json::from_str::<Value>(&value).unwrap(), record.record);
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
