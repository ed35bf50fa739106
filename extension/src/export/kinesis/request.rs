//! Batches → one signed PutRecords request.
//! Source: Kinesis Data Streams API, "PutRecords"; AWS, "Signature Version 4".

use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4::{self, signing_params};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::Full;
use pipeline::batch::Sealed;
use serde_json::Value;

use crate::config::Stream;

const SERVICE: &str = "kinesis";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const TARGET_HEADER: &str = "x-amz-target";
const TARGET: &str = "Kinesis_20131202.PutRecords";
const USER_AGENT: &str = concat!("limelight-extension/", env!("CARGO_PKG_VERSION"));

/// A request's own words, and those around each of its batches, about.
const FRAME_BYTES: usize = 128;

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    #[error("the request cannot be described")]
    Parameters(#[from] signing_params::BuildError),
    #[error("the request cannot be signed")]
    Signature(#[from] SigningError),
}

/// The request's JSON.
pub(super) fn body(batches: &[Sealed], stream: &Stream) -> String {
    let data_bytes: usize = batches.iter().map(|batch| batch.data.len().div_ceil(3) * 4 + FRAME_BYTES).sum();
    let mut body = String::with_capacity(data_bytes + FRAME_BYTES);
    let (key, name) = match stream {
        Stream::Name(name) => ("StreamName", name),
        Stream::Arn(arn) => ("StreamARN", arn),
    };
    body.extend(["{\"", key, "\":", &json(name), ",\"Records\":["]);
    for (at, batch) in batches.iter().enumerate() {
        body.push_str(if at == 0 { "{\"Data\":\"" } else { ",{\"Data\":\"" });
        BASE64_STANDARD.encode_string(&batch.data, &mut body);
        body.extend(["\",\"PartitionKey\":", &json(&batch.partition_key()), "}"]);
    }
    body.push_str("]}");
    body
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

/// The request to the server at `address`, signed at `now`.
pub(super) fn signed(
    address: Uri,
    body: String,
    region: &str,
    keys: &Keys,
    now: SystemTime,
) -> Result<Request<Full<Bytes>>, SignError> {
    let uri = address.to_string();
    let headers = [("content-type", CONTENT_TYPE), (TARGET_HEADER, TARGET)];
    let signable =
        SignableRequest::new("POST", uri, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let identity = keys.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(now)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let (signature, _) = sign(signable, &parameters)?.into_parts();
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = address;
    for (name, value) in [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::HeaderName::from_static(TARGET_HEADER), TARGET),
        (header::USER_AGENT, USER_AGENT),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    signature.apply_to_request_http1x(&mut request);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BatchId;
    use pipeline::batch::Worth;
    use serde_json::json;

    fn batch(sandbox: &str, data: &[u8]) -> Sealed {
        let id = BatchId { sandbox: sandbox.to_owned(), sequence: 7 };
        Sealed { id, events: 1, worth: Worth::Mixed, data: data.to_vec() }
    }

    #[test]
    fn the_body_is_the_apis_json() {
        let name = Stream::Name("telemetry".to_owned());
        let sent: Value =
            serde_json::from_str(&body(&[batch("a", &[0, 255]), batch("\"b\\", b"")], &name)).unwrap();
        let records = json!([
            { "Data": "AP8=", "PartitionKey": "a-7" },
            { "Data": "", "PartitionKey": "\"b\\-7" },
        ]);
        assert_eq!(sent, json!({ "StreamName": "telemetry", "Records": records }));
        let sent: Value = serde_json::from_str(&body(&[], &Stream::Arn("arn:x".to_owned()))).unwrap();
        assert_eq!(sent, json!({ "StreamARN": "arn:x", "Records": [] }));
    }

    #[test]
    fn the_signature_covers_the_host_the_target_and_the_token() {
        let keys = Keys::new("AKID", "secret", Some("token".to_owned()), None, "test");
        let address = Uri::from_static("http://127.0.0.1:4567/");
        let request = signed(address, "{}".to_owned(), "eu-west-1", &keys, SystemTime::UNIX_EPOCH).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=AKID/19700101/eu-west-1/kinesis/aws4_request, ";
        let covered =
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=";
        assert!(
            header("authorization").starts_with(&format!("{scope}{covered}")),
            "{}",
            header("authorization")
        );
        assert_eq!([header("x-amz-date"), header("x-amz-security-token")], ["19700101T000000Z", "token"]);
    }
}
