//! The environment variables that AWS gives a runtime, and those that it gives an extension.
//!
//! Source: "Using Lambda environment variables" (reserved variables) and, for what extensions do not get, "Using the
//! Lambda Extensions API" in the AWS Lambda Developer Guide.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use crate::apis::credentials_api;
use crate::environment::WallClock;
use crate::function::FunctionConfig;
use crate::initialization::Initialization;

/// Names to values, as a process takes them.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// What comes from this process: where programs, libraries and roots of trust are found.
const PASSED_ON: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE"];

/// Credentials where there are none: SDKs refuse to call even a loopback endpoint without.
const NO_CREDENTIALS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")];

/// Who signs requests, where keys stand in variables.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// What a process must know of the environment that it is in.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    /// Where all APIs are.
    pub(crate) api: SocketAddr,
    /// The log stream's name.
    pub(crate) stream: &'a str,
    pub(crate) initialization: Initialization,
    /// What the credentials endpoint asks for.
    pub(crate) authorization: &'a str,
    pub(crate) clock: &'a WallClock,
}

/// For a runtime.
pub(crate) fn of_runtime(function: &FunctionConfig, dir: &Path, place: &Surroundings<'_>) -> Variables {
    let mut variables = common(function, place);
    let mut set = |name: &str, value: &str| variables.insert(name.into(), value.into());
    set("_HANDLER", &function.handler);
    // A snapshot is restored into many environments, each with a stream of its own.
    if place.initialization != Initialization::SnapStart {
        set("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group());
        set("AWS_LAMBDA_LOG_STREAM_NAME", place.stream);
    }
    set("LAMBDA_RUNTIME_DIR", "/var/runtime");
    if let Some(identifier) = function.runtime_version.as_deref().and_then(identifier) {
        set("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{identifier}"));
    }
    variables.insert("LAMBDA_TASK_ROOT".into(), dir.into());
    variables
}

/// For an extension: no handler, no log group, no task root.
pub(crate) fn of_extension(function: &FunctionConfig, place: &Surroundings<'_>) -> Variables {
    let mut variables = common(function, place);
    variables.retain(|name, _| !name.to_string_lossy().starts_with('_'));
    variables
}

fn common(function: &FunctionConfig, place: &Surroundings<'_>) -> Variables {
    let mut variables = Variables::new();
    let mut own = |name: &str| {
        if let Some(value) = std::env::var_os(name) {
            variables.insert(name.into(), value);
        }
    };
    PASSED_ON.into_iter().for_each(&mut own);
    if place.initialization.renews_credentials() {
        let uri = format!("http://{}{}", place.api, credentials_api::PATH);
        variables.insert("AWS_CONTAINER_CREDENTIALS_FULL_URI".into(), uri.into());
        variables.insert("AWS_CONTAINER_AUTHORIZATION_TOKEN".into(), place.authorization.into());
    } else {
        KEYS.into_iter().for_each(&mut own);
        for (name, value) in NO_CREDENTIALS {
            variables.entry(name.into()).or_insert_with(|| value.into());
        }
    }
    variables.insert("LANG".into(), "en_US.UTF-8".into());
    variables.insert("TZ".into(), ":UTC".into());
    for (name, value) in &function.env {
        variables.insert(name.into(), value.into());
    }
    reserve(&mut variables, function, place);
    variables
}

/// The names that a function's own variables cannot have.
fn reserve(variables: &mut Variables, function: &FunctionConfig, place: &Surroundings<'_>) {
    let mut set = |name: &str, value: String| variables.insert(name.into(), value.into());
    set("AWS_REGION", function.region.clone());
    set("AWS_DEFAULT_REGION", function.region.clone());
    set("AWS_LAMBDA_FUNCTION_NAME", function.name.clone());
    set("AWS_LAMBDA_FUNCTION_VERSION", function.version.clone());
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string());
    set("AWS_LAMBDA_INITIALIZATION_TYPE", place.initialization.as_str().to_owned());
    set("AWS_LAMBDA_LOG_FORMAT", function.log_format.as_str().to_owned());
    set(lambda_api::RUNTIME_API_VARIABLE, place.api.to_string());
    if place.initialization.is_managed() {
        set("AWS_LAMBDA_MAX_CONCURRENCY", place.initialization.slots().to_string());
    }
    for (name, value) in place.clock.variables() {
        variables.insert(name.into(), value);
    }
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

    fn given(
        initialization: Initialization,
        of: impl FnOnce(&FunctionConfig, &Surroundings<'_>) -> Variables,
    ) -> Variables {
        let clock = WallClock::new(None, "none").unwrap();
        let api = "127.0.0.1:9001".parse().unwrap();
        let place =
            Surroundings { api, stream: "stream", initialization, authorization: "secret", clock: &clock };
        of(&function(), &place)
    }

    fn to_a_runtime(function: &FunctionConfig, place: &Surroundings<'_>) -> Variables {
        of_runtime(function, Path::new("/task"), place)
    }

    #[test]
    fn a_runtime_gets_its_handler_and_reserved_names_win() {
        let variables = given(Initialization::OnDemand, to_a_runtime);
        assert_eq!(text(&variables, "_HANDLER"), Some("app.handler"));
        assert_eq!(text(&variables, "AWS_REGION"), Some("us-east-1"));
        assert_eq!(text(&variables, "AWS_EXECUTION_ENV"), Some("AWS_Lambda_python3.11"));
        assert_eq!(text(&variables, "AWS_LAMBDA_RUNTIME_API"), Some("127.0.0.1:9001"));
        assert_eq!(text(&variables, "AWS_LAMBDA_INITIALIZATION_TYPE"), Some("on-demand"));
        assert_eq!(text(&variables, "LAMBDA_TASK_ROOT"), Some("/task"));
        assert!(text(&variables, "AWS_ACCESS_KEY_ID").is_some());
    }

    #[test]
    fn an_extension_gets_the_functions_variables_but_not_the_runtimes() {
        let variables = given(Initialization::OnDemand, of_extension);
        assert_eq!(text(&variables, "STAGE"), Some("test"));
        for name in ["_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_EXECUTION_ENV"] {
            assert_eq!(text(&variables, name), None);
        }
    }

    #[test]
    fn a_snapshot_has_neither_keys_nor_a_log_stream_in_it() {
        let variables = given(Initialization::SnapStart, to_a_runtime);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_LAMBDA_LOG_STREAM_NAME"] {
            assert_eq!(text(&variables, name), None);
        }
        let uri = "http://127.0.0.1:9001/2021-04-23/credentials";
        assert_eq!(text(&variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI"), Some(uri));
        assert_eq!(text(&variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN"), Some("secret"));
    }

    #[test]
    fn a_managed_instance_knows_how_many_workers_it_needs() {
        let managed = Initialization::ManagedInstances { environments: 1, concurrency: 16 };
        let variables = given(managed, of_extension);
        assert_eq!(text(&variables, "AWS_LAMBDA_MAX_CONCURRENCY"), Some("16"));
        assert_eq!(text(&variables, "AWS_LAMBDA_INITIALIZATION_TYPE"), Some("lambda-managed-instances"));
    }
}
