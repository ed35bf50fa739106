//! A dataset's events out of the store, as they came: file by file, one file in memory at a time.

use std::sync::Arc;

use bytes::Bytes;
use model::{Event, Timestamp};

use crate::error::StoreError;
use crate::file;
use crate::files::DataFile;
use crate::rows::rebuild;
use crate::schema::Schema;
use crate::store::Store;

/// Events from the first time on and before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Timestamp,
    /// The first that is not in it.
    pub to: Timestamp,
}

impl Default for Span {
    fn default() -> Self {
        Self { from: Timestamp::from_nanos(i64::MIN), to: Timestamp::from_nanos(i64::MAX) }
    }
}

/// The events of one version of a dataset.
pub struct Export {
    store: Store,
    dataset: String,
    span: Span,
    /// The next file last.
    files: Vec<Arc<DataFile>>,
}

impl Store {
    /// All events of a time, as they are now; none if there is no such dataset.
    ///
    /// # Errors
    /// When the name is not allowed or the log cannot be read.
    pub async fn export(&self, dataset: &str, span: Span) -> Result<Option<Export>, StoreError> {
        let Some(view) = self.table(dataset)?.view(self.since()).await? else { return Ok(None) };
        let overlaps = |file: &DataFile| {
            let (from, to) = file.span();
            // The log may cut times to milliseconds.
            from.is_none_or(|from| from < span.to)
                && to.is_none_or(|to| to.plus(std::time::Duration::from_millis(1)) >= span.from)
        };
        let mut files: Vec<_> = view.files.iter().filter(|file| overlaps(file)).cloned().collect();
        files.sort_by(|a, b| (&b.date, b.span(), &b.path).cmp(&(&a.date, a.span(), &a.path)));
        Ok(Some(Export { store: self.clone(), dataset: dataset.to_owned(), span, files }))
    }
}

impl Export {
    /// The events of the next file, day after day, by namespace and time within a file; none at the end.
    ///
    /// # Errors
    /// When a file cannot be read: gone or damaged. The next call goes on with the next file.
    pub async fn next(&mut self) -> Result<Option<Vec<Event>>, StoreError> {
        let Some(file) = self.files.pop() else { return Ok(None) };
        let table = self.store.table(&self.dataset)?;
        let damaged = |why: &str| StoreError::Damaged {
            dataset: self.dataset.clone(),
            path: file.path.clone(),
            why: why.to_owned(),
        };
        let bytes = table.read(&file).await?.ok_or_else(|| damaged("it is gone"))?;
        if !file.is_whole(&bytes) {
            return Err(damaged("its bytes are not those that were written"));
        }
        let (dataset, span) = (self.dataset.clone(), self.span);
        let events = tokio::task::spawn_blocking(move || events(&dataset, bytes, span)).await;
        events.map_err(|died| damaged(&died.to_string()))?.map(Some)
    }
}

fn events(dataset: &str, bytes: Bytes, span: Span) -> Result<Vec<Event>, StoreError> {
    let reader = file::reader(bytes)?;
    let columns = Schema::of_names(reader.schema().fields().iter().map(|field| field.name().as_str()));
    let mut events = Vec::new();
    for batch in reader.build()? {
        let batch = batch.map_err(|source| StoreError::Rows { what: dataset.to_owned(), source })?;
        events.extend(rebuild(dataset, &batch, columns.dynamic())?);
    }
    events.retain(|event| (span.from..span.to).contains(&event.timestamp));
    Ok(events)
}
