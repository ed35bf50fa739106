//! Files that survive a power cut: what a put has acknowledged is on disk, and a name never shows half an object.
//!
//! `object_store`'s local file system renames into place but never syncs; after a power cut a commit of ours could be
//! a file of zeroes, and the table would be unreadable. So puts write beside, sync, link or rename, and sync the
//! directory. Everything else is passed on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

/// What errors name as the store.
const NAME: &str = "directory";

/// The local file system from `/`, with durable puts.
#[derive(Debug)]
pub(super) struct DurableFiles {
    files: LocalFileSystem,
}

impl DurableFiles {
    pub(super) fn new() -> Self {
        Self { files: LocalFileSystem::new() }
    }
}

impl std::fmt::Display for DurableFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DurableFiles")
    }
}

#[async_trait::async_trait]
impl ObjectStore for DurableFiles {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.files.put_opts(location, payload, opts).await,
        };
        let path = self.files.path_to_filesystem(location)?;
        let shown = location.to_string();
        blocking(move || put(&path, &payload, create)).await?.map_err(|error| storage(error, shown))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let path = self.files.path_to_filesystem(location)?;
        let upload = self.files.put_multipart_opts(location, opts).await?;
        Ok(Box::new(DurableUpload { upload, path }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}

/// A multipart upload whose file is synced when it is complete. Checkpoints come this way; the pointer to them is
/// put after them.
#[derive(Debug)]
struct DurableUpload {
    upload: Box<dyn MultipartUpload>,
    path: PathBuf,
}

#[async_trait::async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.upload.complete().await?;
        let path = self.path.clone();
        let shown = path.display().to_string();
        blocking(move || {
            File::open(&path)?.sync_all()?;
            sync_parent(&path)
        })
        .await?
        .map_err(|error| storage(error, shown))?;
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Generic { store: NAME, source: Box::new(error) })
}

fn storage(error: io::Error, path: String) -> Error {
    let source = Box::new(error);
    match source.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source },
        io::ErrorKind::NotFound => Error::NotFound { path, source },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { path, source },
        _ => Error::Generic { store: NAME, source },
    }
}

fn put(path: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
    // `#` and digits at the end is how `object_store` names unfinished uploads, so that listings leave it out.
    let unique = uuid::Uuid::new_v4().as_u128();
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!("#{unique}"));
    let beside = PathBuf::from(beside);
    let written = write(&beside, payload).and_then(|()| match create {
        true => std::fs::hard_link(&beside, path),
        false => std::fs::rename(&beside, path),
    });
    if create || written.is_err() {
        // What stays behind is not listed and harms nobody.
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    sync_parent(path)
}

fn write(path: &FilePath, payload: &PutPayload) -> io::Result<()> {
    let mut file = create(path)?;
    payload.iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
}

/// A new file, and the directories above it where they are missing.
fn create(path: &FilePath) -> io::Result<File> {
    let open = || OpenOptions::new().write(true).create_new(true).open(path);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(parent) = path.parent() else { return Err(error) };
            make_directories(parent)?;
            open()
        }
        other => other,
    }
}

/// Makes a directory and syncs each one that got a new entry.
fn make_directories(path: &FilePath) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(parent)?;
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_parent(path),
    }
}

fn sync_parent(path: &FilePath) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;
    use object_store::ObjectStoreExt;

    #[tokio::test]
    async fn a_name_is_taken_once_and_nothing_else_is_listed() {
        let directory = tempfile::tempdir().unwrap();
        let files = DurableFiles::new();
        let base = Path::from_absolute_path(directory.path()).unwrap();
        let path = base.clone().join("a").join("b").join("0.json");
        let create = || PutOptions::from(PutMode::Create);
        files.put_opts(&path, Bytes::from_static(b"first").into(), create()).await.unwrap();
        let second = files.put_opts(&path, Bytes::from_static(b"second").into(), create()).await;
        assert!(matches!(second, Err(Error::AlreadyExists { .. })), "{second:?}");
        assert_eq!(files.get(&path).await.unwrap().bytes().await.unwrap(), "first");
        files.put(&path, Bytes::from_static(b"third").into()).await.unwrap();
        assert_eq!(files.get(&path).await.unwrap().bytes().await.unwrap(), "third");
        let listed: Vec<_> = files.list(Some(&base)).try_collect().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(std::fs::read_dir(directory.path().join("a/b")).unwrap().count(), 1);
    }
}
