//! What can be typed. The help teaches: each subcommand shows what it is for and examples that work.

mod dev;
mod dlq;
mod query;
mod runs;
mod store;
mod replay;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use dev::DevArgs;
pub use dlq::{DlqAction, DlqArgs};
pub use query::{DatasetsArgs, QueryArgs, QueryFormat, TailArgs, TraceArgs};
pub use replay::{ReplayArgs, TargetArgs};
pub use runs::{RunsAction, RunsArgs};
pub use store::{StoreAction, StoreArgs};

/// Everything that was typed.
#[derive(Debug, Parser)]
#[command(
    name = "limelight",
    version,
    about = "See what your serverless functions do: run them, query, tail and trace them",
    long_about = "Limelight shows what serverless functions do. `limelight dev` runs them on this machine with the \
                  whole pipeline behind them; the other commands ask that pipeline, or one that runs in AWS.",
    after_help = "EXAMPLES
  limelight dev --function hello=./hello              run one function, with store, stream and API
  curl http://127.0.0.1:4382/hello                    call it
  limelight tail -f                                   see what it prints
  limelight query 'COUNT GROUP BY $limelight.level'   ask a question
  limelight trace 5840652…                            see where the time went

EXIT CODES
  0  done    1  failed    2  the command, a file or the query is wrong    3  there is no such thing

ENVIRONMENT
  LIMELIGHT_ENDPOINT  the API to ask, instead of the one that `limelight dev` runs here
  NO_COLOR            no colours, also on a terminal
  LIMELIGHT_LOG       what `limelight dev` says of itself: error, warn (default), info, debug"
)]
pub struct Arguments {
    /// Which subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run functions here, with everything behind them
    ///
    /// Runs functions on this machine as AWS would, with the extension beside them, and the whole way of their
    /// telemetry: stream, store, API. State stays in .limelight-data/ until you delete it. Ctrl-C ends it in order:
    /// requests are answered, sandboxes shut down, what they still send is stored. A second Ctrl-C ends it at once;
    /// what was acknowledged is on disk and is stored at the next start.
    Dev(Box<DevArgs>),
    /// Ask the datasets a question
    Query(Box<QueryArgs>),
    /// List, show and stop query runs, and let go of answers that were kept
    Runs(RunsArgs),
    /// Show events as they come, oldest first
    Tail(Box<TailArgs>),
    /// Show one trace as a waterfall
    Trace(TraceArgs),
    /// List the datasets
    Datasets(DatasetsArgs),
    /// List, show and replay records that nobody could read
    Dlq(DlqArgs),
    /// Look after a store's files: stats, compact, vacuum, verify, export
    Store(StoreArgs),
    /// Send again what extensions could not deliver
    ///
    /// These are the batches in the journal of a sandbox that was killed, or in other files of letters (*.letters).
    /// Each goes out with its own bytes and identity, so that the store drops what it has: this may be run again at
    /// any time, and be interrupted. Files of sandboxes that still run are left to them.
    Replay(Box<ReplayArgs>),
    /// Print a completion script for a shell
    #[command(
        after_help = "EXAMPLE\n  limelight completions bash > ~/.local/share/bash-completion/completions/limelight"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Whom to ask.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Whom to ask")]
pub struct PlaceArgs {
    /// The API's address; without it the one that `limelight dev` runs in this directory
    #[arg(long, env = "LIMELIGHT_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,
    /// Read a store itself, without a server: a directory or s3://bucket/prefix
    #[arg(long, value_name = "URL", conflicts_with = "endpoint")]
    pub store: Option<String>,
    /// Where `limelight dev` keeps its state
    #[arg(long, value_name = "DIR", default_value = crate::command::DATA_DIRECTORY)]
    pub data: PathBuf,
}

/// Which store to work on itself, without a server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which store")]
pub struct StorePlaceArgs {
    /// A directory or s3://bucket/prefix; without it the one that `limelight dev` keeps in this directory
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Where `limelight dev` keeps its state
    #[arg(long, value_name = "DIR", default_value = crate::command::DATA_DIRECTORY)]
    pub data: PathBuf,
}

/// Which time to look at.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Time")]
pub struct TimeArgs {
    /// From when: 2026-11-20T13:00:00Z, a day, or how long ago: 2h, 20mins, 3days
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub from: Option<String>,
    /// Until when, in the same forms (default: now)
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub to: Option<String>,
    /// The last so much: 15m, 2h, 7d
    #[arg(long, value_name = "DURATION")]
    pub last: Option<String>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// The API's answer as it is
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_long_help_says_more_than_the_short_one() {
        let mut command = Arguments::command();
        for (name, says) in
            [("dev", "Ctrl-C ends it in order"), ("replay", "the journal of a sandbox that was killed")]
        {
            let help = command.find_subcommand_mut(name).unwrap().clone().term_width(0).render_long_help();
            assert!(help.to_string().contains(says), "{help}");
        }
    }

    #[test]
    fn what_the_examples_say_can_be_typed() {
        let command = Arguments::command();
        // Unwrapped: a terminal is as wide as it is.
        let help = |command: clap::Command| command.term_width(0).render_long_help().to_string();
        let mut texts = vec![help(command.clone())];
        texts.extend(command.get_subcommands().cloned().map(help));
        let mut tried = 0;
        for line in texts.iter().flat_map(|text| text.lines()) {
            let Some(example) = line.trim().strip_prefix("limelight ") else { continue };
            let words = words(example);
            Arguments::try_parse_from(std::iter::once("limelight".to_owned()).chain(words))
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            tried += 1;
        }
        assert!(tried >= 12, "{tried} examples");
    }

    /// Splits as a shell does, up to a comment behind two blanks, a pipe or a redirection.
    fn words(example: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut quoted = false;
        let mut blanks = 0;
        for character in example.chars() {
            match character {
                '\'' => quoted = !quoted,
                ' ' if !quoted => {
                    blanks += 1;
                    if !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    if blanks > 1 {
                        break;
                    }
                    continue;
                }
                '|' | '>' if !quoted => break,
                other => word.push(other),
            }
            blanks = 0;
        }
        if !word.is_empty() {
            words.push(word);
        }
        words
    }
}
