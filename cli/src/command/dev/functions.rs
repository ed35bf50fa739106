//! The functions: from the file and the flags to what the sandbox and the HTTP front take. All faults are told at once.

mod key;
mod object;
mod settings;
mod mode;
mod fault;
mod file;
mod flag;
mod manual;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sandbox::FunctionConfig;
use sandbox::http_front::Routes;

use self::file::{File, Function};
use super::extension::is_executable;
use super::guess::{self, Tools};
use crate::args::DevArgs;
use crate::exit::Refused;

/// The file that is read if nobody names one.
const FILE: &str = "limelight.dev.json";
/// Where neither the file nor the environment names a region or an account.
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

/// What to run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) functions: Vec<Planned>,
    pub(super) routes: Routes,
    pub(super) region: String,
    pub(super) account: String,
}

/// One function, without what depends on this run (addresses, the extension's file).
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) config: FunctionConfig,
    pub(super) routes: Vec<String>,
    pub(super) with_extension: bool,
    pub(super) with_faked_clock: bool,
}

/// All keys of the file, for the help.
pub fn help() -> String {
    manual::help()
}

/// Reads what was asked for.
///
/// # Errors
/// When the file cannot be read, or anything in it or the flags is wrong: all of it, one line each.
pub(super) fn plan(arguments: &DevArgs) -> anyhow::Result<Plan> {
    let (mut file, base) = read_file(arguments)?;
    let mut faults = std::mem::take(&mut file.faults);
    for text in &arguments.functions {
        match flag::read(text) {
            Ok(function) => file.functions.push(function),
            Err(fault) => faults.push(fault),
        }
    }
    let of_environment = || std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty());
    let mut plan = Plan {
        functions: Vec::new(),
        routes: Routes::new(),
        region: file.region.or_else(of_environment).unwrap_or_else(|| REGION.to_owned()),
        account: file.account.unwrap_or_else(|| ACCOUNT.to_owned()),
    };
    let tools = Tools { python: arguments.python.clone(), node: arguments.node.clone() };
    let mut names = BTreeSet::new();
    for function in file.functions {
        let place = function.place.clone();
        let twice = !function.config.name.is_empty() && !names.insert(function.config.name.clone());
        let function = at_home(function, &plan, file.service.as_deref());
        let (function, mut found) = planned(function, &base, &tools);
        if twice {
            found.push("another function has this name; give it one of its own".to_owned());
        }
        found.extend(plan.add(function));
        faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
    }
    if faults.is_empty() { Ok(plan) } else { Err(Refused::usage(faults.join("\n       ")).into()) }
}

impl Plan {
    /// Adds a function with its routes; the faults are routes that are none, or another's.
    fn add(&mut self, function: Planned) -> Vec<String> {
        let mut faults = Vec::new();
        for key in &function.routes {
            match self.routes.clone().route(key, &function.config.name) {
                Ok(routes) => self.routes = routes,
                Err(error) => faults.push(error.to_string()),
            }
        }
        self.functions.push(function);
        faults
    }
}

/// What all functions of a file share.
fn at_home(mut function: Function, plan: &Plan, service: Option<&str>) -> Function {
    function.config.region.clone_from(&plan.region);
    function.config.account.clone_from(&plan.account);
    if let Some(service) = service {
        let variables = &mut function.config.env;
        variables.entry("LIMELIGHT_SERVICE".to_owned()).or_insert_with(|| service.to_owned());
    }
    function
}

/// The file, and the directory from which its paths count.
fn read_file(arguments: &DevArgs) -> anyhow::Result<(File, PathBuf)> {
    let path = match &arguments.config {
        Some(path) => path.clone(),
        None if arguments.functions.is_empty() && Path::new(FILE).is_file() => PathBuf::from(FILE),
        None => return Ok((File::default(), PathBuf::new())),
    };
    let file = file::read(&path)?;
    let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((file, base.canonicalize().with_context(|| format!("{} is not there any more", base.display()))?))
}

/// Finds the function's folder, program and other extensions; a function with faults is never run.
fn planned(function: Function, base: &Path, tools: &Tools) -> (Planned, Vec<String>) {
    let mut faults = function.faults;
    let mut config = function.config;
    let dir = base.join(&function.dir);
    match dir.canonicalize() {
        Err(error) => faults.push(format!("its folder {} cannot be used: {error}", dir.display())),
        Ok(dir) => {
            match function.command {
                Some(command) => {
                    config.command = command;
                    config.handler = function.handler.unwrap_or(config.handler);
                }
                None => match guess::start(&dir, function.runtime, function.handler.as_deref(), tools) {
                    Ok(start) => (config.command, config.handler) = (start.command, start.handler),
                    Err(fault) => faults.push(fault),
                },
            }
            config.working_dir = dir;
        }
    }
    for other in function.other_extensions {
        let path = base.join(&other);
        if !is_executable(&path) {
            faults.push(format!("its extension {} is not there, or may not be executed", path.display()));
        }
        config.extensions.push(path);
    }
    let routes = function.routes.unwrap_or_else(|| default_routes(&config.name));
    let (with_extension, with_faked_clock) = (function.with_extension, function.with_faked_clock);
    (Planned { config, routes, with_extension, with_faked_clock }, faults)
}

/// None for a function whose name is a fault already.
fn default_routes(name: &str) -> Vec<String> {
    if name.is_empty() { Vec::new() } else { vec![format!("ANY /{name}"), format!("ANY /{name}/{{proxy+}}")] }
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
    fn a_function_is_planned_whole() {
        let folder = folder();
        let file = r#"{"service": "shop", "region": "eu-west-1", "account": "123456789012", "functions": [{
            "name": "orders", "dir": "orders", "command": ["/bin/cat"], "handler": "x.y", "env": {"A": "b"},
            "extension": false, "otherExtensions": ["/bin/sh"], "routes": ["GET /orders/{id}"]}]}"#;
        let plan = plan_of(&folder, file, &[]).unwrap();
        let orders = &plan.functions[0];
        assert_eq!(orders.config.env["LIMELIGHT_SERVICE"], "shop");
        assert_eq!(orders.config.command, ["/bin/cat"]);
        assert_eq!(orders.config.arn(), "arn:aws:lambda:eu-west-1:123456789012:function:orders");
        assert!(orders.config.handler == "x.y" && orders.config.working_dir.ends_with("orders"));
        assert!(!orders.with_extension && orders.config.extensions == [Path::new("/bin/sh")]);
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
            {"name": "gone", "dir": "nowhere", "snapStart": 1},
            {"name": "twice", "command": ["/bin/cat"], "routes": ["GET orders"]},
            {"name": "twice", "command": [], "otherExtensions": ["no-such"]}]}"#;
        let error = plan_of(&folder(), file, &["--function", "nonsense"]).unwrap_err().to_string();
        for fault in [
            "functions.json: functions[0] \"a b\": name",
            "memoryMb is 64",
            "nowhere",
            "snapStart is 1",
            "GET orders",
            "functions[3] \"twice\": another function has this name",
            "command is empty",
            "no-such",
            "nonsense",
        ] {
            assert!(error.contains(fault), "{fault} is not in: {error}");
        }
    }
}
