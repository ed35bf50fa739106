//! The subcommands: each takes its arguments, asks or runs what it must, and shows the answer.

pub mod dev;
pub mod question;
pub mod query;
pub mod runs;
pub mod tail;
pub mod trace;
pub mod datasets;
pub mod place;
pub mod dlq;
pub mod store;
pub mod replay;

use std::io;

use clap::CommandFactory;
use serde::Serialize;

use crate::args::{Arguments, Command};
use crate::render::json;
use crate::terminal;

/// Where `limelight dev` keeps its state, and where the other commands look for it.
pub const DATA_DIRECTORY: &str = ".limelight-data";

/// Runs what was typed.
///
/// # Errors
/// Whatever stops the command; see [`crate::exit`] for how it is shown.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let command = arguments.command;
    if let Command::Completions { shell } = command {
        return completions(shell);
    }
    if let Command::Dev(dev) = &command {
        dev::with_environment(dev)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match command {
            Command::Dev(arguments) => Box::pin(dev::run(*arguments)).await,
            Command::Query(arguments) => query::run(*arguments).await,
            Command::Runs(arguments) => runs::run(arguments).await,
            Command::Tail(arguments) => tail::run(*arguments).await,
            Command::Trace(arguments) => trace::run(arguments).await,
            Command::Datasets(arguments) => datasets::run(arguments).await,
            Command::Dlq(arguments) => dlq::run(arguments).await,
            Command::Store(arguments) => store::run(arguments).await,
            Command::Replay(arguments) => Box::pin(replay::run(*arguments)).await,
            Command::Completions { .. } => Ok(()),
        }
    });
    // A task that hangs in a system call must not keep a command that has its answer.
    runtime.shutdown_background();
    result
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "limelight", &mut script);
    Ok(terminal::print(&String::from_utf8_lossy(&script))?)
}

/// One JSON document, as programs read it.
fn print_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut text = json::text(value)?;
    text.push('\n');
    Ok(terminal::print(&text)?)
}

/// Waits for Ctrl-C or SIGTERM.
async fn signal() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
