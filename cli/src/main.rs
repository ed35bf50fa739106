//! The `limelight` command: reads its arguments, runs one subcommand, ends with its exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::args::Arguments::parse();
    cli::exit::code(cli::command::run(arguments))
}
