//! Two answers to one question, as JSON: the same but for the last digits of numbers.

use query::Answer;
use serde_json::Value;

/// Sums in another order, and functions of another library, differ in their last digits.
const CLOSE: f64 = 1e-9;

/// Where two answers differ; none if they do not.
pub(crate) fn difference(ours: &Answer, theirs: &Answer) -> Option<String> {
    different(&told(ours), &told(theirs), "")
}

/// What an answer says of the events: what it cost and who gave it does not count.
fn told(answer: &Answer) -> Value {
    let mut answer = answer.clone();
    answer.statistics = query::Statistics::default();
    answer.notes.retain(|note| !note.starts_with("answered by"));
    serde_json::to_value(&answer).unwrap()
}

fn different(ours: &Value, theirs: &Value, at: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys = ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key)));
            let value =
                |of: &serde_json::Map<String, Value>, key: &str| of.get(key).cloned().unwrap_or_default();
            keys.into_iter()
                .find_map(|key| different(&value(ours, key), &value(theirs, key), &format!("{at}/{key}")))
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs
                .into_iter()
                .find_map(|(number, (ours, theirs))| different(ours, theirs, &format!("{at}/{number}")))
        }
        (Value::Number(ours), Value::Number(theirs)) if close(ours, theirs) => None,
        (ours, theirs) if ours == theirs => None,
        (ours, theirs) => Some(format!("{at}: {ours} and {theirs}")),
    }
}

fn close(ours: &serde_json::Number, theirs: &serde_json::Number) -> bool {
    let (Some(ours), Some(theirs)) = (ours.as_f64(), theirs.as_f64()) else { return false };
    (ours - theirs).abs() <= CLOSE * (1.0 + ours.abs().max(theirs.abs()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_last_digits_may_differ() {
        let ours = json!({"a": [1, {"b": 0.1}], "c": null});
        assert_eq!(different(&ours, &json!({"a": [1, {"b": 0.100_000_000_000_01}]}), ""), None);
        for theirs in [
            json!({"a": [1, {"b": 0.101}], "c": null}),
            json!({"a": [1], "c": null}),
            json!({"a": [{"b": 0.1}, 1], "c": null}),
            json!({"a": ["1", {"b": 0.1}], "c": null}),
            json!({"a": [1, {"b": 0.1}], "c": 0}),
            json!({"a": [1, {"b": 0.1}], "c": null, "d": 1}),
        ] {
            assert!(different(&ours, &theirs, "").is_some(), "{theirs}");
        }
    }
}
