//! The journal's directory: private, made when it is needed, with files of letters in it. A file's owner holds its lock
//! for as long as it lives, however it dies: a file that can be locked has been left behind.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Files of the format that `wire::letter` describes.
const SUFFIX: &str = "letters";
/// More entries than this are not ours, or nobody ever read them: there is no room then.
const ENTRIES_MAX: usize = 256;

/// Its path.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Touches no disk.
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A new file of this name, locked and open for appending.
    pub(super) fn create(&self, name: &str) -> io::Result<(File, PathBuf)> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Others on the machine may have put something else there: a link, or a directory that they can read.
        if !is_private(&self.0)? {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        let path = self.0.join(name).with_extension(SUFFIX);
        let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path)?;
        file.try_lock()?;
        Ok((file, path))
    }

    /// Files whose owners are dead, oldest first; each is opened and locked when it is asked for.
    pub(super) fn left_behind(&self) -> impl Iterator<Item = (File, PathBuf)> + use<> {
        let mut found: Vec<_> = self.entries().filter(|(path, metadata)| is_ours(path, metadata)).collect();
        found.sort_by_key(|(path, metadata)| (metadata.mtime(), metadata.mtime_nsec(), path.clone()));
        found.into_iter().filter_map(|(path, _)| {
            let file = OpenOptions::new().read(true).append(true).open(&path).ok()?;
            file.try_lock().ok().map(|()| (file, path))
        })
    }

    /// The size of all that is in it, whoever it belongs to.
    pub(super) fn bytes(&self) -> u64 {
        let mut bytes: u64 = 0;
        for (at, (_, metadata)) in self.entries().enumerate() {
            bytes = if at + 1 == ENTRIES_MAX { u64::MAX } else { bytes.saturating_add(metadata.len()) };
        }
        bytes
    }

    /// Nothing where it is not there, or not ours alone.
    fn entries(&self) -> impl Iterator<Item = (PathBuf, Metadata)> {
        let is_private = is_private(&self.0).unwrap_or(false);
        let entries = is_private.then(|| fs::read_dir(&self.0).ok()).flatten().into_iter().flatten();
        entries.take(ENTRIES_MAX).filter_map(|entry| {
            let path = entry.ok()?.path();
            fs::symlink_metadata(&path).ok().map(|metadata| (path, metadata))
        })
    }
}

fn is_ours(path: &Path, metadata: &Metadata) -> bool {
    metadata.is_file() && path.extension().is_some_and(|suffix| suffix == SUFFIX)
}

/// A directory of our own user that nobody else can look into.
fn is_private(path: &Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    let ours = fs::metadata("/proc/self")?.uid();
    Ok(metadata.is_dir() && metadata.uid() == ours && metadata.mode() & 0o077 == 0)
}
