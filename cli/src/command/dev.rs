//! `limelight dev`: functions, extension, stream, store and API in one process tree, on loopback.
//!
//! Build order is sink first: store, consumer, stream, sandboxes, fronts. Ending goes the other way, so that whatever
//! was accepted has somewhere to go: fronts stop, sandboxes shut down (their extensions flush), the stream drains
//! into the store, the API ends last.

pub mod addresses;
mod app;
mod clock;
mod echo;
mod environment;
mod extension;
mod functions;
mod guess;
mod loopback;
mod poller;
mod ports;
mod state;
mod variables;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use self::app::App;
pub use self::environment::with_environment;
pub use self::functions::help as functions_help;
pub(super) use self::state::JOURNALS;
use crate::args::{DevArgs, Format};
use crate::render::text::{Colour, Paint, visible};
use crate::terminal::{print, say};
use addresses::Addresses;

/// The first of the four ports, if nobody says.
pub const PORT_BASE: u16 = 4380;

/// Draining gives up after this: the rest stays in the journal or on the stream, for the next start.
const DRAIN_WAIT: Duration = Duration::from_secs(50);

/// Runs it until Ctrl-C or SIGTERM.
///
/// # Errors
/// When something cannot start, or not everything could be drained.
pub async fn run(arguments: DevArgs) -> anyhow::Result<()> {
    trace_to_stderr();
    let mut plan = functions::plan(&arguments)?;
    let state = state::State::open(&arguments.data)?;
    clock::give(&mut plan, &state.clocks())?;
    let ports = ports::Ports::bind(arguments.port_base).await?;
    let app = Box::pin(App::build(&arguments, plan, &state, ports)).await?;
    app.addresses.write(&arguments.data)?;
    announce(&app.addresses, arguments.format)?;
    let ended = Box::pin(until_drained(app)).await;
    Addresses::remove(&arguments.data);
    drop(state);
    ended
}

async fn until_drained(app: App) -> anyhow::Result<()> {
    let failed = tokio::select! {
        stop = super::signal() => stop.context("cannot wait for Ctrl-C").err(),
        error = app.failure() => Some(error),
    };
    say(
        "\nending: requests are answered, sandboxes shut down, the stream is drained; Ctrl-C again ends it at once",
    );
    let rest = app.rest;
    let drained = tokio::select! {
        drained = tokio::time::timeout(DRAIN_WAIT, app.drain()) => drained.unwrap_or_else(|_| {
            Err(anyhow::anyhow!("not everything was stored within {} s; the rest is {rest} and is stored at the \
                next start", DRAIN_WAIT.as_secs()))
        }),
        _ = super::signal() => {
            Err(anyhow::anyhow!("ended at once; what was acknowledged is {rest} and is stored at the next start"))
        }
    };
    failed.map_or(drained, Err)
}

fn announce(addresses: &Addresses, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return super::print_json(addresses);
    }
    let paint = Paint::new(std::io::stdout().is_terminal());
    let mut text = format!("{}\n", paint.bold(Colour::Green, "limelight dev is up"));
    let mut row = |name: &str, value: &str, what: &str| {
        text.push_str(&format!("  {name:<9} {value:<28} {}\n", paint.colour(Colour::Dim, what)));
    };
    row("API", &addresses.api, "limelight query, tail and trace ask it");
    row("HTTP", &addresses.http, "calls functions by their routes");
    row("Invoke", &addresses.invoke, "aws lambda invoke --endpoint-url …");
    row("Stream", &addresses.stream, &format!("Kinesis API, stream {}", addresses.stream_name));
    row("Store", &addresses.store, "");
    for function in &addresses.functions {
        let (name, routes) = (visible(&function.name), function.routes.join(", "));
        let unusual = paint.colour(Colour::Yellow, &function.unusual());
        text.push_str(&format!("  {} {}{unusual}\n", paint.colour(Colour::Cyan, &name), visible(&routes)));
    }
    if addresses.functions.is_empty() {
        text.push_str("  no function; name some with --function NAME=DIR or in limelight.dev.json\n");
    }
    Ok(print(&text)?)
}

/// What the parts say of themselves: warnings by default, on standard error.
fn trace_to_stderr() {
    let filter = EnvFilter::try_from_env("LIMELIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = Paint::new(std::io::stderr().is_terminal()).colours();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    // Fails only if somebody has set one, and then there is one.
    let _ = subscriber.try_init();
}
