//! The state's directory: made, writable, and ours alone while we run.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder of the extensions' journals in the state's directory.
pub(in crate::command) const JOURNALS: &str = "journals";

/// The directory, locked until this is dropped (or the process ends, however).
#[derive(Debug)]
pub(super) struct State {
    directory: PathBuf,
    _lock: File,
}

impl State {
    /// Makes the directory if need be, and takes its lock.
    ///
    /// # Errors
    /// When it cannot be written, or another `limelight dev` has it; the message names that one's process.
    pub(super) fn open(directory: &Path) -> anyhow::Result<Self> {
        let shown = directory.display();
        fs::create_dir_all(directory)
            .with_context(|| format!("the state's directory {shown} cannot be made; --data names another"))?;
        let path = directory.join("lock");
        let mut lock =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).with_context(
                || format!("the state's directory {shown} cannot be written; --data names another"),
            )?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another `limelight dev` (process {}) has the directory {shown}; end it, or name another with --data",
                holder(&mut lock)
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .with_context(|| {
                format!("the state's directory {shown} cannot be written; --data names another")
            })?;
        ignore(directory);
        Ok(Self { directory: directory.to_owned(), _lock: lock })
    }

    /// Where the journal of the stream is.
    pub(super) fn stream(&self) -> PathBuf {
        self.directory.join("stream")
    }

    /// Where extensions keep what they could not deliver; extensions run elsewhere.
    ///
    /// # Errors
    /// When there is no working directory any more.
    pub(super) fn journals(&self) -> std::io::Result<PathBuf> {
        std::path::absolute(self.directory.join(JOURNALS))
    }

    /// Where the libraries of faked clocks are.
    pub(super) fn clocks(&self) -> PathBuf {
        self.directory.join("clocks")
    }

    /// Where datasets are if nobody says.
    pub(super) fn store(&self) -> PathBuf {
        self.directory.join("store")
    }
}

/// Who holds the lock, from what it wrote; digits only, whatever the file holds.
fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    let _ = lock.take(20).read_to_string(&mut text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { "unknown".to_owned() } else { digits }
}

/// Telemetry does not belong into a repository. Where this cannot be written, a person sees to it.
fn ignore(directory: &Path) {
    let path = directory.join(".gitignore");
    if !path.exists() {
        let _ = fs::write(path, "*\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devs_on_one_directory_are_told_of_each_other() {
        let data = tempfile::TempDir::new().unwrap();
        let first = State::open(data.path()).unwrap();
        let error = State::open(data.path()).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()) && error.contains("--data"), "{error}");
        drop(first);
        State::open(data.path()).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let error = State::open(Path::new("/proc/limelight")).unwrap_err();
        assert!(format!("{error:#}").contains("/proc/limelight"), "{error:#}");
    }
}
