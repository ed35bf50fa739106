//! What a function is: its program, its limits, its extensions. A value that the caller builds and the pool keeps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use lambda_api::telemetry::SchemaVersion;

use crate::clock::FakedClock;
use crate::fault::{FaultPlan, Strikes};
use crate::initialization::Initialization;
use crate::output::Output;

/// One function of the local environment.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// The name it is invoked by.
    pub name: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// The program that speaks the Runtime API, and its arguments.
    pub command: Vec<String>,
    /// `_HANDLER`.
    pub handler: String,
    /// `LAMBDA_TASK_ROOT`, and where the program starts.
    pub working_dir: PathBuf,
    /// The function's own variables; extensions get them too.
    pub env: BTreeMap<String, String>,
    /// The limit on resident memory of the function and its extensions together, megabytes.
    pub memory_mb: u32,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// How long an init on demand may take before it is repeated inside the first invocation; AWS: 10 s.
    pub init_timeout: Duration,
    /// How lines arrive at subscribers.
    pub log_format: LogFormat,
    /// Whether the runtime gets AWS's pipe for framed log messages: a message of several lines is then one record.
    pub log_pipe: bool,
    /// When init runs, and how many invocations an environment takes at once.
    pub initialization: Initialization,
    /// Whether it is a durable function, which its runtime version tells.
    pub durable: bool,
    /// Whether each tenant has environments of its own: callers of the fronts must then name theirs, and else must not.
    pub tenant_isolation: bool,
    /// Whether the HTTP front passes a streamed answer on as it comes, as a function URL does; API Gateway's HTTP APIs
    /// hold it back until it is whole.
    pub streaming: bool,
    /// How long keys are good for where processes fetch them (SnapStart, Managed Instances); AWS: six hours.
    pub credentials_lifetime: Duration,
    /// Executables, started before the function; the file's name is the extension's name.
    pub extensions: Vec<PathBuf>,
    /// Sandboxes at the same time; managed instances have their own number.
    pub concurrency_max: usize,
    /// What happens to an invocation that finds all sandboxes busy.
    pub when_full: WhenFull,
    /// Whether processes are stopped between invocations.
    pub freeze: bool,
    /// How long a sandbox without work lives.
    pub idle_timeout: Duration,
    /// `AWS_REGION`.
    pub region: String,
    /// The account in ARNs, 12 digits.
    pub account: String,
    /// `runtimeVersion` of init records, as `python:3.11.v1`.
    pub runtime_version: Option<String>,
    /// The Telemetry API's schema versions that this "region" knows.
    pub telemetry_schemas: Vec<SchemaVersion>,
    /// Full telemetry batches that may wait behind an unanswered POST before one is dropped. AWS's emulator has 0;
    /// what production has is not known outside.
    pub telemetry_backlog: usize,
    /// A wall clock that can be set; the machine's without.
    pub clock: Option<FakedClock>,
    /// What goes wrong on purpose.
    pub faults: Option<FaultPlan>,
    /// How often it did; whoever keeps a clone sees it.
    pub strikes: Strikes,
    /// Where lines go besides the subscribers.
    pub output: Output,
}

impl FunctionConfig {
    /// A function with AWS's defaults: 128 MB, 3 s, text logs, no extension. `command` is a program and its arguments.
    pub fn new(name: impl Into<String>, command: Vec<String>) -> Self {
        Self {
            name: name.into(),
            version: "$LATEST".to_owned(),
            command,
            handler: "app.handler".to_owned(),
            working_dir: PathBuf::from("."),
            env: BTreeMap::new(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            log_format: LogFormat::Text,
            log_pipe: true,
            initialization: Initialization::OnDemand,
            durable: false,
            tenant_isolation: false,
            streaming: true,
            credentials_lifetime: Duration::from_secs(6 * 60 * 60),
            extensions: Vec::new(),
            concurrency_max: 10,
            when_full: WhenFull::Wait(Duration::from_secs(30)),
            freeze: true,
            idle_timeout: Duration::from_secs(300),
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            runtime_version: None,
            telemetry_schemas: SchemaVersion::ALL.to_vec(),
            telemetry_backlog: 1,
            clock: None,
            faults: None,
            strikes: Strikes::default(),
            output: Output::none(),
        }
    }

    /// Sets the handler's name.
    #[must_use]
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.handler = handler.into();
        self
    }

    /// Sets where the program starts.
    #[must_use]
    pub fn working_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.working_dir = dir.into();
        self
    }

    /// Adds one variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets the memory limit in megabytes.
    #[must_use]
    pub fn memory_mb(mut self, megabytes: u32) -> Self {
        self.memory_mb = megabytes;
        self
    }

    /// Sets how long an invocation may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the log format.
    #[must_use]
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.log_format = format;
        self
    }

    /// Sets when init runs, and how many invocations an environment takes at once.
    #[must_use]
    pub fn initialization(mut self, initialization: Initialization) -> Self {
        self.initialization = initialization;
        self
    }

    /// Adds one extension's executable.
    #[must_use]
    pub fn extension(mut self, executable: impl Into<PathBuf>) -> Self {
        self.extensions.push(executable.into());
        self
    }

    /// Sets how many sandboxes may live at the same time.
    #[must_use]
    pub fn concurrency_max(mut self, sandboxes: usize) -> Self {
        self.concurrency_max = sandboxes;
        self
    }

    /// Puts all processes under a clock that can be set.
    #[must_use]
    pub fn clock(mut self, clock: FakedClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets what goes wrong on purpose.
    #[must_use]
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = Some(plan);
        self
    }

    /// Sets where lines go besides the subscribers.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// The function's ARN without a version.
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.name)
    }

    /// `AWS_LAMBDA_LOG_GROUP_NAME`.
    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.name)
    }
}

/// How lines become records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// The line as it was printed.
    #[default]
    Text,
    /// JSON lines as objects, other lines wrapped into one.
    Json,
}

impl LogFormat {
    /// `AWS_LAMBDA_LOG_FORMAT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Json => "JSON",
        }
    }
}

/// What happens to an invocation that finds all sandboxes busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It waits so long: the limit is the machine's, not the function's.
    Wait(Duration),
    /// It is refused, as AWS does with reserved concurrency.
    Throttle,
}
