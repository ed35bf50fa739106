//! The arguments of `limelight dlq`.

use clap::{Args, Subcommand};

use super::{Format, StorePlaceArgs};

/// `limelight dlq`.
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "Records that nobody could read, or that could not be written, are put aside with the reason: no \
record stops a shard. When the cause is gone (a newer version reads them, a limit was raised) they are replayed: read \
again, and committed under their own identity, so that nothing can be there twice.",
    after_help = "EXAMPLES
  limelight dlq list                                  what was put aside, the newest first
  limelight dlq show shardId-000000000000/49590338-0
  limelight dlq show shardId-000000000000/49590338-0 --raw > record.bin
  limelight dlq replay --all --store s3://bucket/limelight

`limelight store vacuum` removes letters after 30 days, and the oldest of more than a gigabyte."
)]
pub struct DlqArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: DlqAction,
}

/// What can be done with dead letters.
#[derive(Debug, Clone, Subcommand)]
pub enum DlqAction {
    /// List what was put aside, the newest first
    List {
        /// The most letters to show
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// How to write them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
    /// Show one letter: where it came from, why it was put aside, how it begins
    Show {
        /// The letter's id, as `list` shows it
        #[arg(value_name = "ID")]
        id: String,
        /// Write the record's bytes, and nothing else
        #[arg(long)]
        raw: bool,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
    /// Read letters again and commit their events; those that are taken go
    Replay {
        /// The letters' ids
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// Every letter
        #[arg(long)]
        all: bool,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
}
