//! The environment variables that AWS gives a runtime, and those that it gives an extension.
//!
//! Source: "Using Lambda environment variables" (reserved variables) and, for what extensions do not get, "Using the
//! Lambda Extensions API" in the AWS Lambda Developer Guide.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use crate::function::FunctionConfig;

/// Names to values, as a process takes them.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// What comes from this process: where programs and libraries are found, and who signs requests.
const PASSED_ON: [&str; 6] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "SSL_CERT_FILE",
];

/// Credentials where there are none: SDKs refuse to call even a loopback endpoint without.
const NO_CREDENTIALS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")];

/// For a runtime.
pub(crate) fn of_runtime(function: &FunctionConfig, dir: &Path, api: SocketAddr, stream: &str) -> Variables {
    let mut variables = common(function, api);
    let mut set = |name: &str, value: &str| variables.insert(name.into(), value.into());
    set("_HANDLER", &function.handler);
    set("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group());
    set("AWS_LAMBDA_LOG_STREAM_NAME", stream);
    set("LAMBDA_RUNTIME_DIR", "/var/runtime");
    if let Some(identifier) = function.runtime_version.as_deref().and_then(identifier) {
        set("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{identifier}"));
    }
    variables.insert("LAMBDA_TASK_ROOT".into(), dir.into());
    variables
}

/// For an extension: no handler, no log group, no task root.
pub(crate) fn of_extension(function: &FunctionConfig, api: SocketAddr) -> Variables {
    let mut variables = common(function, api);
    variables.retain(|name, _| !name.to_string_lossy().starts_with('_'));
    variables
}

fn common(function: &FunctionConfig, api: SocketAddr) -> Variables {
    let mut variables = Variables::new();
    for (name, value) in NO_CREDENTIALS {
        variables.insert(name.into(), value.into());
    }
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            variables.insert(name.into(), value);
        }
    }
    variables.insert("LANG".into(), "en_US.UTF-8".into());
    variables.insert("TZ".into(), ":UTC".into());
    for (name, value) in &function.env {
        variables.insert(name.into(), value.into());
    }
    let memory = function.memory_mb.to_string();
    let api = api.to_string();
    let reserved = [
        ("AWS_REGION", function.region.as_str()),
        ("AWS_DEFAULT_REGION", &function.region),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &function.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", function.log_format.as_str()),
        (lambda_api::RUNTIME_API_VARIABLE, &api),
    ];
    for (name, value) in reserved {
        variables.insert(name.into(), value.into());
    }
    variables
}

/// `python:3.11.v42` → `python3.11`
fn identifier(version: &str) -> Option<String> {
    let (language, rest) = version.split_once(':')?;
    Some(format!("{language}{}", rest.split(".v").next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> FunctionConfig {
        let mut function = FunctionConfig::new("checkout", vec!["python3".to_owned()])
            .handler("app.handler")
            .env("STAGE", "test")
            .env("AWS_REGION", "mars-1");
        function.runtime_version = Some("python:3.11.v42".to_owned());
        function
    }

    fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
        variables.get(std::ffi::OsStr::new(name))?.to_str()
    }

    #[test]
    fn a_runtime_gets_its_handler_and_reserved_names_win() {
        let api = "127.0.0.1:9001".parse().unwrap();
        let variables = of_runtime(&function(), Path::new("/task"), api, "stream");
        assert_eq!(text(&variables, "_HANDLER"), Some("app.handler"));
        assert_eq!(text(&variables, "AWS_REGION"), Some("us-east-1"));
        assert_eq!(text(&variables, "AWS_EXECUTION_ENV"), Some("AWS_Lambda_python3.11"));
        assert_eq!(text(&variables, "AWS_LAMBDA_RUNTIME_API"), Some("127.0.0.1:9001"));
        assert_eq!(text(&variables, "LAMBDA_TASK_ROOT"), Some("/task"));
    }

    #[test]
    fn an_extension_gets_the_functions_variables_but_not_the_runtimes() {
        let variables = of_extension(&function(), "127.0.0.1:9001".parse().unwrap());
        assert_eq!(text(&variables, "STAGE"), Some("test"));
        for name in ["_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_EXECUTION_ENV"] {
            assert_eq!(text(&variables, name), None);
        }
    }
}
