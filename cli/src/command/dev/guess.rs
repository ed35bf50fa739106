//! How a function is started, from what its folder holds: its handler, and the program that runs it. What is missing
//! is told with the command that installs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::extension::is_executable;

/// What runs a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runtime {
    /// awslambdaric.
    Python,
    /// aws-lambda-ric.
    Node,
    /// The folder's own `bootstrap`.
    Custom,
}

/// Where runtime clients are, if the person says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Tools {
    pub(super) python: Option<PathBuf>,
    pub(super) node: Option<PathBuf>,
}

/// A function's program and its handler.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) command: Vec<String>,
    pub(super) handler: String,
}

const NODE_ENDINGS: [&str; 3] = ["mjs", "js", "cjs"];

/// Finds out how to start the function in `dir`.
///
/// # Errors
/// What is missing, in words.
pub(super) fn start(
    dir: &Path,
    runtime: Option<Runtime>,
    handler: Option<&str>,
    tools: &Tools,
) -> Result<Start, String> {
    let (runtime, handler) = match (runtime, handler) {
        (Some(runtime), Some(handler)) => (runtime, handler.to_owned()),
        (None, Some(handler)) => (runtime_of(dir, handler)?, handler.to_owned()),
        (runtime, None) => handler_of(dir, runtime)?,
    };
    let command = match runtime {
        Runtime::Custom => vec![text(&bootstrap(dir)?)],
        Runtime::Python => {
            module_exists(dir, &handler, &["py"])?;
            vec![text(&python(dir, tools)?), "-m".to_owned(), "awslambdaric".to_owned(), handler.clone()]
        }
        Runtime::Node => {
            module_exists(dir, &handler, &NODE_ENDINGS)?;
            vec!["node".to_owned(), text(&node_client(dir, tools)?), handler.clone()]
        }
    };
    Ok(Start { command, handler })
}

/// The runtime that a handler's file is for.
fn runtime_of(dir: &Path, handler: &str) -> Result<Runtime, String> {
    if module_exists(dir, handler, &["py"]).is_ok() {
        return Ok(Runtime::Python);
    }
    if module_exists(dir, handler, &NODE_ENDINGS).is_ok() {
        return Ok(Runtime::Node);
    }
    bootstrap(dir).map(|_| Runtime::Custom).map_err(|_| {
        format!("its handler {handler:?} is not there: neither a Python nor a JavaScript file of that name, nor bootstrap, in {}", dir.display())
    })
}

/// The handler that a folder's files suggest, in the order of how sure they make it.
fn handler_of(dir: &Path, runtime: Option<Runtime>) -> Result<(Runtime, String), String> {
    let python =
        ["lambda_function.py", "app.py", "main.py", "handler.py"].map(|file| (Runtime::Python, file));
    let node = ["index.mjs", "index.js", "index.cjs", "app.mjs", "app.js"].map(|file| (Runtime::Node, file));
    let known = [(Runtime::Custom, "bootstrap")].into_iter().chain(python).chain(node);
    let found = known
        .filter(|(kind, _)| runtime.is_none_or(|wanted| wanted == *kind))
        .find(|(_, file)| dir.join(file).is_file());
    let Some((kind, file)) = found else {
        return Err(format!(
            "no handler found in {}: none of bootstrap, lambda_function.py, app.py, main.py, handler.py, index.mjs, \
             index.js, app.mjs, app.js; name it (\"handler\": \"file.function\")",
            dir.display()
        ));
    };
    let module = file.split('.').next().unwrap_or(file);
    let handler = match kind {
        Runtime::Custom => "bootstrap".to_owned(),
        Runtime::Node => format!("{module}.handler"),
        Runtime::Python => {
            let source = std::fs::read_to_string(dir.join(file)).unwrap_or_default();
            let function = if source.contains("def lambda_handler") { "lambda_handler" } else { "handler" };
            format!("{module}.{function}")
        }
    };
    Ok((kind, handler))
}

/// `folder/file.function` and `package.module.function`, as the runtime clients read them.
fn module_exists(dir: &Path, handler: &str, endings: &[&str]) -> Result<(), String> {
    let Some((module, _)) = handler.rsplit_once('.') else {
        return Err(format!("its handler {handler:?} must be file.function"));
    };
    let plain = dir.join(module);
    let nested = dir.join(module.replace('.', "/"));
    let exists = endings.iter().any(|ending| {
        [&plain, &nested].iter().any(|path| {
            let mut file = path.as_os_str().to_owned();
            file.push(format!(".{ending}"));
            Path::new(&file).is_file() || path.join(format!("__init__.{ending}")).is_file()
        })
    });
    if exists {
        return Ok(());
    }
    Err(format!(
        "its handler {handler:?} is not there: no {module}.{} in {}",
        endings.join(" or ."),
        dir.display()
    ))
}

fn bootstrap(dir: &Path) -> Result<PathBuf, String> {
    let path = dir.join("bootstrap");
    if is_executable(&path) {
        Ok(path)
    } else {
        Err(format!("there is no executable bootstrap in {}", dir.display()))
    }
}

/// The interpreter that has the runtime client: the one given, a virtual environment in the folder or above, `python3`.
fn python(dir: &Path, tools: &Tools) -> Result<PathBuf, String> {
    let in_environment =
        || dir.ancestors().map(|above| above.join(".venv/bin/python")).find(|path| path.is_file());
    let python = tools.python.clone().or_else(in_environment).unwrap_or_else(|| PathBuf::from("python3"));
    let tried = Command::new(&python)
        .args(["-c", "import awslambdaric"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match tried {
        Ok(status) if status.success() => Ok(python),
        Ok(_) => Err(format!(
            "{} has no awslambdaric, which runs Python handlers: python3 -m venv .venv && .venv/bin/pip install \
             awslambdaric, or name another with --python",
            python.display()
        )),
        Err(error) => {
            Err(format!("{} cannot be run: {error}; name a Python with --python", python.display()))
        }
    }
}

/// The runtime client's program: below the folder given, else in the function's folder or above.
fn node_client(dir: &Path, tools: &Tools) -> Result<PathBuf, String> {
    const CLIENT: &str = "node_modules/aws-lambda-ric/bin/index.mjs";
    let found = match &tools.node {
        Some(folder) => Some(folder.join(CLIENT)).filter(|path| path.is_file()),
        None => dir.ancestors().map(|above| above.join(CLIENT)).find(|path| path.is_file()),
    };
    let absolute = found.and_then(|path| path.canonicalize().ok());
    absolute.ok_or_else(|| {
        format!(
            "there is no {CLIENT}, which runs JavaScript handlers, for {}: npm install aws-lambda-ric, or name the \
             folder that has it with --node",
            dir.display()
        )
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_says_what_its_handler_is() {
        let guessed = |files| handler_of(folder(files).path(), None);
        assert_eq!(
            guessed(&[("app.py", "def handler(e, c): ...")]),
            Ok((Runtime::Python, "app.handler".to_owned()))
        );
        assert_eq!(
            guessed(&[("lambda_function.py", "def lambda_handler(e, c): ...")]),
            Ok((Runtime::Python, "lambda_function.lambda_handler".to_owned()))
        );
        assert_eq!(guessed(&[("index.mjs", "")]), Ok((Runtime::Node, "index.handler".to_owned())));
        assert!(guessed(&[("readme.md", "")]).unwrap_err().contains("app.py"));
    }

    #[test]
    fn a_handler_says_what_its_runtime_is() {
        let folder = folder(&[("a.py", ""), ("src/b.mjs", ""), ("p/q.py", "")]);
        let runtime = |handler| runtime_of(folder.path(), handler);
        assert_eq!(runtime("a.main"), Ok(Runtime::Python));
        assert_eq!(runtime("p.q.main"), Ok(Runtime::Python));
        assert_eq!(runtime("src/b.main"), Ok(Runtime::Node));
        assert!(runtime("c.main").unwrap_err().contains("\"c.main\" is not there"));
    }

    #[test]
    fn a_bootstrap_is_its_own_runtime_if_it_can_be_run() {
        let folder = folder(&[("bootstrap", "#!/bin/sh\n")]);
        let tools = Tools::default();
        assert!(start(folder.path(), None, None, &tools).unwrap_err().contains("no executable bootstrap"));
        let path = folder.path().join("bootstrap");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(start(folder.path(), None, None, &tools).unwrap().command, [text(&path)]);
    }

    #[test]
    fn what_is_missing_is_told_with_its_remedy() {
        let folder = folder(&[("app.py", ""), ("index.mjs", "")]);
        let tools = Tools { python: Some("/nowhere/python".into()), node: Some("/nowhere".into()) };
        let python = start(folder.path(), Some(Runtime::Python), None, &tools).unwrap_err();
        assert!(python.contains("/nowhere/python") && python.contains("--python"), "{python}");
        let node = start(folder.path(), Some(Runtime::Node), None, &tools).unwrap_err();
        assert!(node.contains("npm install aws-lambda-ric"), "{node}");
        let gone = start(folder.path(), Some(Runtime::Python), Some("gone.handler"), &tools).unwrap_err();
        assert!(gone.contains("no gone.py"), "{gone}");
    }
}
