//! Given-up records → the message about them, in AWS's words, to a queue, a file or a function of the caller.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>. The message names
//! the records and does not carry them: they stay in the stream until it forgets them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt;

use super::retry::{Condition, Work};

/// How often a message is tried before the loss is logged; the shard waits meanwhile.
const TRIES: u32 = 3;

/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Where news of given-up records goes.
#[derive(Clone, Default)]
pub enum OnFailure {
    /// Nowhere: the loss is logged.
    #[default]
    Nowhere,
    /// An SQS queue.
    Sqs {
        /// Calls it.
        client: aws_sdk_sqs::Client,
        /// Names it.
        queue_url: String,
    },
    /// A file of JSON lines.
    File(PathBuf),
    /// The caller's own function, which must not block.
    Call(Arc<dyn Fn(&Value) + Send + Sync>),
}

/// The last invocation that had the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastInvocation {
    pub(super) request_id: String,
    pub(super) executed_version: String,
    /// `Unhandled`, or nothing if the function answered with item failures.
    pub(super) function_error: Option<&'static str>,
}

/// Everything a message says.
pub(super) struct Failure<'a> {
    pub(super) work: &'a Work,
    pub(super) condition: Condition,
    pub(super) shard: &'a str,
    pub(super) stream_arn: &'a str,
    pub(super) function_arn: &'a str,
    /// `None`: they were given up untried.
    pub(super) last: Option<&'a LastInvocation>,
    pub(super) now: Timestamp,
}

impl fmt::Debug for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("Nowhere"),
            Self::Sqs { queue_url, .. } => f.debug_tuple("Sqs").field(queue_url).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Call(_) => f.write_str("Call"),
        }
    }
}

impl OnFailure {
    /// Sends the message; after three failures it is logged and the shard goes on, as AWS does.
    pub(super) async fn send(&self, failure: &Failure<'_>) {
        let message = message(failure);
        for _ in 0..TRIES {
            match self.try_send(&message).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(error, "a message about given-up records could not be sent"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        tracing::error!(%message, "records were given up and their destination does not answer");
    }

    async fn try_send(&self, message: &Value) -> Result<(), String> {
        match self {
            Self::Nowhere => tracing::warn!(%message, "records were given up"),
            Self::Call(call) => call(message),
            Self::File(path) => append(path, message).await.map_err(|error| error.to_string())?,
            Self::Sqs { client, queue_url } => {
                let sent = client.send_message().queue_url(queue_url).message_body(message.to_string());
                sent.send().await.map_err(|error| super::causes(&error))?;
            }
        }
        Ok(())
    }
}

/// The message, field by field as documented.
fn message(failure: &Failure<'_>) -> Value {
    let records = &failure.work.records;
    let (first, last) = (records.first(), records.last());
    let request_id = failure.last.map(|last| last.request_id.clone());
    let mut message = json!({
        "requestContext": {
            "requestId": request_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            "functionArn": failure.function_arn,
            "condition": failure.condition.as_str(),
            "approximateInvokeCount": failure.work.invocations,
        },
        "version": "1.0",
        "timestamp": clock_text(failure.now),
        "KinesisBatchInfo": {
            "shardId": failure.shard,
            "startSequenceNumber": first.map(|record| &record.sequence),
            "endSequenceNumber": last.map(|record| &record.sequence),
            "approximateArrivalOfFirstRecord": first.map(|record| clock_text(record.arrived_at)),
            "approximateArrivalOfLastRecord": last.map(|record| clock_text(record.arrived_at)),
            "batchSize": records.len(),
            "streamArn": failure.stream_arn,
        },
    });
    if let Some(last) = failure.last {
        message["responseContext"] = json!({ "statusCode": 200, "executedVersion": last.executed_version });
        if let Some(error) = last.function_error {
            message["responseContext"]["functionError"] = json!(error);
        }
    }
    message
}

/// `2019-11-14T00:38:06.021Z`, always with milliseconds.
fn clock_text(time: Timestamp) -> String {
    format!("{time:.3}")
}

async fn append(path: &Path, message: &Value) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path).await?;
    file.write_all(format!("{message}\n").as_bytes()).await?;
    file.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_source::fixture::records;

    fn failure<'a>(work: &'a Work, last: Option<&'a LastInvocation>) -> Failure<'a> {
        Failure {
            work,
            condition: Condition::RetryAttemptsExhausted,
            shard: "shardId-000000000001",
            stream_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
            function_arn: "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
            last,
            now: Timestamp::from_millisecond(1_573_691_886_021).unwrap(),
        }
    }

    #[test]
    fn the_message_is_as_documented() {
        let work = Work { records: records(3), failures: 2, invocations: 2 };
        let last = LastInvocation {
            request_id: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5".into(),
            executed_version: "$LATEST".into(),
            function_error: Some("Unhandled"),
        };
        let expected = json!({
            "requestContext": {
                "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
                "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 2
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled"
            },
            "version": "1.0",
            "timestamp": "2019-11-14T00:38:06.021Z",
            "KinesisBatchInfo": {
                "shardId": "shardId-000000000001",
                "startSequenceNumber": "100",
                "endSequenceNumber": "102",
                "approximateArrivalOfFirstRecord": "2026-11-20T14:20:00.000Z",
                "approximateArrivalOfLastRecord": "2026-11-20T14:20:02.000Z",
                "batchSize": 3,
                "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/mystream"
            }
        });
        assert_eq!(message(&failure(&work, Some(&last))), expected);
        assert_eq!(message(&failure(&work, None)).get("responseContext"), None);
    }

    #[tokio::test]
    async fn a_file_gets_a_line_per_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("given-up.jsonl");
        let work = Work::new(records(1));
        for _ in 0..2 {
            OnFailure::File(path.clone()).send(&failure(&work, None)).await;
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 2);
    }
}
