//! The journal's directory: private, made when it is needed, and one file per sandbox in it. A file's owner holds its
//! lock for as long as it lives, however it dies: a file that can be locked has been left behind.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Files of the format that `wire::letter` describes.
const SUFFIX: &str = "letters";
/// More entries than this are not ours, or nobody ever read them.
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

    /// A new file for this sandbox, locked and open for appending.
    pub(super) fn create(&self, sandbox: &str) -> io::Result<(File, PathBuf)> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Others on the machine may have put something else there: a link, or a directory that they can read.
        if !is_private(&self.0)? {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        let path = self.0.join(sandbox).with_extension(SUFFIX);
        let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path)?;
        file.try_lock()?;
        Ok((file, path))
    }

    /// Files whose owners are dead, oldest first, locked.
    pub(super) fn left_behind(&self) -> Vec<(File, PathBuf)> {
        let Ok(true) = is_private(&self.0) else { return Vec::new() };
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let paths = entries.take(ENTRIES_MAX).filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let mut found: Vec<_> = paths.filter_map(|path| left_behind(&path)).collect();
        found.sort_by_key(|(modified, ..)| *modified);
        found.into_iter().map(|(_, file, path)| (file, path)).collect()
    }
}

fn left_behind(path: &Path) -> Option<(i64, File, PathBuf)> {
    if path.extension().is_none_or(|suffix| suffix != SUFFIX) {
        return None;
    }
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() {
        return None;
    }
    let file = OpenOptions::new().read(true).append(true).open(path).ok()?;
    file.try_lock().ok()?;
    Some((metadata.mtime(), file, path.to_owned()))
}

/// A directory of our own user that nobody else can look into.
fn is_private(path: &Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    let ours = fs::metadata("/proc/self")?.uid();
    Ok(metadata.is_dir() && metadata.uid() == ours && metadata.mode() & 0o077 == 0)
}
