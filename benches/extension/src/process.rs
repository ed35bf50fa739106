//! What the kernel says about a running extension: its time on a processor and its memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

/// A child of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Child {
    pid: u32,
}

impl Child {
    /// The one child that runs this program; the sandbox starts one for each environment.
    pub(crate) fn running(program: &Path) -> anyhow::Result<Self> {
        Self::running_beside(program, &[])
    }

    /// The one that is none of these.
    pub(crate) fn running_beside(program: &Path, known: &[Self]) -> anyhow::Result<Self> {
        let program = program.canonicalize()?;
        let runs = |pid: &u32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program);
        let is_new = |pid: &u32| known.iter().all(|child| child.pid != *pid);
        let found: Vec<u32> = children()?.into_iter().filter(runs).filter(is_new).collect();
        match found[..] {
            [pid] => Ok(Self { pid }),
            _ => anyhow::bail!("{} runs {} times, not once", program.display(), found.len()),
        }
    }

    pub(crate) fn pid(self) -> u32 {
        self.pid
    }

    /// How many of its threads have this name.
    pub(crate) fn threads_called(self, name: &str) -> anyhow::Result<usize> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).context("the extension has ended")?;
        let is_called = |path: PathBuf| fs::read_to_string(path).is_ok_and(|comm| comm.trim() == name);
        Ok(threads.flatten().filter(|thread| is_called(thread.path().join("comm"))).count())
    }

    /// User and system time of all threads that are alive, in nanoseconds by the scheduler's own count: `stat` has
    /// the same in hundredths of a second. A thread that has ended takes its time with it; the extensions start none
    /// after their first milliseconds.
    pub(crate) fn cpu_time(self) -> anyhow::Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.pid)).context("the extension has ended")? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let ran = text.split_whitespace().next().context("an empty schedstat")?;
            nanos += ran.parse::<u64>().context("schedstat without a number")?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Resident bytes, the program's and its libraries' pages included.
    pub(crate) fn resident_bytes(self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes: u64 = line.split_whitespace().next().context("an empty VmRSS")?.parse()?;
        Ok(kibibytes * 1024)
    }
}

fn children() -> anyhow::Result<Vec<u32>> {
    let mut pids = Vec::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let list: PathBuf = thread?.path().join("children");
        // A thread may end while we look.
        let list = fs::read_to_string(list).unwrap_or_default();
        pids.extend(list.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(pids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_run_and_holds_something() {
        let this = Child { pid: std::process::id() };
        assert!(this.cpu_time().unwrap() > Duration::ZERO);
        assert!(this.resident_bytes().unwrap() > 100_000);
    }

    #[test]
    fn a_program_that_does_not_run_is_not_found() {
        assert!(Child::running(Path::new("/bin/true")).is_err());
    }
}
