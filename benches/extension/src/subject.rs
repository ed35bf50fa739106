//! The two programs that are compared, and the environment that both get.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// One of the two.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) program: PathBuf,
    /// Beside the platform's own variables.
    pub(crate) variables: BTreeMap<String, String>,
    /// What the function is started through.
    pub(crate) wrapper: Option<PathBuf>,
}

impl Subject {
    /// The program with what ours needs to ship to `endpoint`; the floor does not mind.
    pub(crate) fn new(program: &Path, endpoint: &str) -> anyhow::Result<Self> {
        let program =
            program.canonicalize().with_context(|| format!("{} is not there", program.display()))?;
        let variables = [("LIMELIGHT_STREAM", "bench"), ("AWS_ENDPOINT_URL_KINESIS", endpoint)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Ok(Self { program, variables, wrapper: None })
    }

    /// The same program with one more variable.
    #[must_use]
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.variables.insert(name.to_owned(), value.to_owned());
        changed
    }

    /// The name under which it registers.
    pub(crate) fn name(&self) -> &str {
        self.program.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// The program's bytes.
    pub(crate) fn bytes(&self) -> anyhow::Result<u64> {
        Ok(self.program.metadata()?.len())
    }
}

/// Ours and the floor.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) ours: Subject,
    pub(crate) floor: Subject,
}
