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

/// Whether this machine lets a process have mounts of its own. If not, what needs them is skipped and says so; where
/// `CI=true` promises that everything is tried, it fails.
pub fn is_possible_or_skipped(what: &str) -> bool {
    let tried = with_own_mounts().args(["mount", "--bind", "/etc/hosts", "/etc/hosts"]).output();
    let possible = tried.is_ok_and(|output| output.status.success());
    if !possible {
        let why = "this machine gives processes no mounts of their own (unshare --mount is refused)";
        assert!(!skips_are_failures(std::env::var("CI").ok().as_deref()), "{what} cannot be tried: {why}");
        println!("skipped: {what}, because {why}");
    }
    possible
}

/// By the variable that build servers set.
fn skips_are_failures(ci: Option<&str>) -> bool {
    ci == Some("true")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_build_server_fails_what_cannot_be_tried() {
        assert!(skips_are_failures(Some("true")));
        assert!(!skips_are_failures(None) && !skips_are_failures(Some("false")));
    }
}
