//! A name that cannot be resolved until its entry is added: the extension runs in a mount namespace of its own with
//! its own `/etc/hosts`, and with a resolver that nobody answers.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::namespace;
use crate::support::programs::extension;

/// The folder with the hosts file and the extension's wrapper.
pub struct NameServer(TempDir);

impl NameServer {
    /// The stream's name.
    pub const NAME: &str = "kinesis.limelight.test";

    pub fn without_an_entry() -> Self {
        let server = Self(tempfile::tempdir().unwrap());
        let folder = server.0.path().display();
        std::fs::write(server.0.path().join("hosts"), "127.0.0.1 localhost\n").unwrap();
        // Nobody listens there: an answer that there is none comes at once.
        std::fs::write(server.0.path().join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
        let inside = format!(
            "mount --bind '{folder}/hosts' /etc/hosts && mount --bind '{folder}/resolv.conf' /etc/resolv.conf && exec '{}'",
            extension().display(),
        );
        let unshare = namespace::arguments().join(" ");
        let script = format!("#!/bin/sh\nexec unshare {unshare} sh -c \"{inside}\"\n");
        std::fs::write(server.extension(), script).unwrap();
        std::fs::set_permissions(server.extension(), std::fs::Permissions::from_mode(0o755)).unwrap();
        server
    }

    /// The name can be resolved from now on.
    pub fn add_the_entry(&self) {
        // The same file, not a new one: the mount is of the file.
        let entries = format!("127.0.0.1 localhost {}\n", Self::NAME);
        std::fs::write(self.0.path().join("hosts"), entries).unwrap();
    }

    /// What to start in the extension's place.
    pub fn extension(&self) -> PathBuf {
        self.0.path().join("limelight-extension")
    }
}
