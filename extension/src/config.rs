//! Environment variables in, one [`Config`] out, and every fault found on the way. A fault never stops anything: the
//! default is used, and the fault is said once. Read by `main` before anything else; nobody else reads the environment.

mod destination;
mod selection;
mod memory;
mod mirrored;
mod otlp;
mod payloads;
mod setting;

pub use destination::{Credentials, Destination, Stream};
pub use memory::Memory;
pub use mirrored::Mirrored;
pub use payloads::Payloads;
pub use selection::Selection;
pub use setting::Fault;

use std::ffi::OsString;
use std::path::PathBuf;

use pipeline::FunctionContext;
use pipeline::batch;
use pipeline::flush::{Policy, Timing};

use crate::export::journal;
use crate::otlp::Ports;

use setting::Settings;

/// Everything that a run depends on.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port` of the three platform APIs; empty outside of a sandbox.
    pub runtime_api: String,
    /// How the sandbox came to be: `on-demand`, `lambda-managed-instances`, …; empty if nobody says.
    pub initialization_type: String,
    /// What there is to do.
    pub duty: Duty,
    /// Where the application's own SDK may export to, whatever the duty is: the layer's wrapper points it there before
    /// the duty is known.
    pub otlp: Ports,
}

/// The modes, chosen once.
#[derive(Debug, Clone)]
pub enum Duty {
    /// Receive, and ship to the stream.
    Ship(Box<Shipping>),
    /// Answer `/next` and nothing else.
    Idle,
}

/// What shipping needs to know.
#[derive(Debug, Clone)]
pub struct Shipping {
    /// Where to.
    pub destination: Destination,
    /// Whose telemetry it is.
    pub function: FunctionContext,
    /// What of it leaves the sandbox, and how.
    pub selection: Selection,
    /// When to send, and how long to hold the sandbox for it.
    pub policy: Policy,
    /// How large batches grow.
    pub limits: batch::Limits,
    /// How much memory the telemetry may take on its way.
    pub memory: Memory,
    /// Where what is not acknowledged is kept on the disk.
    pub journal: journal::Place,
    /// Where to listen first; a random port if it is taken.
    pub port: u16,
    /// Where a copy of everything goes.
    pub mirrored: Option<Mirrored>,
    /// What the proxy copies; none if it is not wanted.
    pub payloads: Option<Payloads>,
}

const INITIALIZATION_TYPE: &str = "AWS_LAMBDA_INITIALIZATION_TYPE";

/// The name under which the layer carries the program; registration demands the executable's file name.
pub const EXTENSION_NAME: &str = "limelight-extension";

impl Config {
    /// Reads `LIMELIGHT_*`, and `AWS_*` as the platform sets them.
    pub fn from_env(variable: impl Fn(&str) -> Option<OsString>) -> (Self, Vec<Fault>) {
        let mut settings = Settings::new(&variable);
        let runtime_api = settings.text(lambda_api::RUNTIME_API_VARIABLE).unwrap_or_default();
        let initialization_type = settings.text(INITIALIZATION_TYPE).unwrap_or_default();
        let (duty, otlp) = if settings.flag("LIMELIGHT_DISABLED") {
            (Duty::Idle, Ports::NONE)
        } else {
            let otlp = otlp::ports(&mut settings);
            (shipping(&mut settings).map_or(Duty::Idle, |shipping| Duty::Ship(Box::new(shipping))), otlp)
        };
        (Self { runtime_api, initialization_type, duty, otlp }, settings.faults())
    }

    /// What the proxy copies; none if there is to be none.
    pub fn payloads(&self) -> Option<Payloads> {
        match &self.duty {
            Duty::Ship(shipping) => shipping.payloads,
            Duty::Idle => None,
        }
    }

    /// How much of what the function's own process tells may wait.
    pub fn inbound_bytes_max(&self) -> usize {
        match &self.duty {
            Duty::Ship(shipping) => shipping.memory.inbound_bytes_max,
            Duty::Idle => 0,
        }
    }
}

/// None without a destination; all other settings are read all the same, so that all faults are found.
fn shipping(settings: &mut Settings<'_>) -> Option<Shipping> {
    let function = function(settings);
    let selection = Selection::read(settings);
    let timing = settings.choice("LIMELIGHT_FLUSH", &[("learned", Timing::Learned), ("end", Timing::AtEnd)]);
    let timing = timing.unwrap_or(Timing::Learned);
    let policy = Policy {
        timing,
        freshness: settings.millis("LIMELIGHT_FRESHNESS_MS", FRESHNESS_MS, 50..=60_000),
        budget: settings.millis("LIMELIGHT_FLUSH_BUDGET_MS", FLUSH_BUDGET_MS, 0..=10_000),
        margin: settings.millis("LIMELIGHT_DEADLINE_MARGIN_MS", DEADLINE_MARGIN_MS, 10..=5_000),
        batch_bytes_max: BATCH_BYTES_MAX,
    };
    let record_bytes = settings.bytes("LIMELIGHT_RECORD_KIB", 1_024, 64..=10_240, 1_024);
    let limits = batch::Limits {
        record_bytes_max: record_bytes - (1_024 * 1_024 - batch::Limits::RECORD_BYTES_MAX),
        ..batch::Limits::default()
    };
    let mirrored = Mirrored::read(settings);
    let memory = Memory::read(settings, function.memory_mb, mirrored.is_some());
    let journal = journal(settings);
    let port = settings.port("LIMELIGHT_PORT", PORT);
    let payloads = Payloads::read(settings);
    let destination = Destination::read(settings)?;
    Some(Shipping {
        destination,
        function,
        selection,
        policy,
        limits,
        memory,
        journal,
        port,
        mirrored,
        payloads,
    })
}

/// What is open and what is sealed already go together before their time when they come to this: a request's worth.
const BATCH_BYTES_MAX: usize = 1_024 * 1_024;
/// The target that design §10 sets for printed → queryable leaves this much for the sandbox.
const FRESHNESS_MS: u64 = 1_000;
/// The platform's own delay (25 ms at the most) and a request within the region fit.
const FLUSH_BUDGET_MS: u64 = 50;
/// Sealing 1 MiB on a sixth of a core takes about this long at the worst.
const DEADLINE_MARGIN_MS: u64 = 100;
/// Not 9001 (the platform's), 4317 and 4318 (OTLP), 8080 and 3000 (web adapters), nor a port that another telemetry
/// extension listens on by default.
const PORT: u16 = 8741;

/// `/tmp` is the only place in a sandbox that can be written, and the function's first of all: a thirtieth of what
/// Lambda gives by default.
const JOURNAL_MIB: u64 = 16;

fn journal(settings: &mut Settings<'_>) -> journal::Place {
    let directory = settings.text("LIMELIGHT_JOURNAL_DIR").map_or_else(
        || PathBuf::from(settings.text("TMPDIR").unwrap_or_else(|| "/tmp".to_owned())).join("limelight"),
        PathBuf::from,
    );
    let bytes_max = settings.bytes("LIMELIGHT_JOURNAL_MIB", JOURNAL_MIB, 0..=512, 1_024 * 1_024);
    journal::Place { directory, bytes_max }
}

fn function(settings: &mut Settings<'_>) -> FunctionContext {
    let mut text = |name: &str| settings.text(name).unwrap_or_default();
    let memory_mb = text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").parse().unwrap_or(0);
    FunctionContext {
        name: text("AWS_LAMBDA_FUNCTION_NAME"),
        version: text("AWS_LAMBDA_FUNCTION_VERSION"),
        memory_mb,
        account: String::new(),
        region: text("AWS_REGION"),
        initialization_type: text(INITIALIZATION_TYPE),
        service: text("LIMELIGHT_SERVICE"),
        instance: text("AWS_LAMBDA_LOG_STREAM_NAME"),
        log_group: text("AWS_LAMBDA_LOG_GROUP_NAME"),
        runtime: text("AWS_EXECUTION_ENV"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(variables: &[(&str, &str)]) -> (Config, Vec<String>) {
        let keys = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let (config, faults) = Config::from_env(|name| {
            let mut all = variables.iter().chain(&keys);
            all.find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        });
        (config, faults.iter().map(ToString::to_string).collect())
    }

    fn shipping(config: Config) -> Shipping {
        match config.duty {
            Duty::Ship(shipping) => *shipping,
            Duty::Idle => panic!("nothing to ship to"),
        }
    }

    #[test]
    fn a_stream_and_a_region_are_enough() {
        let (config, faults) = read(&[("LIMELIGHT_STREAM", "telemetry"), ("AWS_REGION", "eu-west-1")]);
        assert_eq!(faults, [""; 0]);
        let shipping = shipping(config);
        assert_eq!(shipping.destination.stream, Stream::Name("telemetry".to_owned()));
        assert_eq!(shipping.destination.region, "eu-west-1");
        assert_eq!(shipping.limits, batch::Limits::default());
        assert_eq!(shipping.port, PORT);
    }

    #[test]
    fn all_faults_are_told_at_once_and_defaults_stand_in() {
        let (config, faults) = read(&[
            ("LIMELIGHT_STREAM", "telemetry"),
            ("AWS_REGION", "eu-west-1"),
            ("LIMELIGHT_FRESHNESS_MS", "soon"),
            ("LIMELIGHT_FLUSH_BUDGET_MS", "999999"),
            ("LIMELIGHT_PORT", "80"),
            ("LIMELIGHT_DISABLED", "perhaps"),
            ("LIMELIGHT_FLUSH", "sometimes"),
        ]);
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(
            faults.iter().any(|fault| fault.contains("LIMELIGHT_FRESHNESS_MS") && fault.contains("\"soon\""))
        );
        assert!(
            faults.iter().any(|fault| fault.contains("LIMELIGHT_FLUSH_BUDGET_MS") && fault.contains("10000"))
        );
        let shipping = shipping(config);
        assert_eq!(shipping.policy.freshness, Duration::from_millis(FRESHNESS_MS));
        assert_eq!(shipping.policy.timing, Timing::Learned);
        assert_eq!(shipping.port, PORT);
    }

    #[test]
    fn without_a_stream_there_is_nothing_to_do_and_a_reason() {
        let (config, faults) = read(&[("AWS_REGION", "eu-west-1")]);
        assert!(matches!(config.duty, Duty::Idle));
        assert!(faults[0].contains("LIMELIGHT_STREAM"), "{faults:?}");
    }

    #[test]
    fn disabled_is_silent() {
        let (config, faults) = read(&[("LIMELIGHT_DISABLED", "true"), ("LIMELIGHT_PORT", "x")]);
        assert!(matches!(config.duty, Duty::Idle));
        assert_eq!(config.otlp, Ports::NONE, "its wrapper points nobody there");
        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn an_arn_brings_its_region_and_a_wrong_one_is_named() {
        let arn = "arn:aws:kinesis:eu-north-1:123456789012:stream/telemetry";
        let (config, faults) = read(&[("LIMELIGHT_STREAM", arn), ("AWS_REGION", "eu-west-1")]);
        assert_eq!(faults, [""; 0]);
        let destination = shipping(config).destination;
        assert_eq!(destination.stream, Stream::Arn(arn.to_owned()));
        assert_eq!(destination.region, "eu-north-1");
        for wrong in [
            "arn:aws:s3:::bucket",
            "arn:aws:kinesis:::stream/telemetry",
            "arn:aws:kinesis:eu-north-1::stream/telemetry",
            "arn:aws:kinesis::123456789012:stream/telemetry",
            "arn:aws:kinesis:EU/1:123456789012:stream/telemetry",
        ] {
            let (config, faults) = read(&[("LIMELIGHT_STREAM", wrong), ("AWS_REGION", "eu-west-1")]);
            assert!(matches!(config.duty, Duty::Idle), "{wrong}");
            assert!(faults[0].contains("arn:aws:kinesis:"), "{faults:?}");
        }
    }

    #[test]
    fn a_wrong_endpoint_is_named_and_its_password_is_not_shown() {
        for wrong in ["https://user:hunter2@stream.example", "ftp://hunter2", "hunter2", "https://?hunter2"] {
            let stream = [("LIMELIGHT_STREAM", "telemetry"), ("AWS_REGION", "eu-west-1")];
            let (config, faults) = read(&[stream[0], stream[1], ("AWS_ENDPOINT_URL", wrong)]);
            assert_eq!(shipping(config).destination.endpoint, None, "{wrong}");
            assert_eq!(faults.len(), 1, "{wrong}: {faults:?}");
            assert!(faults[0].contains("AWS_ENDPOINT_URL") && !faults[0].contains("hunter2"), "{faults:?}");
        }
    }
}
