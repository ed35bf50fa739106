//! The arguments of `limelight replay`.

use std::path::PathBuf;

use clap::Args;

use super::{Format, PlaceArgs};

/// `limelight replay`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "EXAMPLES
  limelight replay --dry-run                   what waits in the journals of this machine
  limelight replay                             send it to the `limelight dev` that runs here
  limelight replay ./journals --remove         those of a folder; remove the files that are done
  limelight replay a.letters --stream NAME     to a stream in AWS, by the environment's keys and region
  limelight replay -n a.letters --format json  each batch: when, events, functions, why it is here

WHERE JOURNALS ARE
  journals/ in the state of `limelight dev` (--data), and LIMELIGHT_JOURNAL_DIR, else limelight/ in
  TMPDIR, else /tmp/limelight.

WHAT THE STORE HAS ALREADY
  For 15 minutes the store itself knows a batch again. Which of older ones it has, this command asks
  `limelight dev`, or the API or store that --endpoint or --store names, and leaves those out. Where
  there is nobody to ask, older batches are not sent unless --unchecked says that none was stored.

EXIT CODES
  0  the stream or the store has every batch    1  some could not be sent or read
  2  what was typed is wrong                    3  there is no such file or stream")]
pub struct ReplayArgs {
    /// Files of letters, or folders that hold some (default: where the extensions of this machine keep their journals)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Show what is there, and send nothing
    #[arg(short = 'n', long, conflicts_with_all = ["remove", "unchecked"])]
    pub dry_run: bool,
    /// Remove files of which the stream or the store has every batch
    #[arg(long)]
    pub remove: bool,
    /// Send old batches too where nobody can be asked whether the store has them
    #[arg(long)]
    pub unchecked: bool,
    /// How to write what became of them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Where to.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Whom to ask.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Where batches go.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where to")]
pub struct TargetArgs {
    /// A stream's name or ARN; without it that of the `limelight dev` that runs here
    #[arg(long, value_name = "NAME")]
    pub stream: Option<String>,
    /// A Kinesis API; with it and no --stream each batch goes to the stream that it was meant for
    #[arg(long, env = "AWS_ENDPOINT_URL_KINESIS", value_name = "URL")]
    pub stream_endpoint: Option<String>,
}
