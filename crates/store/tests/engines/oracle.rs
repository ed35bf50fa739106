//! ClickHouse as the oracle: it reads the same Delta tables with a reader of its own, runs the statements of its own
//! dialect, and must come to the same answer to every question of the suite.
//!
//! What is known to differ, and is kept out of the questions, no more than that:
//! - Sums of floats in another order, and sines of another library, differ in the last digits: `comparison::CLOSE`.
//! - The digits of floats under 0.0001 and over 10^16 as text: one engine writes an exponent where the other does not.
//! - `%` of floats where the division is all but whole, or by what is infinite: ClickHouse multiplies and subtracts, we
//!   take the exact rest. Three of 600 drawn questions (`LIMELIGHT_ORACLE_QUESTIONS=300`) meet that; the usual 100 do not.
//! - What a needle finds in the JSON of keys without a column: there it also finds the JSON's own marks.
//! - A lone backslash at the end of `LIKE`'s pattern, which escapes nothing (`drawn::parts`).
//! - Word boundaries in regular expressions beside letters that are not ASCII; percentiles of more than 100,000 values
//!   of a group, which are estimates here; message patterns, which ClickHouse cannot say.

use std::sync::Arc;

use query::sql::Construct;
use query::{Answer, Query, RunError, Runner as _};
use store::Elsewhere;

use crate::beside::Beside;
use crate::comparison::difference;
use crate::questions;
use crate::tables::Tables;

/// What came of the questions.
#[derive(Debug, Default)]
struct Outcome {
    same: usize,
    /// How many of these answers hold something.
    telling: usize,
    /// What its dialect says that it cannot say.
    unsaid: Vec<String>,
    different: Vec<String>,
}

impl Outcome {
    async fn of(tables: &Tables, oracle: &Arc<dyn Elsewhere>, questions: &[Query]) -> Self {
        let mut outcome = Self::default();
        for query in questions {
            let ours = tables.store.run(query).await.unwrap_or_else(|error| panic!("{query}: {error}"));
            match tables.store.run_elsewhere(query, oracle.clone()).await {
                Ok(theirs) => match difference(&ours, &theirs) {
                    None => {
                        outcome.same += 1;
                        outcome.telling += usize::from(tells(&ours));
                    }
                    Some(difference) => outcome.different.push(format!("{query}\n    {difference}")),
                },
                Err(RunError::Unsayable(unsayable)) => {
                    outcome.unsaid.push(format!("{query}: {:?}", unsayable.constructs));
                }
                Err(error) => outcome.different.push(format!("{query}\n    {error}")),
            }
        }
        outcome
    }
}

fn tells(answer: &Answer) -> bool {
    let figures = answer.aggregates.iter().any(|row| row.values["_count"] != 0);
    figures || answer.heatmap.is_some() || !answer.events.is_empty() || !answer.wholes.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_gives_the_same_answers() {
    let tables = Tables::write().await;
    let oracle = Beside::clickhouse(&tables.datasets());
    for (what, questions) in [("written", questions::written()), ("drawn", questions::drawn())] {
        agree(&tables, &oracle, &questions, what).await;
    }
}

/// Athena's statements, as far as sqlglot and DuckDB understand them. Left out is what is theirs and not Athena's: DuckDB
/// has no percentiles with weights (`samples`), and sqlglot loses dots inside keys of JSON paths (`crowded`).
#[tokio::test(flavor = "multi_thread")]
async fn athenas_statements_mean_the_same_to_duckdb() {
    let tables = Tables::write().await;
    let duckdb = Beside::athena_on_duckdb(&tables.datasets());
    let mine = |query: &Query| {
        !query.datasets.iter().any(|name| ["samples", "crowded", "*"].contains(&name.as_str()))
    };
    for (what, questions) in [("written", questions::written()), ("drawn", questions::drawn())] {
        let questions: Vec<Query> = questions.into_iter().filter(mine).collect();
        agree(&tables, &duckdb, &questions, what).await;
    }
}

async fn agree(tables: &Tables, other: &Arc<dyn Elsewhere>, questions: &[Query], what: &str) {
    let outcome = Outcome::of(tables, other, questions).await;
    let count = outcome.different.len();
    assert!(outcome.different.is_empty(), "{count} of the {what} differ:\n{}", outcome.different.join("\n"));
    assert!(outcome.unsaid.is_empty(), "{}", outcome.unsaid.join("\n"));
    assert_eq!(outcome.same, questions.len());
    // An oracle over nothing would agree with everything.
    assert!(outcome.telling * 3 > outcome.same * 2, "{} of {}", outcome.telling, outcome.same);
    let (name, same, telling) = (other.dialect().name(), outcome.same, outcome.telling);
    println!(
        "{name}: {same} of {} questions that were {what} have the same answer, {telling} not empty",
        questions.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clickhouse_cannot_say_is_refused_and_named() {
    let tables = Tables::write().await;
    let oracle = Beside::clickhouse(&tables.datasets());
    let query = query::parse_text("VIEW patterns FROM logs LAST 2h", crate::tables::now()).unwrap();
    let refused = tables.store.run_elsewhere(&query, oracle).await.unwrap_err();
    let RunError::Unsayable(unsayable) = &refused else { panic!("{refused:?}") };
    assert_eq!(unsayable.constructs, [Construct::MessagePattern]);
    assert!(refused.to_string().contains("ClickHouse cannot say message patterns"), "{refused}");
}
