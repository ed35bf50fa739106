//! The keys of a functions file: what each may be, what holds without it, what it is for. The reader checks by these
//! tables, and the help and `docs/functions-file.md` show them, so that none says something else than another.

use std::fmt;

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) values: Values,
    /// What holds without it, as a person reads it.
    pub(super) default: &'static str,
    pub(super) what: &'static str,
}

/// What a key may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values {
    /// A text, with the rule that it obeys in words and as a check.
    Text(&'static str, fn(&str) -> bool),
    /// One of these texts.
    Words(&'static [&'static str]),
    /// True or false.
    Flag,
    /// A whole number from the first to the second, both possible.
    Whole(u64, u64),
    /// A number from 0 to 1.
    Chance,
    /// A list of texts.
    Texts(&'static str),
    /// Texts by name.
    TextsByName,
    /// An object with these keys.
    Object(&'static [&'static Key]),
    /// A list of objects, each with its own table.
    Objects,
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(rule, _) => f.write_str(rule),
            Self::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                f.write_str(&words.join(" or "))
            }
            Self::Flag => f.write_str("true or false"),
            Self::Whole(from, to) => write!(f, "a whole number from {from} to {to}"),
            Self::Chance => f.write_str("a number from 0 to 1"),
            Self::Texts(what) => write!(f, "a list of {what}"),
            Self::TextsByName => f.write_str("an object of texts"),
            Self::Object(keys) if keys.len() > LISTED_KEYS_MAX => f.write_str("an object"),
            Self::Object(keys) => {
                let keys: Vec<&str> = keys.iter().map(|key| key.name).collect();
                write!(f, "an object with {}", keys.join(", "))
            }
            Self::Objects => f.write_str("a list of objects"),
        }
    }
}

/// More keys than this are no help in one line of a message.
const LISTED_KEYS_MAX: usize = 10;

/// Lambda's longest name of a function.
const NAME_CHARS_MAX: usize = 64;

fn is_name(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.len() <= NAME_CHARS_MAX && text.chars().all(letters)
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && is_digits(text)
}

fn is_version(text: &str) -> bool {
    text == "$LATEST" || is_digits(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_there(text: &str) -> bool {
    !text.is_empty()
}

/// Keeps the tables below to a line for a key.
const fn key(name: &'static str, values: Values, default: &'static str, what: &'static str) -> Key {
    Key { name, values, default, what }
}

const A_TEXT: Values = Values::Text("a text that is not empty", is_there);

pub(super) const SERVICE: Key =
    key("service", A_TEXT, "none", "the team's unit, for functions that do not say (`LIMELIGHT_SERVICE`)");
pub(super) const REGION: Key = key(
    "region",
    Values::Text("a region's name as eu-west-1", is_region),
    "`AWS_REGION`, else us-east-1",
    "the region in ARNs, and what functions are told",
);
pub(super) const ACCOUNT: Key =
    key("account", Values::Text("12 digits", is_account), "000000000000", "the account in ARNs");
pub(super) const FUNCTIONS: Key = key("functions", Values::Objects, "none", "what to run");

pub(super) const NAME: Key = key(
    "name",
    Values::Text("1 to 64 of a-z A-Z 0-9 - _", is_name),
    "required",
    "what it is invoked by, and its namespace in queries",
);
pub(super) const DIR: Key =
    key("dir", A_TEXT, "the file's folder", "its folder; a relative path counts from where the file is");
pub(super) const RUNTIME: Key = key(
    "runtime",
    Values::Words(&["python", "node", "custom"]),
    "guessed from the folder",
    "what runs it: awslambdaric, aws-lambda-ric, or the folder's own `bootstrap`",
);
pub(super) const HANDLER: Key =
    key("handler", A_TEXT, "guessed from the folder", "file.function, as in Lambda");
pub(super) const COMMAND: Key = key(
    "command",
    Values::Texts("texts, a program and its arguments"),
    "none",
    "instead of `runtime`: any program that speaks the Runtime API",
);
pub(super) const ENV: Key =
    key("env", Values::TextsByName, "none", "its variables; the extension's settings are set here too");
pub(super) const ROUTES: Key = key(
    "routes",
    Values::Texts("routes as \"GET /orders/{id}\""),
    "`ANY /NAME` and below",
    "its requests at the HTTP front, as in API Gateway",
);
pub(super) const EXTENSION: Key =
    key("extension", Values::Flag, "true", "whether Limelight's extension runs beside it");
pub(super) const OTHER_EXTENSIONS: Key = key(
    "otherExtensions",
    Values::Texts("paths of executables"),
    "none",
    "further extensions; relative paths count from where the file is",
);
pub(super) const MEMORY_MB: Key =
    key("memoryMb", Values::Whole(128, 10_240), "128", "how much it may take, extensions included");
pub(super) const TIMEOUT_SECONDS: Key =
    key("timeoutSeconds", Values::Whole(1, 900), "3", "how long an invocation may take");
pub(super) const INIT_TIMEOUT_SECONDS: Key = key(
    "initTimeoutSeconds",
    Values::Whole(1, 900),
    "10",
    "how long an init on demand may take before it is repeated inside the first invocation",
);
pub(super) const LOG_FORMAT: Key =
    key("logFormat", Values::Words(&["text", "json"]), "text", "how lines become records");
pub(super) const LOG_PIPE: Key = key(
    "logPipe",
    Values::Flag,
    "true",
    "whether the runtime's client gets AWS's pipe for log messages: several lines are one record",
);
pub(super) const CONCURRENCY: Key =
    key("concurrency", Values::Whole(1, 1_000), "10", "environments at once, each with one invocation");
pub(super) const WHEN_FULL: Key = key(
    "whenFull",
    Values::Words(&["wait", "throttle"]),
    "wait",
    "an invocation too many waits up to 30 s, or is refused as with reserved concurrency",
);
pub(super) const FREEZE: Key =
    key("freeze", Values::Flag, "true", "whether environments are stopped between invocations");
pub(super) const IDLE_SECONDS: Key =
    key("idleSeconds", Values::Whole(1, 86_400), "300", "how long an environment without work lives");
pub(super) const PROVISIONED_CONCURRENCY: Key = key(
    "provisionedConcurrency",
    Values::Whole(1, 1_000),
    "none",
    "environments that have their init before any invocation; more are made on demand",
);
pub(super) const SNAP_START: Key = key(
    "snapStart",
    Values::Flag,
    "false",
    "whether init ends in a snapshot, from which the first invocation restores",
);
pub(super) const MANAGED_INSTANCES: Key = key(
    "managedInstances",
    Values::Object(MANAGED),
    "none",
    "Lambda Managed Instances: several invocations at once in an environment, no freeze",
);
pub(super) const ENVIRONMENTS: Key =
    key("environments", Values::Whole(1, 100), "1", "how many there are from the start");
pub(super) const INVOCATIONS: Key = key(
    "concurrency",
    Values::Whole(1, 1_000),
    "10",
    "invocations at once in each (`AWS_LAMBDA_MAX_CONCURRENCY`)",
);
pub(super) const CREDENTIALS_SECONDS: Key = key(
    "credentialsSeconds",
    Values::Whole(1, 43_200),
    "21600",
    "how long keys are good for where processes fetch them (`snapStart`, `managedInstances`)",
);
pub(super) const DURABLE: Key =
    key("durable", Values::Flag, "false", "whether it is a durable function, as its runtime version tells");
pub(super) const TENANT_ISOLATION: Key = key(
    "tenantIsolation",
    Values::Flag,
    "false",
    "whether each tenant has environments of its own: callers name one (`--tenant-id`, `X-Amz-Tenant-Id`)",
);
pub(super) const STREAMING: Key = key(
    "streaming",
    Values::Flag,
    "true",
    "whether the HTTP front passes a streamed answer on as it comes, or holds it until it is whole",
);
pub(super) const VERSION: Key =
    key("version", Values::Text("$LATEST or a number in quotes", is_version), "$LATEST", "its version");
pub(super) const RUNTIME_VERSION: Key =
    key("runtimeVersion", A_TEXT, "none", "what init records call the runtime, as `python:3.13.v40`");
pub(super) const TELEMETRY_SCHEMAS: Key = key(
    "telemetrySchemas",
    Values::Texts("\"2022-07-01\", \"2022-12-13\", \"2025-01-29\""),
    "all three",
    "the Telemetry API's versions that this \"region\" knows",
);
pub(super) const TELEMETRY_BACKLOG: Key = key(
    "telemetryBacklog",
    Values::Whole(0, 1_000),
    "1",
    "full telemetry batches that may wait behind an unanswered POST before one is dropped",
);
pub(super) const FAULTS: Key =
    key("faults", Values::Object(FAULT), "none", "what goes wrong on purpose, drawn from a seed");
pub(super) const SEED: Key =
    key("seed", Values::Whole(0, u64::MAX), "1", "the same seed draws the same faults at the same occasions");
pub(super) const FAULT_FREEZE: Key = key(
    "freeze",
    Values::Chance,
    "0",
    "of an invocation: everything is stopped for up to 400 ms in the middle of it",
);
pub(super) const FREEZE_MESSAGE: Key = key(
    "freezeMessage",
    Values::Chance,
    "0",
    "of a telemetry POST, the answer to a registration, subscription or `next`, or SHUTDOWN: everything is stopped for up to 400 ms just before or after it",
);
pub(super) const REDELIVER: Key =
    key("redeliver", Values::Chance, "0", "of a telemetry POST that was answered: it comes again");
pub(super) const CUT: Key =
    key("cut", Values::Chance, "0", "of a record: it is cut over two POSTs although it is small");
pub(super) const KILL_FUNCTION: Key =
    key("killFunction", Values::Chance, "0", "of an invocation: the function is killed in it");
pub(super) const KILL_EXTENSION: Key =
    key("killExtension", Values::Chance, "0", "of an invocation: an extension is killed in it");
pub(super) const CLOCK_JUMP: Key = key(
    "clockJump",
    Values::Chance,
    "0",
    "of a thaw: it comes 1 to 3 s late, or, with `fakedClock`, the wall clock has jumped by minutes or hours",
);
pub(super) const FAKED_CLOCK: Key = key(
    "fakedClock",
    Values::Flag,
    "false",
    "whether clock jumps are of a wall clock of its own; needs a C compiler and a dynamically linked runtime",
);

/// The file's own keys.
pub(super) const FILE: &[&Key] = &[&SERVICE, &REGION, &ACCOUNT, &FUNCTIONS];

/// A function's keys: what it is, its limits, how its environments come to be, what else of Lambda, what goes wrong.
pub(super) const FUNCTION: &[&Key] = &[
    &NAME,
    &DIR,
    &RUNTIME,
    &HANDLER,
    &COMMAND,
    &ENV,
    &ROUTES,
    &EXTENSION,
    &OTHER_EXTENSIONS,
    &MEMORY_MB,
    &TIMEOUT_SECONDS,
    &INIT_TIMEOUT_SECONDS,
    &CONCURRENCY,
    &WHEN_FULL,
    &FREEZE,
    &IDLE_SECONDS,
    &LOG_FORMAT,
    &LOG_PIPE,
    &STREAMING,
    &PROVISIONED_CONCURRENCY,
    &SNAP_START,
    &MANAGED_INSTANCES,
    &CREDENTIALS_SECONDS,
    &DURABLE,
    &TENANT_ISOLATION,
    &VERSION,
    &RUNTIME_VERSION,
    &TELEMETRY_SCHEMAS,
    &TELEMETRY_BACKLOG,
    &FAULTS,
];

/// The keys of `managedInstances`.
pub(super) const MANAGED: &[&Key] = &[&ENVIRONMENTS, &INVOCATIONS];

/// The keys of `faults`.
pub(super) const FAULT: &[&Key] = &[
    &SEED,
    &FAULT_FREEZE,
    &FREEZE_MESSAGE,
    &REDELIVER,
    &CUT,
    &KILL_FUNCTION,
    &KILL_EXTENSION,
    &CLOCK_JUMP,
    &FAKED_CLOCK,
];
