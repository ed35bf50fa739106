//! What may be set, from the environment or by the program that holds the companion inside itself.

mod engine;
mod retention;

use std::time::Duration;

use store::{Location, Options};
use wire::Limits;

use crate::admission::Admissions;
use crate::engines::EngineSettings;
pub use retention::Retentions;

/// How the companion works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the datasets live.
    pub store: Location,
    /// How the store works.
    pub options: Options,
    /// How much one record of a stream may cost.
    pub limits: Limits,
    /// How long a request may take, from its head to its answer.
    pub request_timeout: Duration,
    /// How many queries run and wait.
    pub admissions: Admissions,
    /// Which engine answers queries.
    pub engines: EngineSettings,
    /// How long events are kept.
    pub retentions: Retentions,
    /// Memory that this process may use, bytes, where that is known: compaction keeps within it.
    pub memory_bytes: Option<u64>,
}

/// Every fault of the environment at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SettingsError(pub Vec<String>);

impl Settings {
    /// API Gateway gives up after 30 s, so an answer after 29 s is heard by nobody.
    pub const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(29);
    const REQUEST_TIMEOUT_MS_MAX: u64 = 900_000;

    /// Defaults for a store.
    pub fn new(store: Location) -> Self {
        Self {
            store,
            options: Options::default(),
            limits: Limits::default(),
            request_timeout: Self::REQUEST_TIMEOUT_DEFAULT,
            admissions: Admissions::default(),
            engines: EngineSettings::default(),
            retentions: Retentions::default(),
            memory_bytes: None,
        }
    }

    /// Reads `LIMELIGHT_STORE` (required), `LIMELIGHT_REQUEST_TIMEOUT_MS`, `LIMELIGHT_RECORD_INFLATED_BYTES_MAX`,
    /// `LIMELIGHT_QUERIES_AT_ONCE`, `LIMELIGHT_QUERIES_WAITING_MAX`, `LIMELIGHT_RETENTION`, what
    /// [`EngineSettings::from_env`] reads, and Lambda's `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, through `lookup`.
    ///
    /// # Errors
    /// All that is wrong with them, not only the first.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut faults = Vec::new();
        let store = match lookup("LIMELIGHT_STORE").filter(|text| !text.trim().is_empty()) {
            None => {
                faults.push(
                    "LIMELIGHT_STORE is not set; it names a directory or s3://bucket/prefix".to_owned(),
                );
                None
            }
            Some(text) => {
                Location::parse(&text).map_err(|error| faults.push(format!("LIMELIGHT_STORE: {error}"))).ok()
            }
        };
        let retentions = Retentions::parse(&lookup("LIMELIGHT_RETENTION").unwrap_or_default());
        let retentions = retentions.unwrap_or_else(|fault| {
            faults.push(format!("LIMELIGHT_RETENTION: {fault}"));
            Retentions::default()
        });
        let engines = EngineSettings::from_env(&lookup).unwrap_or_else(|wrong| {
            faults.extend(wrong);
            EngineSettings::default()
        });
        let memory_mb = lookup("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse::<u64>().ok());
        let mut number = |name: &str, default: u64, max: u64| match lookup(name) {
            None => default,
            Some(text) => match text.trim().parse() {
                Ok(number) if (1..=max).contains(&number) => number,
                _ => {
                    faults.push(format!("{name} must be a whole number from 1 to {max}, got {text:?}"));
                    default
                }
            },
        };
        let timeout_ms = number("LIMELIGHT_REQUEST_TIMEOUT_MS", 29_000, Self::REQUEST_TIMEOUT_MS_MAX);
        let usual = Admissions::default();
        let at_once = number("LIMELIGHT_QUERIES_AT_ONCE", usual.at_once as u64, 1_000);
        let waiting_max = number("LIMELIGHT_QUERIES_WAITING_MAX", usual.waiting_max as u64, 100_000);
        let inflated =
            number("LIMELIGHT_RECORD_INFLATED_BYTES_MAX", Limits::INFLATED_BYTES_MAX as u64, 1 << 30);
        match store {
            Some(store) if faults.is_empty() => {
                let inflated_bytes_max = usize::try_from(inflated).unwrap_or(Limits::INFLATED_BYTES_MAX);
                let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
                let admissions =
                    Admissions { at_once: count(at_once), waiting_max: count(waiting_max), ..usual };
                Ok(Self {
                    admissions,
                    request_timeout: Duration::from_millis(timeout_ms),
                    limits: Limits { inflated_bytes_max, ..Limits::default() },
                    engines,
                    retentions,
                    memory_bytes: memory_mb.map(|mb| mb << 20),
                    ..Self::new(store)
                })
            }
            _ => Err(SettingsError(faults)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_named_at_once() {
        let error = Settings::from_env(|name| match name {
            "LIMELIGHT_REQUEST_TIMEOUT_MS" => Some("soon".into()),
            "LIMELIGHT_RECORD_INFLATED_BYTES_MAX" => Some("0".into()),
            "LIMELIGHT_RETENTION" => Some("a while".into()),
            _ => None,
        })
        .unwrap_err()
        .to_string();
        for name in [
            "LIMELIGHT_STORE",
            "LIMELIGHT_REQUEST_TIMEOUT_MS",
            "LIMELIGHT_RECORD_INFLATED_BYTES_MAX",
            "LIMELIGHT_RETENTION: \"a while\"",
            "\"soon\"",
        ] {
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_store_alone_is_enough() {
        let settings =
            Settings::from_env(|name| (name == "LIMELIGHT_STORE").then(|| "memory:".to_owned())).unwrap();
        assert_eq!(settings.request_timeout, Settings::REQUEST_TIMEOUT_DEFAULT);
    }
}
