//! The house's own rules, read from `cargo metadata` and from the source: which way the arrows point, what a crate
//! may touch, which dependency has one version. A failure names the rule and why it stands.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of it is test code, also what is not inside a #[test]"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Who may use whom, in the data's order (ARCHITECTURE.md, "The arrows"). Shells may use every crate.
const ARROWS: &[(&str, &[&str])] = &[
    ("limelight-chance", &[]),
    ("limelight-lambda-api", &[]),
    ("limelight-model", &[]),
    ("limelight-obfuscation", &["model"]),
    ("limelight-wire", &["model"]),
    ("limelight-pipeline", &["lambda-api", "model", "obfuscation", "wire"]),
    ("limelight-query", &["model"]),
    ("limelight-store", &["model", "query"]),
    ("limelight-api", &["model", "query"]),
];

/// What runs or ships. Only the composers use other shells: the command starts them all, the tests try them, the
/// benchmarks measure them.
const SHELLS: &[&str] = &["limelight-extension", "limelight-companion", "limelight-sandbox"];
const COMPOSERS: &[&str] = &[
    "limelight",
    "limelight-tests",
    "limelight-bench-figure",
    "limelight-bench-floor",
    "limelight-bench-extension",
    "limelight-bench-ingest",
    "limelight-bench-query",
];

/// Two versions of these do not fit together: their types meet in our signatures.
const ONE_VERSION: &[&str] = &[
    "arrow",
    "parquet",
    "datafusion",
    "deltalake-core",
    "object_store",
    "prost",
    "opentelemetry-proto",
    "hyper",
    "http",
    "axum",
    "tokio",
    "aws-sdk-kinesis",
    "rustls",
];

/// What a crate under `crates/` must not touch: the shells hand it in (time as an argument, bytes, settings).
const SHELLS_ONLY: &[(&str, &str)] = &[
    ("SystemTime::now", "time is an argument"),
    ("Instant::now", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("std::env::", "settings are arguments"),
    ("env::var", "settings are arguments"),
    ("std::fs", "files are the shells'"),
    ("tokio::fs", "files are the shells'"),
    ("std::net", "sockets are the shells'"),
    ("tokio::net", "sockets are the shells'"),
    ("std::process", "processes are the shells'"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".into()])
        .exec()
        .unwrap()
}

/// Of each member: the members that its shipped code uses (dev-dependencies left out).
fn arrows(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    metadata
        .workspace_packages()
        .iter()
        .map(|package| {
            let uses = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .filter(|name| members.contains(name))
                .collect();
            (package.name.to_string(), uses)
        })
        .collect()
}

#[test]
fn a_crate_uses_only_what_stands_behind_its_arrow() {
    let actual = arrows(&metadata());
    for (name, allowed) in ARROWS {
        let allowed: BTreeSet<String> = allowed.iter().map(|short| format!("limelight-{short}")).collect();
        let extra: Vec<_> = actual[*name].difference(&allowed).collect();
        assert!(extra.is_empty(), "{name} must not use {extra:?}: a new arrow is a decision, see docs/adr");
    }
}

#[test]
fn shells_do_not_use_shells() {
    let actual = arrows(&metadata());
    for shell in SHELLS {
        let others: Vec<_> = actual[*shell]
            .iter()
            .filter(|used| SHELLS.contains(&used.as_str()) || COMPOSERS.contains(&used.as_str()))
            .collect();
        assert!(others.is_empty(), "{shell} must not use {others:?}: only {COMPOSERS:?} compose programs");
    }
}

#[test]
fn every_member_is_in_the_tables_above() {
    let known: BTreeSet<&str> = ARROWS
        .iter()
        .map(|(name, _)| *name)
        .chain(SHELLS.iter().copied())
        .chain(COMPOSERS.iter().copied())
        .collect();
    for name in arrows(&metadata()).keys() {
        assert!(known.contains(name.as_str()), "{name} has no place in tests/tidy.rs: give it its arrows");
    }
}

#[test]
fn types_that_meet_in_our_signatures_have_one_version() {
    let metadata = metadata();
    for name in ONE_VERSION {
        let versions: BTreeSet<String> = metadata
            .packages
            .iter()
            .filter(|package| package.name.as_str() == *name)
            .map(|package| package.version.to_string())
            .collect();
        assert_eq!(versions.len(), 1, "{name} must have one version, Cargo.lock has {versions:?}");
    }
}

#[test]
fn crates_touch_no_clock_no_file_no_socket_and_no_environment() {
    for file in rust_files(&root().join("crates")) {
        // The store's object store and engine are its two doors to the outside (ARCHITECTURE.md).
        if file.components().any(|part| part.as_os_str() == "store" || part.as_os_str() == "tests") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in shipped.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for (touch, reason) in SHELLS_ONLY {
                assert!(
                    !line.contains(touch),
                    "{}:{}: `{touch}` does not belong into a crate: {reason}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn every_program_and_crate_says_what_it_is() {
    for package in metadata().workspace_packages() {
        if package.name == "limelight-tests" {
            continue;
        }
        let folder = package.manifest_path.parent().unwrap();
        let readme = folder.join("README.md");
        let lines =
            fs::read_to_string(&readme).unwrap_or_else(|_| panic!("{readme} is missing")).lines().count();
        assert!(lines >= 5, "{readme} is empty");
        assert!(
            package.description.as_ref().is_some_and(|text| text.len() > 20),
            "{} has no description",
            package.name
        );
    }
}

#[test]
fn every_top_level_folder_stands_in_the_readmes_tree() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let ours = entry.file_type().unwrap().is_dir() && !name.starts_with('.') && name != "target";
        assert!(
            !ours || readme.contains(&format!("`{name}/`")),
            "README.md's tree does not tell what `{name}/` is"
        );
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}
