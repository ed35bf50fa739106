//! What the stream answered → an outcome for each batch, or why the request failed.
//! Source: Kinesis Data Streams API, "PutRecords", "Common Errors"; Smithy, "AWS JSON 1.1 protocol".

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;

use super::{Failure, Outcome};

const ERROR_HEADER: &str = "x-amzn-errortype";

/// The body of a request that was taken, entry by entry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    records: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    error_code: Option<String>,
    error_message: Option<String>,
}

/// The body of a request that was not.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// Never fails: an answer that nobody can read is as good as none.
pub(super) fn read(answer: &Response<Bytes>) -> Outcome {
    if answer.status() != StatusCode::OK {
        return Outcome::Failed(failure(answer));
    }
    match serde_json::from_slice::<Answer>(answer.body()) {
        Ok(answer) => Outcome::Answered(answer.records.into_iter().map(entry).collect()),
        Err(error) => Outcome::Failed(Failure::Unreachable(format!("an unreadable answer: {error}"))),
    }
}

fn entry(entry: Entry) -> Result<(), String> {
    match entry.error_code {
        None => Ok(()),
        Some(code) => Err(format!("{code}: {}", entry.error_message.unwrap_or_default())),
    }
}

fn failure(answer: &Response<Bytes>) -> Failure {
    let refusal: Refusal = serde_json::from_slice(answer.body()).unwrap_or_default();
    let header = answer.headers().get(ERROR_HEADER).and_then(|text| text.to_str().ok());
    let Some(code) = header.or(refusal.kind.as_deref()).or(refusal.code.as_deref()).map(bare) else {
        return Failure::Unreachable(format!("an answer without a code, status {}", answer.status()));
    };
    let why = format!("{code}: {}", refusal.message.unwrap_or_default());
    match code {
        "ResourceNotFoundException"
        | "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException"
        | "KMSAccessDeniedException"
        | "KMSDisabledException"
        | "KMSNotFoundException"
        | "KMSOptInRequired" => Failure::Setup(why),
        "InvalidArgumentException" | "ValidationException" | "SerializationException" => {
            Failure::Refused(why)
        }
        _ => Failure::Unreachable(why),
    }
}

/// A code may stand in a namespace, and have an address behind it.
fn bare(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, kind: Option<&str>, body: &str) -> Outcome {
        let mut answer = Response::builder().status(status);
        if let Some(kind) = kind {
            answer = answer.header(ERROR_HEADER, kind);
        }
        read(&answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    #[test]
    fn each_entry_has_its_own_fate() {
        let body = r#"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"49","ShardId":"shardId-000000000000"},
            {"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slow"}],"EncryptionType":"KMS"}"#;
        let Outcome::Answered(entries) = answer(200, None, body) else { panic!("no entries") };
        assert_eq!(entries, [Ok(()), Err("ProvisionedThroughputExceededException: slow".to_owned())]);
    }

    #[test]
    fn a_refusal_is_told_by_its_code_wherever_that_stands() {
        let missing = r#"{"__type":"com.amazonaws.kinesis#ResourceNotFoundException","message":"no stream"}"#;
        assert!(matches!(answer(400, None, missing), Outcome::Failed(Failure::Setup(why))
            if why == "ResourceNotFoundException: no stream"));
        let header = Some("ValidationException:http://internal.amazon.com/");
        assert!(
            matches!(answer(400, header, r#"{"Message":"too long"}"#), Outcome::Failed(Failure::Refused(why))
            if why == "ValidationException: too long")
        );
        let slow = r#"{"__type":"ProvisionedThroughputExceededException"}"#;
        assert!(matches!(answer(400, None, slow), Outcome::Failed(Failure::Unreachable(_))));
    }

    #[test]
    fn what_nobody_can_read_is_no_answer() {
        for (status, body) in [(200, "{}"), (200, ""), (500, "<html>"), (503, ""), (302, "")] {
            assert!(matches!(answer(status, None, body), Outcome::Failed(Failure::Unreachable(_))), "{body}");
        }
    }
}
