//! The functions: from the file and the flags to what the sandbox and the HTTP front take. All faults are told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use sandbox::http_front::Routes;
use sandbox::{FunctionConfig, LogFormat};
use serde::Deserialize;

use super::guess::{self, Runtime, Tools};
use crate::args::DevArgs;
use crate::exit::Refused;

/// The file that is read if nobody names one.
const FILE: &str = "limelight.dev.json";
/// AWS's bounds.
const MEMORY_MB: std::ops::RangeInclusive<u32> = 128..=10_240;
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=900;
const NAME_CHARS_MAX: usize = 64;
/// More processes than a development machine can hold; a larger number is a slip.
const CONCURRENCY: std::ops::RangeInclusive<usize> = 1..=1_000;

/// What to run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) functions: Vec<Planned>,
    pub(super) routes: Routes,
    pub(super) region: String,
}

/// One function, without what depends on this run (addresses, the extension's file).
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) config: FunctionConfig,
    pub(super) routes: Vec<String>,
    pub(super) with_extension: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ConfigFile {
    service: Option<String>,
    region: Option<String>,
    functions: Vec<Function>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Function {
    name: String,
    dir: Option<PathBuf>,
    runtime: Option<Runtime>,
    handler: Option<String>,
    command: Option<Vec<String>>,
    env: BTreeMap<String, String>,
    memory_mb: Option<u32>,
    timeout_seconds: Option<u64>,
    log_format: Option<Format>,
    concurrency: Option<usize>,
    freeze: Option<bool>,
    extension: Option<bool>,
    routes: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Text,
    Json,
}

/// Reads what was asked for.
///
/// # Errors
/// When the file cannot be read, or anything in it or the flags is wrong: all of it, one line each.
pub(super) fn plan(arguments: &DevArgs) -> anyhow::Result<Plan> {
    let (mut file, base) = read_file(arguments)?;
    let mut faults = Vec::new();
    for text in &arguments.functions {
        match of_flag(text) {
            Ok(function) => file.functions.push(function),
            Err(fault) => faults.push(fault),
        }
    }
    let region = file
        .region
        .clone()
        .or_else(|| std::env::var("AWS_REGION").ok())
        .unwrap_or_else(|| "us-east-1".to_owned());
    let tools = Tools { python: arguments.python.clone(), node: arguments.node.clone() };
    let mut plan = Plan { functions: Vec::new(), routes: Routes::new(), region };
    let mut names = BTreeSet::new();
    for function in file.functions {
        let name = function.name.clone();
        if !names.insert(name.clone()) {
            faults.push(format!("two functions are called {name:?}"));
        }
        match planned(function, &base, &plan.region, file.service.as_deref(), &tools) {
            Ok(function) => plan.functions.push(function),
            Err(found) => faults.extend(found.into_iter().map(|fault| format!("function {name:?}: {fault}"))),
        }
    }
    for function in &plan.functions {
        for key in &function.routes {
            match plan.routes.clone().route(key, &function.config.name) {
                Ok(routes) => plan.routes = routes,
                Err(error) => faults.push(format!("function {:?}: {error}", function.config.name)),
            }
        }
    }
    if faults.is_empty() { Ok(plan) } else { Err(Refused::usage(faults.join("\n       ")).into()) }
}

/// The file's functions, and the directory from which its paths count.
fn read_file(arguments: &DevArgs) -> anyhow::Result<(ConfigFile, PathBuf)> {
    let path = match &arguments.config {
        Some(path) => path.clone(),
        None if arguments.functions.is_empty() && Path::new(FILE).is_file() => PathBuf::from(FILE),
        None => return Ok((ConfigFile::default(), PathBuf::new())),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Refused::usage(format!("{} cannot be read: {error}", path.display())))?;
    let file = serde_json::from_str(&text)
        .map_err(|error| Refused::usage(format!("{}: {error}; see limelight dev --help", path.display())))?;
    let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((file, base.canonicalize().with_context(|| format!("{} is not there any more", base.display()))?))
}

/// `NAME=DIR[:HANDLER]`
fn of_flag(text: &str) -> Result<Function, String> {
    let wrong = || format!("--function {text:?} must be NAME=DIR or NAME=DIR:HANDLER");
    let (name, place) = text.split_once('=').ok_or_else(wrong)?;
    let (dir, handler) = match place.rsplit_once(':') {
        Some((dir, handler)) if !handler.contains('/') || handler.contains('.') => {
            (dir, Some(handler.to_owned()))
        }
        _ => (place, None),
    };
    if name.is_empty() || dir.is_empty() || handler.as_deref() == Some("") {
        return Err(wrong());
    }
    Ok(Function { name: name.to_owned(), dir: Some(dir.into()), handler, ..Function::default() })
}

fn planned(
    function: Function,
    base: &Path,
    region: &str,
    service: Option<&str>,
    tools: &Tools,
) -> Result<Planned, Vec<String>> {
    let mut faults = out_of_bounds(&function);
    let dir = base.join(function.dir.clone().unwrap_or_default());
    let dir =
        dir.canonicalize().map_err(|error| format!("its folder {} cannot be used: {error}", dir.display()));
    let started = match (dir, function.command.clone()) {
        (Err(fault), _) => Err(fault),
        (Ok(_), Some(command)) if command.is_empty() => Err("its command is empty".to_owned()),
        (Ok(dir), Some(command)) => {
            Ok((dir, command, function.handler.clone().unwrap_or_else(|| "app.handler".to_owned())))
        }
        (Ok(dir), None) => guess::start(&dir, function.runtime, function.handler.as_deref(), tools)
            .map(|start| (dir, start.command, start.handler)),
    };
    let (dir, command, handler) = match started {
        Ok(started) if faults.is_empty() => started,
        Ok(_) => return Err(faults),
        Err(fault) => {
            faults.push(fault);
            return Err(faults);
        }
    };
    let default_routes =
        || vec![format!("ANY /{}", function.name), format!("ANY /{}/{{proxy+}}", function.name)];
    let mut config = FunctionConfig::new(function.name.clone(), command).handler(handler).working_dir(dir);
    config.env = function.env;
    if let Some(service) = service {
        config.env.entry("LIMELIGHT_SERVICE".to_owned()).or_insert_with(|| service.to_owned());
    }
    config.region = region.to_owned();
    config.memory_mb = function.memory_mb.unwrap_or(config.memory_mb);
    config.timeout = function.timeout_seconds.map_or(config.timeout, Duration::from_secs);
    config.concurrency_max = function.concurrency.unwrap_or(config.concurrency_max);
    config.freeze = function.freeze.unwrap_or(config.freeze);
    config.log_format = match function.log_format {
        Some(Format::Json) => LogFormat::Json,
        Some(Format::Text) | None => LogFormat::Text,
    };
    Ok(Planned {
        config,
        routes: function.routes.unwrap_or_else(default_routes),
        with_extension: function.extension.unwrap_or(true),
    })
}

fn out_of_bounds(function: &Function) -> Vec<String> {
    let mut faults = Vec::new();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if function.name.is_empty() || function.name.len() > NAME_CHARS_MAX || !function.name.chars().all(letters)
    {
        faults.push("its name must have 1 to 64 of a-z A-Z 0-9 - _".to_owned());
    }
    if function.memory_mb.is_some_and(|memory| !MEMORY_MB.contains(&memory)) {
        faults.push(format!("memoryMb must be from {} to {}", MEMORY_MB.start(), MEMORY_MB.end()));
    }
    if function.timeout_seconds.is_some_and(|timeout| !TIMEOUT_SECONDS.contains(&timeout)) {
        faults.push(format!(
            "timeoutSeconds must be from {} to {}",
            TIMEOUT_SECONDS.start(),
            TIMEOUT_SECONDS.end()
        ));
    }
    if function.concurrency.is_some_and(|sandboxes| !CONCURRENCY.contains(&sandboxes)) {
        faults.push(format!("concurrency must be from {} to {}", CONCURRENCY.start(), CONCURRENCY.end()));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use tempfile::TempDir;

    fn plan_of(folder: &TempDir, file: &str, flags: &[&str]) -> anyhow::Result<Plan> {
        let path = folder.path().join("functions.json");
        std::fs::write(&path, file).unwrap();
        let words =
            ["limelight", "dev", "-c", path.to_str().unwrap()].into_iter().chain(flags.iter().copied());
        match crate::args::Arguments::try_parse_from(words).unwrap().command {
            crate::args::Command::Dev(arguments) => plan(&arguments),
            other => panic!("{other:?}"),
        }
    }

    fn folder() -> TempDir {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("orders")).unwrap();
        folder
    }

    #[test]
    fn a_function_is_read_whole() {
        let folder = folder();
        let file = r#"{"service": "shop", "region": "eu-west-1", "functions": [{
            "name": "orders", "dir": "orders", "command": ["/bin/cat"], "handler": "x.y", "env": {"A": "b"},
            "memoryMb": 512, "timeoutSeconds": 9, "logFormat": "json", "concurrency": 2, "freeze": false,
            "extension": false, "routes": ["GET /orders/{id}"]}]}"#;
        let plan = plan_of(&folder, file, &[]).unwrap();
        let orders = &plan.functions[0];
        assert_eq!(orders.config.env["LIMELIGHT_SERVICE"], "shop");
        assert_eq!(
            (orders.config.memory_mb, orders.config.timeout.as_secs(), orders.config.concurrency_max),
            (512, 9, 2)
        );
        assert_eq!((orders.config.region.as_str(), orders.config.handler.as_str()), ("eu-west-1", "x.y"));
        assert!(
            !orders.config.freeze && !orders.with_extension && orders.config.working_dir.ends_with("orders")
        );
        assert_eq!(plan.routes.keys().collect::<Vec<_>>(), ["GET /orders/{id}"]);
    }

    #[test]
    fn no_function_at_all_is_a_plan_too() {
        assert!(plan_of(&folder(), r#"{"functions": []}"#, &[]).unwrap().functions.is_empty());
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let file = r#"{"functions": [
            {"name": "a b", "command": ["/bin/cat"], "memoryMb": 64},
            {"name": "gone", "dir": "nowhere"},
            {"name": "twice", "command": ["/bin/cat"], "routes": ["GET orders"]},
            {"name": "twice", "command": []}]}"#;
        let error = plan_of(&folder(), file, &["--function", "nonsense"]).unwrap_err().to_string();
        for fault in [
            "\"a b\": its name",
            "memoryMb must",
            "nowhere",
            "GET orders",
            "two functions",
            "command is empty",
            "nonsense",
        ] {
            assert!(error.contains(fault), "{fault} is not in: {error}");
        }
    }

    #[test]
    fn a_key_that_does_not_exist_is_named_with_its_line() {
        let error =
            plan_of(&folder(), "{\n\"functions\": [{\"name\": \"a\", \"memory\": 1}]}", &[]).unwrap_err();
        assert!(error.to_string().contains("`memory`") && error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn flags_name_a_folder_and_a_handler() {
        let read =
            |text| of_flag(text).map(|function| (function.name, function.dir.unwrap(), function.handler));
        assert_eq!(read("a=./x"), Ok(("a".to_owned(), "./x".into(), None)));
        assert_eq!(read("a=x:app.main"), Ok(("a".to_owned(), "x".into(), Some("app.main".to_owned()))));
        assert_eq!(
            read("a=x:src/app.main"),
            Ok(("a".to_owned(), "x".into(), Some("src/app.main".to_owned())))
        );
        for wrong in ["a", "=x", "a=", "a=x:"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
