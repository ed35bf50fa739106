//! The seam between those who ask and those who hold the data.

use std::future::Future;
use std::time::Duration;

use crate::answer::Answer;
use crate::ast::Query;
use crate::sql::Unsayable;

/// Runs queries over datasets. The store implements it; whoever needs results takes it.
pub trait Runner: Send + Sync {
    /// Answers one query.
    ///
    /// # Errors
    /// See [`RunError`]. A key that no event has is not an error: the answer has a note.
    fn run(&self, query: &Query) -> impl Future<Output = Result<Answer, RunError>> + Send;

    /// The names of all datasets, sorted.
    ///
    /// # Errors
    /// When the store cannot be listed.
    fn datasets(&self) -> impl Future<Output = Result<Vec<String>, RunError>> + Send;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A dataset that does not exist.
    #[error("there is no dataset {name:?}; {}", known_datasets(known))]
    UnknownDataset {
        /// What was asked for.
        name: String,
        /// What there is, sorted.
        known: Vec<String>,
    },
    /// It took longer than a query may.
    #[error("the query was stopped after {} s; narrow its time or add filters", limit.as_secs())]
    TookTooLong {
        /// How long a query may take.
        limit: Duration,
    },
    /// The answer has more rows than it may.
    #[error("the answer has more than {limit} rows; use a smaller LIMIT, fewer groups or wider buckets")]
    TooManyRows {
        /// How many it may have.
        limit: u64,
    },
    /// The answer has more bytes than it may.
    #[error("the answer has more than {limit_bytes} bytes; ask for fewer columns or rows")]
    TooManyBytes {
        /// How many it may have.
        limit_bytes: u64,
    },
    /// It needed more memory than a query may use.
    #[error(
        "the query needs more than {limit_bytes} bytes of memory; narrow its time, or group by fewer values"
    )]
    TooMuchMemory {
        /// How much it may use.
        limit_bytes: u64,
    },
    /// A statement of SQL that is no single SELECT, or that the engine cannot understand.
    #[error("the statement is refused: {reason}")]
    Refused {
        /// Why, in the engine's words.
        reason: String,
    },
    /// The engine that was asked for cannot say it.
    #[error(transparent)]
    Unsayable(#[from] Unsayable),
    /// The engine that was asked for is not there, or does not take what it would be asked.
    #[error("{reason}")]
    NotByThatEngine {
        /// Why, and what to do.
        reason: String,
    },
    /// The store or the engine failed; nothing is wrong with the query.
    #[error("the query failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn known_datasets(known: &[String]) -> String {
    if known.is_empty() {
        "there are none yet: nothing was ingested".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    }
}
