//! A function's settings → the sandbox's [`FunctionConfig`], whose own defaults hold for what is not there.

use std::time::Duration;

use sandbox::{FunctionConfig, LogFormat, WhenFull};

use super::key;
use super::mode;
use super::object::Object;

/// How long an invocation waits where environments are all busy; the machine is the limit then, not the function.
const WAIT_WHEN_FULL: Duration = Duration::from_secs(30);

/// Reads what the sandbox is told, but what the function is (its folder, program and handler).
pub(super) fn read(object: &mut Object, config: &mut FunctionConfig) {
    config.env = object.texts_by_name(&key::ENV);
    limits(object, config);
    logs(object, config);
    mode::read(object, config);
    set(&mut config.credentials_lifetime, object.whole(&key::CREDENTIALS_SECONDS).map(Duration::from_secs));
    set(&mut config.durable, object.flag(&key::DURABLE));
    set(&mut config.streaming, object.flag(&key::STREAMING));
    set(&mut config.version, object.text(&key::VERSION));
    config.runtime_version = object.text(&key::RUNTIME_VERSION);
}

fn limits(object: &mut Object, config: &mut FunctionConfig) {
    set(&mut config.memory_mb, object.whole(&key::MEMORY_MB));
    set(&mut config.timeout, object.whole(&key::TIMEOUT_SECONDS).map(Duration::from_secs));
    set(&mut config.init_timeout, object.whole(&key::INIT_TIMEOUT_SECONDS).map(Duration::from_secs));
    set(&mut config.idle_timeout, object.whole(&key::IDLE_SECONDS).map(Duration::from_secs));
    set(
        &mut config.when_full,
        object.word(&key::WHEN_FULL, &[WhenFull::Wait(WAIT_WHEN_FULL), WhenFull::Throttle]),
    );
}

fn logs(object: &mut Object, config: &mut FunctionConfig) {
    set(&mut config.log_format, object.word(&key::LOG_FORMAT, &[LogFormat::Text, LogFormat::Json]));
    set(&mut config.log_pipe, object.flag(&key::LOG_PIPE));
    set(&mut config.telemetry_backlog, object.whole(&key::TELEMETRY_BACKLOG));
    let Some(wanted) = object.texts(&key::TELEMETRY_SCHEMAS) else { return };
    let known = config.telemetry_schemas.clone();
    let unknown = |text: &&String| !known.iter().any(|schema| schema.as_str() == **text);
    match wanted.iter().find(unknown) {
        Some(text) => object
            .fault(format!("telemetrySchemas has {text:?}; it must be {}", key::TELEMETRY_SCHEMAS.values)),
        None if wanted.is_empty() => object.fault("telemetrySchemas is empty; leave it out to have all"),
        None => config.telemetry_schemas.retain(|schema| wanted.iter().any(|text| text == schema.as_str())),
    }
}

/// Keeps the default where there is nothing.
pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox::Initialization;
    use serde_json::{Value, json};

    fn config(value: Value) -> (FunctionConfig, Vec<String>) {
        let mut object = Object::new(value, key::FUNCTION);
        let mut config = FunctionConfig::new("f", Vec::new());
        read(&mut object, &mut config);
        (config, object.finish())
    }

    #[test]
    fn every_setting_arrives() {
        let (config, faults) = config(json!({
            "env": {"A": "b"}, "memoryMb": 512, "timeoutSeconds": 9, "initTimeoutSeconds": 20, "concurrency": 2,
            "whenFull": "throttle", "freeze": false, "idleSeconds": 7, "logFormat": "json", "logPipe": false,
            "streaming": false, "credentialsSeconds": 60, "durable": true, "tenantIsolation": true, "version": "3",
            "runtimeVersion": "python:3.13.v1", "telemetrySchemas": ["2022-12-13"], "telemetryBacklog": 0,
        }));
        assert_eq!(faults, Vec::<String>::new());
        let seconds = [config.timeout, config.init_timeout, config.idle_timeout, config.credentials_lifetime];
        assert_eq!(seconds.map(|time| time.as_secs()), [9, 20, 7, 60]);
        assert_eq!((config.memory_mb, config.concurrency_max, config.telemetry_backlog), (512, 2, 0));
        assert_eq!((config.when_full, config.log_format), (WhenFull::Throttle, LogFormat::Json));
        let flags =
            [config.freeze, config.log_pipe, config.streaming, config.durable, config.tenant_isolation];
        assert_eq!(flags, [false, false, false, true, true]);
        assert_eq!(
            (config.version.as_str(), config.runtime_version.as_deref()),
            ("3", Some("python:3.13.v1"))
        );
        let schemas: Vec<&str> = config.telemetry_schemas.iter().map(|schema| schema.as_str()).collect();
        assert_eq!((schemas, config.env["A"].as_str()), (vec!["2022-12-13"], "b"));
    }

    /// The documentation's defaults are the sandbox's.
    #[test]
    fn without_settings_the_defaults_hold_that_are_documented() {
        let (config, faults) = config(json!({}));
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(config.initialization, Initialization::OnDemand);
        let said = |key: &key::Key| key.default.to_owned();
        let seconds = |time: Duration| time.as_secs().to_string();
        assert_eq!(config.memory_mb.to_string(), said(&key::MEMORY_MB));
        assert_eq!(seconds(config.timeout), said(&key::TIMEOUT_SECONDS));
        assert_eq!(seconds(config.init_timeout), said(&key::INIT_TIMEOUT_SECONDS));
        assert_eq!(seconds(config.idle_timeout), said(&key::IDLE_SECONDS));
        assert_eq!(seconds(config.credentials_lifetime), said(&key::CREDENTIALS_SECONDS));
        assert_eq!(config.concurrency_max.to_string(), said(&key::CONCURRENCY));
        assert_eq!(config.telemetry_backlog.to_string(), said(&key::TELEMETRY_BACKLOG));
        assert_eq!(config.freeze.to_string(), said(&key::FREEZE));
        assert_eq!(config.log_pipe.to_string(), said(&key::LOG_PIPE));
        assert_eq!(config.streaming.to_string(), said(&key::STREAMING));
        assert_eq!(config.durable.to_string(), said(&key::DURABLE));
        assert_eq!(config.tenant_isolation.to_string(), said(&key::TENANT_ISOLATION));
        assert_eq!(
            (config.version, config.log_format.as_str().to_lowercase()),
            (said(&key::VERSION), said(&key::LOG_FORMAT))
        );
        assert_eq!(config.when_full, WhenFull::Wait(WAIT_WHEN_FULL));
        assert_eq!(config.account, said(&key::ACCOUNT));
    }

    #[test]
    fn schemas_that_nobody_knows_are_told() {
        let (config, faults) = config(json!({"telemetrySchemas": ["2022-07-01", "2030-01-01"]}));
        assert!(faults[0].contains("2030-01-01") && faults[0].contains("2025-01-29"), "{faults:?}");
        assert_eq!(config.telemetry_schemas.len(), 3);
    }
}
