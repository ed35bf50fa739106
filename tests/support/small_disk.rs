//! A disk that is nearly full: a file system in memory that only one process sees, with ballast on it that can go.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::namespace;

/// The folder in which the disk is mounted.
pub struct SmallDisk {
    folder: TempDir,
    bytes: u64,
    free_bytes: u64,
}

impl SmallDisk {
    pub fn new(bytes: u64, free_bytes: u64) -> Self {
        let disk = Self { folder: tempfile::tempdir().unwrap(), bytes, free_bytes };
        std::fs::create_dir(disk.mounted()).unwrap();
        disk
    }

    /// The program with the disk mounted and the ballast on it. The process that is started is the program's.
    pub fn command(&self, program: &Path) -> Command {
        let disk = self.mounted();
        let script = format!(
            "mount -t tmpfs -o size={} tmpfs '{disk}' && head -c {} /dev/zero >'{disk}/ballast' || exit 1\n\
             (while [ ! -e '{go}' ] && kill -0 $$; do sleep 0.05; done; rm -f '{disk}/ballast') 2>/dev/null &\n\
             exec \"$0\" \"$@\"\n",
            self.bytes,
            self.bytes - self.free_bytes,
            disk = disk.display(),
            go = self.signal().display(),
        );
        let mut command = namespace::with_own_mounts();
        command.args(["sh", "-c", &script]).arg(program);
        command
    }

    /// Where the disk is, for its process.
    pub fn mounted(&self) -> PathBuf {
        self.folder().join("disk")
    }

    /// A folder on the disk of everybody.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ballast goes: there is room again.
    pub fn make_room(&self) {
        std::fs::write(self.signal(), "").unwrap();
    }

    fn signal(&self) -> PathBuf {
        self.folder().join("make-room")
    }
}
