//! The arguments of `limelight store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, StorePlaceArgs, TimeArgs};

/// `limelight store`.
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "Looks after the files of a store. `limelight dev` and the deployed companion do it by themselves; \
this is for seeing what they do, for doing it now, and for proving that all is there. All of it is safe beside \
writers and readers, and may be interrupted at any time.",
    after_help = "EXAMPLES
  limelight store stats                               how each dataset's files are
  limelight store compact lambda-logs                 small files become large ones
  limelight store vacuum --store s3://bucket/limelight
  limelight store verify                              log, files, rows and batches agree, or what does not
  limelight store export lambda-logs --from 2h | jq .message
  limelight store export otel --output otel.ndjson"
)]
pub struct StoreArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// What can be done with a store.
#[derive(Debug, Clone, Subcommand)]
pub enum StoreAction {
    /// Show how each dataset's files are
    Stats {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
    /// Take out what is kept no longer, and make few files of many
    Compact {
        /// Only these datasets
        #[arg(value_name = "DATASET")]
        datasets: Vec<String>,
        /// How long events are kept, as 30d or lambda-logs=7d/10GB, otel=/50GB, 90d (default: for ever)
        #[arg(long, env = "LIMELIGHT_RETENTION", value_name = "TEXT", default_value = "")]
        retention: String,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
    /// Remove files that no reader can need any longer, and old dead letters
    Vacuum {
        /// For how many hours what left the datasets stays; at least 2
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        hours: u64,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
    /// Prove that log, files, row counts and batches agree: reads everything
    Verify {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
    /// Write a dataset's events, one JSON object a line
    Export {
        /// The dataset
        #[arg(value_name = "DATASET")]
        dataset: String,
        /// A file to write to instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Which time (default: all).
        #[command(flatten)]
        time: TimeArgs,
        /// Which store.
        #[command(flatten)]
        place: StorePlaceArgs,
    },
}
