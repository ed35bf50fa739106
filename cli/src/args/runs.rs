//! The arguments of `limelight runs`.

use clap::{Args, Subcommand};

use super::{Format, PlaceArgs, QueryFormat};

/// `limelight runs`.
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "Every execution of a query has an id. `limelight query --save` keeps its answer for 30 days under that id, \
so that others see the same figures later; while it runs it can be stopped.",
    after_help = "EXAMPLES
  limelight query 'COUNT GROUP BY $limelight.level LAST 1d' --save
  limelight runs list
  limelight runs show 3f0c9a…                         the answer as it was
  limelight runs delete 3f0c9a…                       stop the query, or let go of its answer"
)]
pub struct RunsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: RunsAction,
}

/// What can be done with query runs.
#[derive(Debug, Clone, Subcommand)]
pub enum RunsAction {
    /// List the answers that are kept, the newest first
    List {
        /// The most answers to show
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// How to write them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// Whom to ask.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Show an answer that was kept
    Show {
        /// The run's id
        #[arg(value_name = "ID")]
        id: String,
        /// How to write the answer
        #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
        format: QueryFormat,
        /// Whom to ask.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Stop a query that runs, or let go of the answer that was kept
    Delete {
        /// The run's id
        #[arg(value_name = "ID")]
        id: String,
        /// Whom to ask.
        #[command(flatten)]
        place: PlaceArgs,
    },
}
