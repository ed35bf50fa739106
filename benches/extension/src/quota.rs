//! A share of one core for a process, kept by the kernel: a control group of its own (either version), in periods of
//! 20 ms, as Lambda gives a function its share. Needs root.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::process::Child;

const PERIOD_MICROS: u32 = 20_000;
/// Version 1 has a tree for each controller, version 2 one for all.
const CPU_TREE: &str = "/sys/fs/cgroup/cpu";
const TREE: &str = "/sys/fs/cgroup";

/// The group; gone when dropped, once nobody is in it.
#[derive(Debug)]
pub(crate) struct Quota {
    group: PathBuf,
}

impl Quota {
    /// `percent` of one core for the process and all of its threads.
    pub(crate) fn put_on(child: Child, percent: u32) -> anyhow::Result<Self> {
        let first = Path::new(CPU_TREE).join("cpu.cfs_quota_us").exists();
        let tree = Path::new(if first { CPU_TREE } else { TREE });
        let group = tree.join(format!("limelight-bench-{}", std::process::id()));
        fs::create_dir(&group).context("cannot make a control group: is this root?")?;
        let quota = Self { group };
        let micros = PERIOD_MICROS * percent / 100;
        if first {
            quota.set("cpu.cfs_period_us", &PERIOD_MICROS.to_string())?;
            quota.set("cpu.cfs_quota_us", &micros.to_string())?;
        } else {
            quota.set("cpu.max", &format!("{micros} {PERIOD_MICROS}"))?;
        }
        quota.set("cgroup.procs", &child.pid().to_string())?;
        Ok(quota)
    }

    fn set(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let path = self.group.join(name);
        fs::write(&path, value).with_context(|| format!("cannot write {value} to {}", path.display()))
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // A group with a process in it stays; the environment has ended by now, as a rule.
        let _ = fs::remove_dir(&self.group);
    }
}
