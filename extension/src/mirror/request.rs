//! One OTLP/HTTP request to the second destination, and what became of it.
//! Source: OpenTelemetry specification, "OTLP/HTTP Response".

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use wire::Signal;

use crate::config::Mirrored;
use crate::export::connection::{Connection, causes};

/// A vendor's ingress answers within some 100 ms. A request that is given up may have arrived, and is sent again: OTLP
/// promises at least once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// One request's cargo.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) signal: Signal,
    /// Protobuf, compressed.
    pub(super) body: Vec<u8>,
    /// For counting what was taken with it.
    pub(super) events: u64,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Taken,
    /// No answer, or one that says "not now".
    Later {
        after: Option<Duration>,
        why: String,
    },
    /// It will never be taken.
    Refused(String),
}

/// The client: one connection, as the stream's.
#[derive(Debug, Default)]
pub(super) struct Client {
    connection: Connection,
}

impl Client {
    pub(super) async fn post(&self, target: &Mirrored, parcel: &Parcel) -> Outcome {
        let Some(request) = request(target, parcel) else {
            return Outcome::Refused("the endpoint or a header cannot be sent".to_owned());
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, self.connection.exchange(request)).await {
            Ok(Ok(response)) => outcome(&response),
            Ok(Err(error)) => Outcome::Later { after: None, why: causes(&error) },
            Err(_) => {
                let why = format!("no answer within {} ms", ANSWER_TIMEOUT.as_millis());
                Outcome::Later { after: None, why }
            }
        }
    }
}

fn request(target: &Mirrored, parcel: &Parcel) -> Option<Request<Full<Bytes>>> {
    let path = match parcel.signal {
        Signal::Traces => "v1/traces",
        Signal::Logs => "v1/logs",
        Signal::Metrics => "v1/metrics",
    };
    let address = format!("{}/{path}", target.endpoint.trim_end_matches('/'));
    let mut request = Request::post(address);
    for (name, value) in &target.headers {
        request = request.header(name, value);
    }
    let mut request = request.body(Full::from(parcel.body.clone())).ok()?;
    for (name, value) in [
        (header::CONTENT_TYPE, "application/x-protobuf"),
        (header::CONTENT_ENCODING, "gzip"),
        (header::USER_AGENT, concat!("limelight-extension/", env!("CARGO_PKG_VERSION"))),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Some(request)
}

fn outcome(response: &Response<Bytes>) -> Outcome {
    let status = response.status().as_u16();
    let why = || format!("status {status}");
    match status {
        200..=299 => Outcome::Taken,
        429 | 502 | 503 | 504 => {
            let header = response.headers().get(header::RETRY_AFTER);
            let seconds = header.and_then(|text| text.to_str().ok()?.parse().ok());
            Outcome::Later { after: seconds.map(Duration::from_secs), why: why() }
        }
        _ => Outcome::Refused(why()),
    }
}
