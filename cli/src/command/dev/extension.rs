//! Finds the extension's executable, which is built and shipped apart from this command.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Refused;

const NAME: &str = "limelight-extension";

/// The extension: the one given, else one that stands where builds and packages put it.
///
/// # Errors
/// When the one given is no executable, or there is none.
pub(super) fn find(given: Option<&Path>) -> Result<PathBuf, Refused> {
    if let Some(path) = given {
        return match is_executable(path) {
            true => {
                path.canonicalize().map_err(|error| Refused::usage(format!("{}: {error}", path.display())))
            }
            false => Err(Refused::usage(format!("the extension {} is no executable file", path.display()))),
        };
    }
    let executable = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    let beside = executable.as_deref().and_then(Path::parent);
    candidates(beside).into_iter().find(|path| is_executable(path)).ok_or_else(|| {
        Refused::usage(format!(
            "there is no {NAME} beside this command; build it (make layer), or name it with --extension FILE"
        ))
    })
}

/// Beside the command, in the layer's folder of a checkout, in another profile's target directory.
fn candidates(beside: Option<&Path>) -> Vec<PathBuf> {
    let Some(beside) = beside else { return Vec::new() };
    let mut found = vec![beside.join(NAME)];
    for above in beside.ancestors().skip(1).take(2) {
        found.extend(["layer/dist", "layer", "release", "debug"].map(|folder| above.join(folder).join(NAME)));
    }
    found
}

pub(super) fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_must_be_executable() {
        let plain = tempfile::NamedTempFile::new().unwrap();
        let error = find(Some(plain.path())).unwrap_err().to_string();
        assert!(error.contains("is no executable file"), "{error}");
        assert!(find(Some(Path::new("/bin/sh"))).is_ok());
    }

    #[test]
    fn it_is_looked_for_beside_the_command_first_and_then_in_a_checkout() {
        let found = candidates(Some(Path::new("/code/target/debug")));
        assert_eq!(found[0], Path::new("/code/target/debug/limelight-extension"));
        assert!(found.contains(&PathBuf::from("/code/layer/dist/limelight-extension")));
        assert!(found.contains(&PathBuf::from("/code/target/layer/limelight-extension")));
    }
}
