//! What was typed → the files of letters that it names.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::command::dev::JOURNALS;
use crate::exit::Refused;

/// How files of letters end.
const SUFFIX: &str = "letters";
/// A store has its dead letters two folders down.
const DEPTH_MAX: usize = 3;

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A person named it: it must be there.
    Named(PathBuf),
    /// Where the extensions of this machine keep their journals, if any has one.
    Journals(PathBuf),
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Journals(path) => path,
        }
    }
}

/// The paths that were typed, or where extensions keep their journals: those of the `limelight dev` with this state,
/// and others on this machine.
pub(super) fn places(paths: &[PathBuf], data: &Path, lookup: impl Fn(&str) -> Option<String>) -> Vec<Place> {
    if !paths.is_empty() {
        return paths.iter().cloned().map(Place::Named).collect();
    }
    let given = |name| lookup(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let beside = || given("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")).join("limelight");
    let elsewhere = given("LIMELIGHT_JOURNAL_DIR").unwrap_or_else(beside);
    vec![Place::Journals(data.join(JOURNALS)), Place::Journals(elsewhere)]
}

/// The places for a message.
pub(super) fn shown(places: &[Place]) -> String {
    places.iter().map(|place| place.path().display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The files of all places, each once, by name.
///
/// # Errors
/// When something that was typed is not there, or a folder cannot be listed.
pub(super) fn files(places: &[Place]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for place in places {
        let path = place.path();
        match (path.metadata(), place) {
            (Ok(metadata), _) if metadata.is_dir() => below(path, DEPTH_MAX, &mut found)
                .with_context(|| format!("the folder {} cannot be listed", path.display()))?,
            (Ok(_), _) => found.push(path.to_owned()),
            (Err(error), Place::Journals(_)) if error.kind() == io::ErrorKind::NotFound => {}
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
                return Err(
                    Refused::not_found(format!("there is no file or folder {}", path.display())).into()
                );
            }
            (Err(error), _) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && depth > 0 {
            below(&path, depth - 1, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|suffix| suffix == SUFFIX) {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_path_the_journals_of_this_machine_are_meant() {
        let of = |pairs: &'static [(&str, &str)]| {
            let lookup =
                |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            shown(&places(&[], Path::new("data"), lookup))
        };
        assert_eq!(of(&[]), "data/journals, /tmp/limelight");
        assert_eq!(of(&[("TMPDIR", "/scratch")]), "data/journals, /scratch/limelight");
        assert_eq!(of(&[("TMPDIR", "/scratch"), ("LIMELIGHT_JOURNAL_DIR", "/j")]), "data/journals, /j");
        assert_eq!(shown(&places(&["a".into(), "b".into()], Path::new("data"), |_| None)), "a, b");
    }

    #[test]
    fn folders_are_searched_for_files_of_letters_and_files_are_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (deep, plain) = (folder.path().join("2026-11-20"), folder.path().join("any-name"));
        std::fs::create_dir(&deep).unwrap();
        for file in [deep.join("b.letters"), folder.path().join("a.letters"), plain.clone()] {
            std::fs::write(file, "").unwrap();
        }
        let named = |paths: &[&Path]| {
            let places: Vec<Place> = paths.iter().map(|path| Place::Named(path.to_path_buf())).collect();
            files(&places).unwrap().len()
        };
        assert_eq!(named(&[folder.path()]), 2);
        assert_eq!(named(&[folder.path(), &plain, &deep]), 3, "each once");
    }

    #[test]
    fn what_was_typed_must_be_there_and_journals_need_not() {
        let nowhere = PathBuf::from("/no/such/folder");
        assert!(files(&[Place::Journals(nowhere.clone())]).unwrap().is_empty());
        let error = files(&[Place::Named(nowhere)]).unwrap_err().to_string();
        assert!(error.contains("/no/such/folder"), "{error}");
    }
}
