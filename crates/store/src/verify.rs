//! Proof that a store is what it says: the log tells one story from its first entry on, every file is there with the
//! bytes and rows that the log says, and every batch of every sandbox stands with all its events, once.
//!
//! Reads everything and changes nothing; safe beside writers (it looks at one version).

mod account;
mod content;
mod history;

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt};
use model::BatchId;

use crate::error::StoreError;
use crate::store::Store;
use crate::table::Table;
pub(crate) use content::Content;

/// Files that are read at once; each is held whole.
const FILES_AT_ONCE: usize = 4;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A log entry is not there although later ones are.
    #[error("{dataset}: log entry {version} is missing")]
    LogGap {
        /// The dataset.
        dataset: String,
        /// The table's version.
        version: u64,
    },
    /// A commit contradicts itself.
    #[error("{dataset}: log entry {version}: {why}")]
    Commit {
        /// The dataset.
        dataset: String,
        /// The table's version.
        version: u64,
        /// What it says, and what is so.
        why: String,
    },
    /// The log, read in two ways, tells of different files.
    #[error("{dataset}: the log's entries and its checkpoint disagree about {path}")]
    Story {
        /// The dataset.
        dataset: String,
        /// A file that only one of them has.
        path: String,
    },
    /// A file is gone, or its bytes are not those that were written.
    #[error("{dataset}: {path} {why}")]
    File {
        /// The dataset.
        dataset: String,
        /// Below the table's directory.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A batch stands in two commits although the second should have known it.
    #[error("{dataset}: batch {batch} was committed twice, by entries {first} and {second}")]
    Twice {
        /// The dataset.
        dataset: String,
        /// The batch.
        batch: String,
        /// The table's version.
        first: u64,
        /// The table's version.
        second: u64,
    },
    /// A batch has other events than its sandbox counted.
    #[error("batch {batch} should have {expected} events, {found} are there")]
    Events {
        /// The batch.
        batch: String,
        /// By its account.
        expected: u64,
        /// In all datasets.
        found: u64,
    },
    /// Batches of a sandbox are missing between others.
    #[error("sandbox {sandbox}: batches {from} to {to} never arrived")]
    Gap {
        /// The sandbox.
        sandbox: String,
        /// The first that is missing.
        from: u64,
        /// The last.
        to: u64,
    },
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// What was looked at, by dataset.
    pub datasets: BTreeMap<String, Looked>,
    /// Batches whose events were counted.
    pub batches: u64,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
}

/// One dataset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// The table's version.
    pub version: u64,
    /// The first log entry that is there: 0, or what cleaning has left.
    pub first_entry: u64,
    /// Data files.
    pub files: u64,
    /// Their bytes, all of them read.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
}

impl Store {
    /// Verifies the whole store.
    ///
    /// # Errors
    /// When the object store fails, or a log cannot be read at all. What is wrong with the data is no error.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        let mut content = Content::default();
        let mut events_went = false;
        for info in self.datasets().await? {
            // Opened anew, as a process that has just started sees it: from the checkpoint.
            let table = Table::new(&info.name, self.root())?;
            let Some(view) = table.view(self.since()).await? else { continue };
            let story =
                history::replay(&table, &view, self.options().retry_horizon, &mut verified.faults).await?;
            let mut looked =
                Looked { version: view.version, first_entry: story.first_entry, ..Looked::default() };
            events_went |= story.events_went;
            let mut files = futures::stream::iter(view.files.iter().cloned())
                .map(|file| content::look(&table, file))
                .buffered(FILES_AT_ONCE);
            let mut of_dataset = Content::default();
            while let Some(found) = files.try_next().await? {
                looked.files += 1;
                looked.bytes += found.bytes;
                match found.content {
                    Ok(file) => of_dataset.add(file),
                    Err(why) => verified.faults.push(Fault::File {
                        dataset: info.name.clone(),
                        path: found.path,
                        why,
                    }),
                }
            }
            looked.rows = of_dataset.rows;
            verified.datasets.insert(info.name, looked);
            content.add(of_dataset);
        }
        verified.batches = content.accounts.len() as u64;
        verified.faults.extend(account::check(&content, events_went));
        Ok(verified)
    }
}

/// How many events of each batch there are.
pub(crate) type Counts = HashMap<BatchId, u64>;
