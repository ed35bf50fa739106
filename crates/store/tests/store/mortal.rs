//! An object store under a process that dies: its last write may have been made or not, and nothing comes after it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What lives on is `inner`.
#[derive(Debug)]
pub(crate) struct Mortal {
    inner: Arc<InMemory>,
    writes_left: Arc<AtomicI64>,
    /// Whether the write at which the process dies is still made.
    last_is_made: bool,
    dead: Arc<AtomicBool>,
}

impl Mortal {
    /// Dies at its write number `writes`, counted from 0.
    pub(crate) fn after(inner: Arc<InMemory>, writes: i64, last_is_made: bool) -> Self {
        Self { inner, writes_left: Arc::new(writes.into()), last_is_made, dead: Arc::default() }
    }

    fn alive(&self) -> Result<()> {
        if self.dead.load(Ordering::SeqCst) { Err(died()) } else { Ok(()) }
    }

    /// Whether this write is made, and whether anybody hears of it.
    fn write(&self) -> Result<(bool, bool)> {
        self.alive()?;
        let last = self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0;
        if last {
            self.dead.store(true, Ordering::SeqCst);
        }
        Ok((!last || self.last_is_made, !last))
    }
}

fn died() -> Error {
    Error::Generic { store: "test", source: "the process is dead".into() }
}

impl fmt::Display for Mortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mortal")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Mortal {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let (made, heard) = self.write()?;
        let written = if made { self.inner.put_opts(location, payload, opts).await } else { Err(died()) };
        if heard { written } else { Err(died()) }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        // An upload that is not completed leaves nothing that anybody sees.
        match self.write()? {
            (_, true) => self.inner.put_multipart_opts(location, opts).await,
            (_, false) => Err(died()),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.alive()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.alive()?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let mortal = Self {
            inner: self.inner.clone(),
            writes_left: self.writes_left.clone(),
            last_is_made: self.last_is_made,
            dead: self.dead.clone(),
        };
        let one = move |location: Result<Path>| {
            let (inner, write) = (mortal.inner.clone(), mortal.write());
            async move {
                let location = location?;
                let (made, heard) = write?;
                if made {
                    let only = futures::stream::iter([Ok(location.clone())]).boxed();
                    inner.delete_stream(only).collect::<Vec<_>>().await;
                }
                if heard { Ok(location) } else { Err(died()) }
            }
        };
        locations.then(one).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.alive() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        match self.write()? {
            (true, true) => self.inner.copy_opts(from, to, options).await,
            _ => Err(died()),
        }
    }
}
