//! Where the layer's wrapper (`layer/limelight-wrapper`) finds the proxy's address: a file beside the sandbox's other
//! temporary files, named by the Runtime API's own address, so that environments that share one machine do not meet.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The same in `layer/limelight-wrapper`.
const PREFIX: &str = "/tmp/.limelight-proxy-";

/// The file.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
}

impl Door {
    pub(super) fn new(runtime_api: &str) -> Self {
        // What is no address is no part of a path.
        let name: String = runtime_api
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .collect();
        Self { path: PathBuf::from(format!("{PREFIX}{name}")) }
    }

    /// Whole or not at all: a wrapper reads it at any time.
    pub(super) fn open(&self, address: SocketAddr) -> io::Result<()> {
        let part = self.part();
        std::fs::write(&part, format!("{address}\n"))?;
        std::fs::rename(&part, &self.path)
    }

    /// Not `with_extension`: that takes an address's last part, port and all, for an extension.
    fn part(&self) -> PathBuf {
        self.path.with_added_extension("part")
    }

    pub(super) fn close(&self) {
        // Mostly it is not there.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_of_environments_on_one_machine_do_not_meet_not_even_while_they_are_made() {
        let [one, other] = ["127.0.0.1:37425", "127.0.0.1:37426"].map(Door::new);
        let paths = [one.path.clone(), one.part(), other.path.clone(), other.part()];
        for (at, path) in paths.iter().enumerate() {
            assert!(!paths[at + 1..].contains(path), "{paths:?}");
        }
    }
}
