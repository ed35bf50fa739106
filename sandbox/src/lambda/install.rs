//! Settings → functions that can run here. What is missing is told before the first invocation, and all at once.

use std::path::Path;

use crate::environment::Installed;
use crate::function::FunctionConfig;
use crate::process;

/// Why the environment cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A function's settings contradict themselves or the machine.
    #[error("function {function:?}: {why}")]
    Function {
        /// The function's name.
        function: String,
        /// What is wrong with it.
        why: String,
    },
    /// Several functions are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<SandboxError>),
}

pub(super) fn check(functions: Vec<FunctionConfig>) -> Result<Vec<Installed>, SandboxError> {
    let mut installed: Vec<Installed> = Vec::new();
    let mut faults = Vec::new();
    for function in functions {
        let name = function.name.clone();
        let twice = installed.iter().any(|other| other.config.name == name);
        let checked =
            if twice { Err("another function has this name".to_owned()) } else { install(function) };
        match checked {
            Ok(function) => installed.push(function),
            Err(why) => faults.push(SandboxError::Function { function: name, why }),
        }
    }
    match faults.len() {
        0 => Ok(installed),
        1 => Err(faults.remove(0)),
        _ => Err(SandboxError::Several(faults)),
    }
}

fn install(config: FunctionConfig) -> Result<Installed, String> {
    if config.name.is_empty() {
        return Err("its name is empty".to_owned());
    }
    if config.concurrency_max == 0 {
        return Err("it may have no environment at all: concurrency_max is 0".to_owned());
    }
    if let Some(fault) = config.initialization.fault() {
        return Err(fault.to_owned());
    }
    let working_dir = std::path::absolute(&config.working_dir).map_err(|error| error.to_string())?;
    if !working_dir.is_dir() {
        return Err(format!("its directory {} is not there", working_dir.display()));
    }
    let program = config.command.first().ok_or("its command is empty")?;
    let executable = process::find(Path::new(program), &working_dir)
        .ok_or_else(|| format!("its program {program:?} is not there, or may not be executed"))?;
    let extensions = config.extensions.iter().map(|path| extension(path)).collect::<Result<_, _>>()?;
    Ok(Installed { config, executable, working_dir, extensions })
}

fn extension(path: &Path) -> Result<(String, std::path::PathBuf), String> {
    let shown = path.display();
    if !process::is_executable(path) {
        return Err(format!("its extension {shown} is not there, or may not be executed"));
    }
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or(format!("the extension {shown} has no name"))?;
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, program: &str) -> FunctionConfig {
        FunctionConfig::new(name, vec![program.to_owned()])
    }

    #[test]
    fn everything_that_is_not_there_is_named() {
        let missing = check(vec![
            function("a", "no-such-program"),
            function("b", "sh").working_dir("/no/such/dir"),
            function("c", "sh").extension("/no/such/extension"),
        ]);
        let text = missing.unwrap_err().to_string();
        for part in ["no-such-program", "/no/such/dir", "/no/such/extension"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_name_can_be_had_once() {
        let twice = check(vec![function("a", "sh"), function("a", "sh")]).unwrap_err();
        assert!(twice.to_string().contains("another function has this name"));
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        let found = check(vec![function("a", "sh")]).unwrap();
        assert!(found[0].executable.is_absolute());
    }
}
