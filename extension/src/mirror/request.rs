//! One OTLP/HTTP request to the second destination, and what became of it.
//! Source: OpenTelemetry specification, "OTLP/HTTP Response".

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use wire::Signal;

use crate::config::Mirrored;
use crate::export::connection::Connection;

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
        match tokio::time::timeout(ANSWER_TIMEOUT, self.connection.call(request)).await {
            Ok(Ok(response)) => outcome(&response),
            Ok(Err(error)) => {
                let cause = error.into_source();
                let cause =
                    std::iter::successors(Some(&*cause as &dyn std::error::Error), |error| error.source());
                let why: Vec<String> = cause.map(ToString::to_string).collect();
                Outcome::Later { after: None, why: why.join(": ") }
            }
            Err(_) => {
                let why = format!("no answer within {} ms", ANSWER_TIMEOUT.as_millis());
                Outcome::Later { after: None, why }
            }
        }
    }
}

fn request(target: &Mirrored, parcel: &Parcel) -> Option<HttpRequest> {
    let path = match parcel.signal {
        Signal::Traces => "v1/traces",
        Signal::Logs => "v1/logs",
        Signal::Metrics => "v1/metrics",
    };
    let mut request = HttpRequest::new(parcel.body.clone().into());
    request.set_method("POST").ok()?;
    request.set_uri(format!("{}/{path}", target.endpoint.trim_end_matches('/'))).ok()?;
    let headers = request.headers_mut();
    for (name, value) in &target.headers {
        headers.try_insert(name.clone(), value.clone()).ok()?;
    }
    headers.try_insert("content-type", "application/x-protobuf").ok()?;
    headers.try_insert("content-encoding", "gzip").ok()?;
    headers.try_insert("user-agent", concat!("limelight-extension/", env!("CARGO_PKG_VERSION"))).ok()?;
    Some(request)
}

fn outcome(response: &HttpResponse) -> Outcome {
    let status = response.status().as_u16();
    let why = || format!("status {status}");
    match status {
        200..=299 => Outcome::Taken,
        429 | 502 | 503 | 504 => {
            let seconds = response.headers().get("retry-after").and_then(|text| text.parse().ok());
            Outcome::Later { after: seconds.map(Duration::from_secs), why: why() }
        }
        _ => Outcome::Refused(why()),
    }
}
