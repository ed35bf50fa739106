//! Looks at the kernel's counters: `/proc` and the file system of `/tmp` → one [`Reading`]. Called by the collector
//! while a handler begins its work. What the figures mean is `pipeline::usage`'s; a file that cannot be read is a
//! figure less.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use model::Timestamp;
use pipeline::usage::{self, Processes, Reading, Storage};

/// A sandbox runs a runtime, a few extensions and what they start. More are not counted: a reading has to end.
const PROCESSES_MAX: usize = 64;
/// Lambda allows a sandbox 1,024 file descriptors; more are not counted.
const FILES_MAX: usize = 2_048;
/// The first line of `/proc/stat`, an interface's line each of `/proc/net/dev`.
const TEXT_BYTES_MAX: u64 = 16 * 1024;

/// Everything that can be read now.
pub fn read(at: Timestamp) -> Reading {
    let started = Instant::now();
    let reading = Reading {
        at,
        took: Duration::ZERO,
        cpu: text(Path::new("/proc/stat")).and_then(|stat| usage::cpu(&stat)),
        network: text(Path::new("/proc/net/dev")).and_then(|dev| usage::network(&dev)),
        processes: processes(Path::new("/proc")),
        tmp: storage(Path::new("/tmp")),
    };
    Reading { took: started.elapsed(), ..reading }
}

/// A file's beginning; `/proc/stat` goes on with a number for each of hundreds of interrupts.
fn text(path: &Path) -> Option<String> {
    let mut text = Vec::with_capacity(4_096);
    File::open(path).ok()?.take(TEXT_BYTES_MAX).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Processes of other users show their threads but not their files.
fn processes(proc: &Path) -> Option<Processes> {
    let mut sum = Processes::default();
    let mut files_left = FILES_MAX;
    for entry in fs::read_dir(proc).ok()?.filter_map(Result::ok).filter(is_process).take(PROCESSES_MAX) {
        let directory = entry.path();
        let files = fs::read_dir(directory.join("fd")).map_or(0, |files| files.take(files_left).count());
        files_left -= files;
        sum.open_files += u64::try_from(files).unwrap_or(u64::MAX);
        sum.threads += text(&directory.join("stat")).and_then(|stat| usage::threads(&stat)).unwrap_or(0);
    }
    (sum.threads > 0).then_some(sum)
}

fn is_process(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

fn storage(path: &Path) -> Option<Storage> {
    let status = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(status.f_frsize);
    Some(Storage {
        used_bytes: bytes(status.f_blocks.saturating_sub(status.f_bfree)),
        free_bytes: bytes(status.f_bavail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_linux_everything_can_be_read() {
        let reading = read(Timestamp::EPOCH);
        assert!(reading.cpu.is_some_and(|cpu| !cpu.busy.is_zero()), "{reading:?}");
        assert!(reading.processes.is_some_and(|all| all.threads >= 2 && all.open_files >= 3), "{reading:?}");
        assert!(reading.tmp.is_some_and(|tmp| tmp.used_bytes + tmp.free_bytes > 0), "{reading:?}");
    }

    #[test]
    fn what_is_not_there_is_none() {
        let nowhere = Path::new("/proc/nowhere");
        assert_eq!((text(nowhere), processes(nowhere), storage(nowhere)), (None, None, None));
    }
}
