//! How much memory a process and its descendants hold, from `/proc`.

use std::fs;

/// Descendants that are looked at; a function that forks more is told apart by its peak anyway.
const PROCESSES_MAX: usize = 256;

/// Resident bytes of a process tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident_bytes: u64,
    /// The sum of each process's own peak.
    pub(crate) peak_bytes: u64,
}

impl Memory {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            resident_bytes: self.resident_bytes + other.resident_bytes,
            peak_bytes: self.peak_bytes + other.peak_bytes,
        }
    }
}

/// Of `pid` and everything below it; nothing if it has ended.
pub(crate) fn of_tree(pid: u32) -> Memory {
    let mut total = Memory::default();
    let mut open = vec![pid];
    let mut seen = 0;
    while let Some(pid) = open.pop() {
        seen += 1;
        if seen > PROCESSES_MAX {
            break;
        }
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        total = total.plus(parse(&status));
        open.extend(children(pid));
    }
    total
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

fn parse(status: &str) -> Memory {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    };
    Memory {
        resident_bytes: field("VmRSS:").unwrap_or_default(),
        peak_bytes: field("VmHWM:").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_text_is_read_in_bytes() {
        let status = "Name:\tpython3\nVmHWM:\t   10240 kB\nVmRSS:\t    9216 kB\nThreads:\t1\n";
        assert_eq!(parse(status), Memory { resident_bytes: 9 << 20, peak_bytes: 10 << 20 });
        assert_eq!(parse(""), Memory::default());
    }

    #[test]
    fn this_process_holds_something() {
        assert!(of_tree(std::process::id()).resident_bytes > 0);
    }
}
