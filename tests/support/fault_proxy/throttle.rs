//! PutRecords of which a part is throttled: the request without those entries, the answer with them.

use serde_json::{Value, json};

/// Takes the throttled entries out; which of the request's they were, in order.
pub(super) fn cut(request: &mut Value, mut throttled: impl FnMut() -> bool) -> Vec<bool> {
    let Some(records) = request["Records"].as_array_mut() else { return Vec::new() };
    let cut: Vec<bool> = records.iter().map(|_| throttled()).collect();
    let mut at = cut.iter();
    records.retain(|_| !at.next().copied().unwrap_or(false));
    cut
}

/// The server's answer for the entries that it got, with the others in their places.
pub(super) fn merge(answer: &Value, throttled: &[bool]) -> Value {
    let mut passed = answer["Records"].as_array().cloned().unwrap_or_default().into_iter();
    let results: Vec<Value> = throttled
        .iter()
        .map(|throttled| if *throttled { exceeded() } else { passed.next().unwrap_or_else(exceeded) })
        .collect();
    let failed = results.iter().filter(|result| result["ErrorCode"].is_string()).count();
    json!({ "FailedRecordCount": failed, "Records": results })
}

fn exceeded() -> Value {
    json!({
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream limelight (a fault on purpose).",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_each_entry_in_its_place() {
        let mut request = json!({ "Records": ["a", "b", "c"] });
        let mut draws = [true, false, true].into_iter();
        let throttled = cut(&mut request, || draws.next().unwrap());
        assert_eq!(request, json!({ "Records": ["b"] }));
        let answer = merge(&json!({ "Records": [{ "SequenceNumber": "7" }] }), &throttled);
        assert_eq!(answer["FailedRecordCount"], 2);
        assert_eq!(answer["Records"][1], json!({ "SequenceNumber": "7" }));
        assert_eq!(answer["Records"][2], exceeded());
    }
}
