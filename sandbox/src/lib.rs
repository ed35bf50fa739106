#![doc = include_str!("../README.md")]

pub mod initialization;
pub mod clock;
pub mod fault;
pub mod output;
pub mod function;
pub mod invocation;
pub mod streamed;
mod message;
mod process;
mod apis;
mod telemetry;
mod environment;
mod phase;
pub mod lambda;

pub mod http_front;
pub mod invoke_api;
pub mod event_source;
mod front;

pub use clock::FakedClock;
pub use fault::{FaultPlan, Odds, Strikes};
pub use function::{FunctionConfig, LogFormat, WhenFull};
pub use initialization::Initialization;
pub use invocation::{FunctionError, Invocation, InvocationType, InvokeError, Outcome};
pub use lambda::{Lambda, SandboxError};
pub use output::{Output, OutputLine, Source};
pub use streamed::{Answered, Streamed};
