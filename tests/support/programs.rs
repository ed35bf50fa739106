//! Where the built programs and the installed parts are. `tests/run` says so in the environment.

use std::path::PathBuf;
use std::{env, fs};

/// A program of ours from the dev profile: `limelight`, `bootstrap`, or an example as `examples/<name>`.
pub fn program(name: &str) -> PathBuf {
    let folder = env::var_os("LIMELIGHT_PROGRAMS").map_or_else(target_debug, PathBuf::from);
    existing(folder.join(name), "cargo build --workspace --bins --examples")
}

/// The extension as the layer ships it.
pub fn extension() -> PathBuf {
    let path = env::var_os("LIMELIGHT_EXTENSION")
        .map_or_else(|| root().join("layer/dist/limelight-extension"), PathBuf::from);
    existing(path, "make layer")
}

/// A folder that `.ci/provide` filled, by the variable in which `tests/run` hands it over.
pub fn part(variable: &str) -> PathBuf {
    let folder = env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run the tests by `make test`"));
    existing(PathBuf::from(folder), "make test")
}

/// The checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// `target/debug`, seen from the running test in `target/debug/deps`.
fn target_debug() -> PathBuf {
    env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_path_buf()
}

fn existing(path: PathBuf, how: &str) -> PathBuf {
    assert!(fs::exists(&path).unwrap(), "{} is missing; make it with `{how}`", path.display());
    path
}
