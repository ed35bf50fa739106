//! What queries say of a function: its marks, each sandbox's delivery account, how long it was held.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use model::Timestamp;
use serde_json::Value;

use super::run::Seen;
use crate::support::dev::Dev;

/// The longest that what the stream took may need to be found.
const SETTLE_WITHIN: Duration = Duration::from_secs(90);
/// The most groups that one query answers with; marks are asked for in blocks of a thousand.
const ROWS_MAX: u64 = 10_000;
/// Clocks that jump by hours leave their times in the data.
const ANY_TIME: &str = "BETWEEN 2020-01-01 AND 2100-01-01";

/// One sandbox's batches as they were found, and its last account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    pub sandbox: String,
    /// In the batches that were found.
    pub records: u64,
    /// In all batches up to the last one that was found.
    pub numbered: u64,
    pub received: u64,
    /// Received and given up, by reason.
    pub given_up: BTreeMap<String, u64>,
    /// Never received: dropped by the platform, or in a body that nobody can read.
    pub never_received: u64,
    /// By its last word: on its disk, or nowhere.
    pub left: u64,
    /// Why the sandbox ended, if it lived to say so.
    pub closed: Option<String>,
}

impl Book {
    /// Whether everything that was received is found, counted, or told to be left, of which some may have been found
    /// since.
    pub fn adds_up(&self) -> bool {
        (0..=i128::from(self.left)).contains(&self.unexplained())
    }

    /// Received, and neither found nor counted. More than what is left is a loss that nobody owns up to.
    pub fn unexplained(&self) -> i128 {
        i128::from(self.received) - i128::from(self.records) - i128::from(self.all_given_up())
    }

    pub fn all_given_up(&self) -> u64 {
        self.given_up.values().sum()
    }

    /// Everything that a printed line can have become without being found.
    pub fn counted(&self) -> u64 {
        self.all_given_up() + self.never_received
    }
}

/// Asks until everything that the stream has taken is found, or time is up.
pub async fn read(dev: &Dev, function: &str, taken: &[Vec<u8>], printed: &BTreeMap<u64, Instant>) -> Seen {
    let batches: BTreeSet<(String, u64)> = taken.iter().map(|data| identity(data)).collect();
    let began = Instant::now();
    let mut accounts = accounts(dev, function).await;
    let missing = |accounts: &[Value]| {
        let found: BTreeSet<(String, u64)> = accounts.iter().map(account_identity).collect();
        batches.difference(&found).count()
    };
    while missing(&accounts) > 0 && began.elapsed() < SETTLE_WITHIN {
        tokio::time::sleep(Duration::from_millis(300)).await;
        accounts = self::accounts(dev, function).await;
    }
    Seen {
        batches_missing: missing(&accounts),
        books: books(&accounts),
        found: marks(dev, function, printed.keys().max().copied().unwrap_or_default()).await,
        added_ms: added(dev, function).await,
        ..Seen::default()
    }
}

fn identity(data: &[u8]) -> (String, u64) {
    let context =
        wire::Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: wire::printed::as_text };
    let batch = wire::decode(data, &context, &wire::Limits::default()).unwrap().batch.unwrap();
    (batch.sandbox, batch.sequence)
}

fn account_identity(account: &Value) -> (String, u64) {
    (account["sandbox"].as_str().unwrap().to_owned(), account["sequence"].as_u64().unwrap())
}

async fn accounts(dev: &Dev, function: &str) -> Vec<Value> {
    let text = format!(
        "FROM limelight WHERE $limelight.namespace = '{function}' AND sandbox EXISTS {ANY_TIME} LIMIT {ROWS_MAX}"
    );
    dev.query(&text).await["events"].as_array().cloned().unwrap_or_default()
}

fn books(accounts: &[Value]) -> Vec<Book> {
    let mut books: BTreeMap<String, (u64, Book)> = BTreeMap::new();
    for account in accounts {
        let (sandbox, sequence) = account_identity(account);
        let whole = |key: &str| account[key].as_u64().unwrap();
        let (newest, book) = books.entry(sandbox.clone()).or_insert((0, Book { sandbox, ..Book::default() }));
        book.records += whole("records");
        if sequence >= *newest {
            *newest = sequence;
            book.numbered = whole("firstRecord") + whole("records");
            book.received = whole("received");
            (book.given_up, book.never_received) = losses(account);
            book.left = account["counts"]["left"].as_u64().unwrap_or_default();
            book.closed = account["closed"].as_str().map(str::to_owned);
        }
    }
    books.into_values().map(|(_, book)| book).collect()
}

/// Reasons for what nobody has received are apart from those for what was received and given up.
const NEVER_RECEIVED: [&str; 2] = ["platform", "unreadable_body"];

fn losses(account: &Value) -> (BTreeMap<String, u64>, u64) {
    let mut given_up = BTreeMap::new();
    let mut never_received = 0;
    for counts in ["lost", "shed"] {
        for (reason, count) in account[counts].as_object().into_iter().flatten() {
            let count = count.as_u64().unwrap();
            if NEVER_RECEIVED.contains(&reason.as_str()) {
                never_received += count;
            } else {
                *given_up.entry(format!("{counts} {reason}")).or_default() += count;
            }
        }
    }
    (given_up, never_received)
}

async fn marks(dev: &Dev, function: &str, last: u64) -> BTreeMap<u64, u64> {
    let mut marks = BTreeMap::new();
    for block in 0..=last / 1_000 {
        let text = format!(
            "COUNT AS n FROM lambda-logs WHERE $limelight.namespace = '{function}' AND block = {block} GROUP BY mark \
             {ANY_TIME} LIMIT {ROWS_MAX} EVERY NONE"
        );
        let answer = dev.query(&text).await;
        for row in answer["calculations"]["aggregates"].as_array().into_iter().flatten() {
            let mark = row["groups"]["mark"].to_string().trim_matches('"').parse().unwrap();
            marks.insert(mark, whole(&row["values"]["n"]));
        }
    }
    marks
}

async fn added(dev: &Dev, function: &str) -> BTreeMap<String, f64> {
    let text = format!(
        "FROM lambda-logs WHERE $limelight.namespace = '{function}' AND @type = REPORT {ANY_TIME} LIMIT {ROWS_MAX}"
    );
    let answer = dev.query(&text).await;
    let reports = answer["events"].as_array().cloned().unwrap_or_default();
    reports
        .iter()
        .filter_map(|report| {
            Some((report["@requestId"].as_str()?.to_owned(), report["@extensionOverhead"].as_f64()?))
        })
        .collect()
}

#[allow(clippy::cast_sign_loss, reason = "counts")]
fn whole(figure: &Value) -> u64 {
    figure.as_u64().or_else(|| figure.as_f64().map(|figure| figure as u64)).unwrap()
}
