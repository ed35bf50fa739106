//! Which batches the store has: every batch leaves a delivery account in the dataset `limelight`, which names it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::Problem;
use model::{BatchId, Timestamp};
use serde_json::{Value, json};
use wire::Letter;

use crate::args::PlaceArgs;
use crate::client::{Client, How};

/// As many groups as one answer has.
const SEQUENCES_MAX: u64 = 10_000;
/// Clocks of sandboxes and of the store may differ by so much.
const SKEW: Duration = Duration::from_secs(24 * 3_600);

/// Somebody who knows.
pub(super) struct Known {
    client: Client,
}

impl Known {
    /// Whom to ask: whoever was named, else the `limelight dev` that gets the batches. Else nobody.
    ///
    /// # Errors
    /// When the one named cannot be opened.
    pub(super) async fn open(place: &PlaceArgs, to_dev: bool) -> anyhow::Result<Option<Self>> {
        if place.endpoint.is_none() && place.store.is_none() && !to_dev {
            return Ok(None);
        }
        Ok(Some(Self { client: Client::open(place).await? }))
    }

    /// Those of the letters that the store has.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) async fn among(
        &self,
        letters: impl Iterator<Item = &Letter>,
        now: Timestamp,
    ) -> anyhow::Result<BTreeSet<BatchId>> {
        let mut asked: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        let mut from = now;
        for letter in letters {
            asked.entry(&letter.id.sandbox).or_default().insert(letter.id.sequence);
            from = from.min(letter.at);
        }
        let timeframe = json!({"from": from.minus(SKEW).to_string(), "to": now.plus(SKEW).to_string()});
        let mut stored = BTreeSet::new();
        for (sandbox, sequences) in asked {
            for (first, last) in runs(&sequences) {
                let found = self.sequences(&body(sandbox, first, last, &timeframe)).await?;
                stored.extend(
                    found.into_iter().map(|sequence| BatchId { sandbox: sandbox.to_owned(), sequence }),
                );
            }
        }
        Ok(stored)
    }

    async fn sequences(&self, body: &Value) -> anyhow::Result<Vec<u64>> {
        match self.client.query(body, &How::here()).await {
            Ok(answer) => {
                let rows = answer.data.calculations.aggregates;
                Ok(rows.iter().filter_map(|row| whole(row.groups.get("sequence")?)).collect())
            }
            // Nothing was ever delivered to this store.
            Err(error) if error.downcast_ref::<Problem>().is_some_and(|problem| problem.status == 404) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error.context("cannot ask which batches the store has; --unchecked sends all")),
        }
    }
}

/// A group's value is a number, or the number's text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Runs of sequences that one answer can hold.
fn runs(sequences: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for sequence in sequences {
        match runs.last_mut() {
            Some((first, last)) if sequence - *first < SEQUENCES_MAX => *last = *sequence,
            _ => runs.push((*sequence, *sequence)),
        }
    }
    runs
}

fn body(sandbox: &str, first: u64, last: u64, timeframe: &Value) -> Value {
    let filter = |key: &str, operation: &str, value: Value, kind: &str| json!({"key": key, "operation": operation, "value": value, "type": kind});
    json!({
        "parameters": {
            "datasets": ["limelight"],
            "calculations": ["COUNT"],
            "filters": [
                filter("$limelight.name", "=", "delivery".into(), "string"),
                filter("sandbox", "=", sandbox.into(), "string"),
                filter("sequence", ">=", first.into(), "number"),
                filter("sequence", "<=", last.into(), "number"),
            ],
            "groupBys": [{"type": "number", "value": "sequence"}],
            "limit": SEQUENCES_MAX,
        },
        "timeframe": timeframe,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_asked_for_in_runs_that_one_answer_holds() {
        let sequences: BTreeSet<u64> = [0, 1, 9_999, 10_000, 10_001, 50_000].into();
        assert_eq!(runs(&sequences), [(0, 9_999), (10_000, 10_001), (50_000, 50_000)]);
        assert!(runs(&BTreeSet::new()).is_empty());
    }

    #[test]
    fn what_is_asked_can_be_read_by_the_query_language() {
        let now = Timestamp::from_millis(1_763_640_000_000);
        let timeframe = json!({"from": now.minus(SKEW).to_string(), "to": now.plus(SKEW).to_string()});
        let query = query::from_json(&body("5a", 3, 7, &timeframe), now).unwrap();
        assert_eq!((query.filter.conditions().len(), query.group_by.len()), (4, 1));
        assert_eq!(query.datasets, ["limelight"]);
    }
}
