//! An event source mapping: records of a Kinesis stream → invocations of a function, as Lambda's pollers do it.
//!
//! One task per shard, parallelisation factor 1: a shard's batches run in order, one at a time. Reading, waiting
//! and invoking are here; when a batch is ready (`batch`), what a failure leads to (`retry`, `response`), which
//! shard may be read (`shards`) and what an event looks like (`record`) are decided without socket or clock.
//! Not built: parallelisation over one, tumbling windows, filters, enhanced fan-out.

pub mod client;

mod batch;
mod checkpoint;
mod destination;
mod reader;
mod record;
mod response;
mod retry;
mod shard;
mod shards;

#[cfg(test)]
mod fixture;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use checkpoint::{CheckpointError, Checkpoints};
pub use destination::OnFailure;
pub use retry::Condition;

use crate::Lambda;
use reader::Stream;
use record::Origin;
use shards::Shards;

/// Records in one batch, as the API allows.
const BATCH_SIZE_MAX: usize = 10_000;

/// The longest batching window, as the API allows.
const WINDOW_MAX: Duration = Duration::from_secs(300);

/// Where a mapping without checkpoints begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// With the oldest record that the stream still has.
    TrimHorizon,
    /// With what arrives from now on.
    Latest,
    /// With the first record at or after this time.
    AtTimestamp(Timestamp),
}

/// A stream, a function, and how the one feeds the other. Defaults are AWS's, unless a field says otherwise.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Name or ARN.
    pub stream: String,
    /// The function's name.
    pub function: String,
    /// Where the first run begins; later ones go on at their checkpoints.
    pub start: StartingPosition,
    /// Records per invocation, 1 to 10,000; 100. Six megabytes of payload end a batch earlier.
    pub batch_size: usize,
    /// How long records may wait for a fuller batch, up to five minutes; zero.
    pub window: Duration,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`; off.
    pub report_item_failures: bool,
    /// Halve a batch that failed; off.
    pub bisect: bool,
    /// Retries after a function error; `None`, for ever, as AWS's -1.
    pub retries_max: Option<u32>,
    /// Older records are given up; `None`, never, as AWS's -1. (AWS allows no less than a minute.)
    pub record_age_max: Option<Duration>,
    /// Where news of given-up records goes.
    pub on_failure: OnFailure,
    /// Where progress is kept.
    pub checkpoints: Checkpoints,
    /// The pause between two reads of a shard that had nothing new: one second, as AWS.
    pub poll_interval: Duration,
    /// How often new shards are looked for (also at the end of a shard): ten seconds.
    pub shard_interval: Duration,
    /// The first wait before a retry and the longest, doubling: 200 ms to 10 s (AWS does not say what its are).
    pub retry_wait: (Duration, Duration),
}

/// Why a mapping cannot run (any more).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventSourceError {
    /// A setting is out of its range.
    #[error("{0}")]
    Setting(&'static str),
    /// No such function.
    #[error("there is no function {0:?} for the stream's records")]
    UnknownFunction(String),
    /// No such stream.
    #[error("there is no stream {0:?}")]
    UnknownStream(String),
    /// The checkpoints cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A shard's task panicked.
    #[error("the task of a shard failed")]
    Shard(#[from] tokio::task::JoinError),
}

impl Mapping {
    /// With AWS's defaults, from the stream's oldest record, checkpoints in memory.
    pub fn new(stream: impl Into<String>, function: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            function: function.into(),
            start: StartingPosition::TrimHorizon,
            batch_size: 100,
            window: Duration::ZERO,
            report_item_failures: false,
            bisect: false,
            retries_max: None,
            record_age_max: None,
            on_failure: OnFailure::Nowhere,
            checkpoints: Checkpoints::memory(),
            poll_interval: Duration::from_secs(1),
            shard_interval: Duration::from_secs(10),
            retry_wait: (Duration::from_millis(200), Duration::from_secs(10)),
        }
    }

    /// The stream's name, also out of an ARN.
    fn stream_name(&self) -> &str {
        self.stream.rsplit_once(":stream/").map_or(&self.stream, |(_, name)| name)
    }

    fn check(&self) -> Result<(), EventSourceError> {
        if self.batch_size == 0 || self.batch_size > BATCH_SIZE_MAX {
            return Err(EventSourceError::Setting("the batch size must be 1 to 10,000 records"));
        }
        if self.window > WINDOW_MAX {
            return Err(EventSourceError::Setting("the batching window must be at most 300 seconds"));
        }
        if self.poll_interval.is_zero() || self.shard_interval.is_zero() || self.retry_wait.0.is_zero() {
            return Err(EventSourceError::Setting("the pauses between reads and retries must be over zero"));
        }
        Ok(())
    }
}

/// Feeds the function until `shutdown`; a batch that runs is finished first.
///
/// A stream that cannot be reached is tried again; one that is not there is an error.
///
/// # Errors
/// If the mapping makes no sense, the function or the stream is not there, the checkpoints cannot be read, or a
/// shard's task panicked.
pub async fn run(
    lambda: Lambda,
    mapping: Mapping,
    kinesis: aws_sdk_kinesis::Client,
    shutdown: impl Future<Output = ()>,
) -> Result<(), EventSourceError> {
    mapping.check()?;
    let Some(function) = lambda.function(&mapping.function) else {
        return Err(EventSourceError::UnknownFunction(mapping.function));
    };
    let identity_arn = format!("arn:aws:iam::{}:role/lambda-role", function.account);
    let region = function.region.clone();
    let stream = Stream::new(kinesis, mapping.stream_name());
    let mut shutdown = pin!(shutdown);
    let described = tokio::select! {
        described = stream.describe(mapping.poll_interval) => described,
        () = &mut shutdown => return Ok(()),
    };
    let stream_arn = described.ok_or_else(|| EventSourceError::UnknownStream(mapping.stream.clone()))?;
    let origin = Origin { region: region_of(&stream_arn).unwrap_or(region), stream_arn, identity_arn };
    let source = Arc::new(shard::Source { lambda, mapping, stream, origin });
    conduct(source, shutdown).await
}

/// Looks for shards, starts their tasks, and ends them at shutdown.
async fn conduct(
    source: Arc<shard::Source>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), EventSourceError> {
    let kept = source.mapping.checkpoints.load(&source.origin.stream_arn).await?;
    let (stop, stopping) = watch::channel(false);
    let mut shards = Shards::default();
    let mut tasks = JoinSet::new();
    loop {
        let listed = tokio::select! {
            listed = source.stream.shards() => listed,
            () = &mut shutdown => break,
        };
        match listed {
            Ok(listed) => shards.learn(listed, &kept),
            Err(error) => tracing::warn!(stream = source.stream.name(), %error, "shards could not be listed"),
        }
        for (id, start) in shards.startable() {
            tasks.spawn(shard::follow(Arc::clone(&source), id, start, stopping.clone()));
        }
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = tasks.join_next() => {
                if let shard::Ended::Closed(id) = ended? {
                    shards.finish(&id);
                }
            }
            () = tokio::time::sleep(source.mapping.shard_interval) => {}
        }
    }
    stop.send_replace(true);
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(())
}

/// `arn:aws:kinesis:eu-west-1:…` → `eu-west-1`.
fn region_of(stream_arn: &str) -> Option<String> {
    stream_arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
}

/// An error and what caused it, in one line; an SDK's own text is only "service error".
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_a_name_in_every_form() {
        assert_eq!(Mapping::new("orders", "f").stream_name(), "orders");
        let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
        assert_eq!(Mapping::new(arn, "f").stream_name(), "orders");
        assert_eq!(region_of(arn).as_deref(), Some("eu-west-1"));
        assert_eq!(region_of("orders"), None);
    }

    #[test]
    fn settings_out_of_range_are_errors() {
        let sane = || Mapping::new("s", "f");
        assert!(sane().check().is_ok());
        assert!(Mapping { batch_size: 0, ..sane() }.check().is_err());
        assert!(Mapping { batch_size: 10_001, ..sane() }.check().is_err());
        assert!(Mapping { window: Duration::from_secs(301), ..sane() }.check().is_err());
        assert!(Mapping { poll_interval: Duration::ZERO, ..sane() }.check().is_err());
    }
}
