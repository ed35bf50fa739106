//! The binary in the layer: parse → build → run → drain. Everything else is the library's.

use std::process::ExitCode;

use anyhow::Context;
use extension::{App, Config, notice};

/// They only look up names. With a name server that hangs, every try would leave one more behind.
const BLOCKING_THREADS_MAX: usize = 4;

fn main() -> ExitCode {
    notice::panics_on_one_line();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            notice::say(format_args!("stopping: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn serve() -> anyhow::Result<()> {
    let (config, faults) = Config::from_env(|name| std::env::var_os(name));
    notice::settings(&faults);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .context("cannot start the event loop")?;
    let ended = runtime.block_on(async { App::build(config).await?.run().await });
    // A name look-up that hangs must not hold the sandbox's end.
    runtime.shutdown_background();
    ended
}
