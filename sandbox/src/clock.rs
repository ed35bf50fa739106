//! A wall clock of an environment's own, that can be set forward or back while it is frozen: "thaw after hours"
//! without the hours.
//!
//! Processes see it through a small library of ours that is loaded before theirs: dynamically linked programs only.
//! Their monotonic clock stays the machine's, as it stays behind when a sandbox is frozen. (Debian's libfaketime does
//! the same in principle; its version 0.9.10 makes Python's `sleep` fail when the monotonic clock is left alone.)

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a C compiler makes the library from.
const SOURCE: &str = include_str!("../clock/wall_clock.c");

/// The clock of all environments of a function. Clones share it: keep one to set it.
#[derive(Debug, Clone)]
pub struct FakedClock {
    library: PathBuf,
    ahead_ms: Arc<AtomicI64>,
}

impl FakedClock {
    /// Makes the library in `folder`, which must outlive the function's environments. Needs a C compiler (`cc`).
    ///
    /// # Errors
    /// When the folder cannot be written, or the compiler is missing or fails.
    pub fn compile(folder: &Path) -> io::Result<Self> {
        let (source, library) = (folder.join("wall_clock.c"), folder.join("wall_clock.so"));
        std::fs::write(&source, SOURCE)?;
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).output()?;
        if !compiled.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&compiled.stderr).into_owned()));
        }
        Ok(Self { library, ahead_ms: Arc::default() })
    }

    /// Sets the clock forward, or back if `by_ms` is negative. An environment notices at its next thaw.
    pub fn jump(&self, by_ms: i64) {
        self.ahead_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// How far it is ahead of the machine's clock, milliseconds.
    pub(crate) fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn library(&self) -> &Path {
        &self.library
    }
}
