//! Mounts of one's own: what a process sees elsewhere, without changing it for anybody else.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// `unshare` with a mount namespace; what follows is what to run in it. Mounting needs root, or a user namespace in
/// which one is.
pub fn with_own_mounts() -> Command {
    let mut command = Command::new("unshare");
    command.args(arguments());
    command
}

/// What `unshare` is told for that.
pub fn arguments() -> Vec<&'static str> {
    if is_root() { vec!["--mount"] } else { vec!["--mount", "--map-root-user"] }
}

/// Whether this machine lets a process have mounts of its own.
pub fn is_possible() -> bool {
    let tried = with_own_mounts().args(["mount", "--bind", "/etc/hosts", "/etc/hosts"]).output();
    tried.is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
