//! Where everything is: printed when it is up, kept as `dev.json` beside the data for the other commands.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

const FILE: &str = "dev.json";
const ON_DEMAND: &str = sandbox::Initialization::OnDemand.as_str();

/// A running `limelight dev`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addresses {
    /// Its process.
    pub pid: u32,
    /// The companion's HTTP API.
    pub api: String,
    /// The Lambda API.
    pub invoke: String,
    /// The functions' routes.
    pub http: String,
    /// The Kinesis API.
    pub stream: String,
    /// What the stream is called there.
    pub stream_name: String,
    /// Where datasets are.
    pub store: String,
    /// The functions.
    pub functions: Vec<FunctionAddress>,
}

/// A function's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FunctionAddress {
    /// Its name in the Invoke API.
    pub name: String,
    /// Its routes in the HTTP front.
    pub routes: Vec<String>,
    /// How its environments come to be, in AWS's words.
    pub initialization: String,
    /// The seed of what goes wrong with it on purpose.
    pub faults_seed: Option<u64>,
}

impl FunctionAddress {
    /// What a person should have in mind when something happens; empty for a function as most are.
    pub(super) fn unusual(&self) -> String {
        let mode = Some(&self.initialization).filter(|mode| mode.as_str() != ON_DEMAND).cloned();
        let faults = self.faults_seed.map(|seed| format!("faults by seed {seed}"));
        let all: Vec<String> = mode.into_iter().chain(faults).collect();
        if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
    }
}

impl Addresses {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, data: &Path) -> anyhow::Result<()> {
        let path = data.join(FILE);
        let half = path.with_extension("json.new");
        let written =
            fs::write(&half, serde_json::to_vec_pretty(self)?).and_then(|()| fs::rename(&half, &path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads it; none if there is no such file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(data: &Path) -> anyhow::Result<Option<Self>> {
        let path: PathBuf = data.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => {
                let addresses = serde_json::from_slice(&bytes);
                addresses
                    .map(Some)
                    .with_context(|| format!("{} is not what `limelight dev` writes", path.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Takes the file away; one that stays only makes for a worse message.
    pub fn remove(data: &Path) {
        let _ = fs::remove_file(data.join(FILE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unusual_about_a_function_is_said() {
        let plain = FunctionAddress { initialization: ON_DEMAND.to_owned(), ..FunctionAddress::default() };
        assert_eq!(plain.unusual(), "");
        let restored =
            FunctionAddress { initialization: "snap-start".to_owned(), faults_seed: Some(7), ..plain };
        assert_eq!(restored.unusual(), " (snap-start, faults by seed 7)");
    }

    #[test]
    fn the_other_commands_read_what_dev_wrote() {
        let data = tempfile::TempDir::new().unwrap();
        assert_eq!(Addresses::read(data.path()).unwrap(), None);
        let addresses = Addresses { pid: 7, api: "http://127.0.0.1:4380".to_owned(), ..Addresses::default() };
        addresses.write(data.path()).unwrap();
        assert_eq!(Addresses::read(data.path()).unwrap(), Some(addresses));
        Addresses::remove(data.path());
        assert_eq!(Addresses::read(data.path()).unwrap(), None);
        fs::write(data.path().join(FILE), "{").unwrap();
        assert!(Addresses::read(data.path()).unwrap_err().to_string().contains(FILE));
    }
}
