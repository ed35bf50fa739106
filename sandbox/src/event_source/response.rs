//! What a function answered to a batch → how far the batch succeeded.
//!
//! Source: "Configuring partial batch response with Kinesis Data Streams and Lambda"
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html>.

use serde_json::Value;

use super::record::Record;

/// How far a batch succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it.
    Succeeded,
    /// The records before this index did, those from it on are to be retried. Never 0.
    FailedFrom(usize),
    /// None of it, or the answer does not say.
    Failed,
}

/// Reads `{"batchItemFailures":[{"itemIdentifier":"<sequence number>"}]}`: the lowest failed sequence number
/// counts. Nothing reported (empty list, `null`, no answer) is success; an identifier that is empty, missing or
/// not of this batch, or an answer of another shape, is the failure of the whole batch.
pub(super) fn partial(payload: &[u8], records: &[Record]) -> Verdict {
    if payload.iter().all(u8::is_ascii_whitespace) {
        return Verdict::Succeeded;
    }
    let failures = match serde_json::from_slice(payload) {
        Ok(Value::Null) => return Verdict::Succeeded,
        Ok(Value::Object(mut fields)) => fields.remove("batchItemFailures").unwrap_or(Value::Null),
        Ok(_) | Err(_) => return Verdict::Failed,
    };
    match failures {
        Value::Null => Verdict::Succeeded,
        Value::Array(items) => lowest(&items, records),
        _ => Verdict::Failed,
    }
}

fn lowest(items: &[Value], records: &[Record]) -> Verdict {
    let mut lowest = None::<usize>;
    for item in items {
        let index = item
            .get("itemIdentifier")
            .and_then(Value::as_str)
            .and_then(|identifier| records.iter().position(|record| record.sequence == identifier));
        match index {
            Some(index) => lowest = Some(lowest.map_or(index, |so_far| so_far.min(index))),
            None => return Verdict::Failed,
        }
    }
    match lowest {
        None => Verdict::Succeeded,
        Some(0) => Verdict::Failed,
        Some(index) => Verdict::FailedFrom(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_source::fixture::records;

    fn verdict(payload: &str) -> Verdict {
        partial(payload.as_bytes(), &records(5))
    }

    #[test]
    fn nothing_reported_is_success() {
        for payload in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(verdict(payload), Verdict::Succeeded, "{payload:?}");
        }
    }

    #[test]
    fn the_lowest_failure_counts() {
        let payload = r#"{"batchItemFailures":[{"itemIdentifier":"103"},{"itemIdentifier":"101"}]}"#;
        assert_eq!(verdict(payload), Verdict::FailedFrom(1));
        assert_eq!(verdict(r#"{"batchItemFailures":[{"itemIdentifier":"100"}]}"#), Verdict::Failed);
    }

    #[test]
    fn what_cannot_be_understood_is_the_failure_of_all() {
        for payload in [
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifer":"101"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"101"},{"itemIdentifier":"999"}]}"#,
            r#"{"batchItemFailures":"101"}"#,
            "[]",
            "\"done\"",
            "{",
        ] {
            assert_eq!(verdict(payload), Verdict::Failed, "{payload}");
        }
    }
}
