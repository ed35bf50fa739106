//! OTLP's other direction: an export request as an application's SDK sends it (protobuf or JSON) in, its spans, logs
//! and metric points out; and the answers that the protocol wants. For whoever receives OTLP: the extension beside the
//! function, the companion over HTTP. Knows no socket, no header, no status.
//!
//! Source: OpenTelemetry specification, "OTLP Specification" 1.9, and opentelemetry-proto 1.9.

mod answer;
mod part;
mod json;

pub use answer::{Code, accepted, refused};

use model::{LogRecord, Map, Metric, Span, Timestamp};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::error::DecodeError;
use crate::limits::Limits;
use crate::structure::{self, Signal, Structure};

/// How a request is written, and so its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`, and gRPC's messages.
    Protobuf,
    /// `application/json`, in OTLP's own mapping: ids in hexadecimal digits.
    Json,
}

/// What a request brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Export {
    /// One for each pair of resource and scope, in the request's order.
    pub parts: Vec<Part>,
    /// Spans without an id of their own or of their trace: nobody can find their place.
    pub rejected: u64,
}

/// Records of one resource and one scope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// What the resource and the scope say of themselves, under their own names; a scope's name and version as
    /// `otel.scope.name` and `otel.scope.version`, as OpenTelemetry has it for systems without scopes.
    pub origin: Map,
    /// In the request's order; the request id is none unless an attribute `faas.invocation_id` tells it.
    pub spans: Vec<Span>,
    /// In the request's order. Their keys: the attributes, and the body as `message`, or its own keys, or `body`.
    pub logs: Vec<LogRecord>,
    /// In the request's order.
    pub metrics: Vec<Metric>,
}

impl Export {
    /// How many records there are.
    pub fn records(&self) -> usize {
        self.parts.iter().map(|part| part.spans.len() + part.logs.len() + part.metrics.len()).sum()
    }
}

/// Reads a request. `arrived_at` is the time of records that carry none.
///
/// # Errors
/// When the bytes are no such request, or pass a limit. Nothing is taken from such a request.
pub fn read(
    bytes: &[u8],
    signal: Signal,
    encoding: Encoding,
    arrived_at: Timestamp,
    limits: &Limits,
) -> Result<Export, DecodeError> {
    match signal {
        Signal::Traces => part::traces(request(bytes, Structure::Traces, encoding, limits)?),
        Signal::Logs => part::logs(request(bytes, Structure::Logs, encoding, limits)?, arrived_at),
        Signal::Metrics => part::metrics(request(bytes, Structure::Metrics, encoding, limits)?, arrived_at),
    }
}

/// One of OTLP's three requests.
trait Request: Message + Default {
    const NAME: &'static str;

    fn from_json(object: json::Object) -> Result<Self, json::Fault>;
}

impl Request for ExportTraceServiceRequest {
    const NAME: &'static str = "ExportTraceServiceRequest";

    fn from_json(object: json::Object) -> Result<Self, json::Fault> {
        json::traces(object)
    }
}

impl Request for ExportLogsServiceRequest {
    const NAME: &'static str = "ExportLogsServiceRequest";

    fn from_json(object: json::Object) -> Result<Self, json::Fault> {
        json::logs(object)
    }
}

impl Request for ExportMetricsServiceRequest {
    const NAME: &'static str = "ExportMetricsServiceRequest";

    fn from_json(object: json::Object) -> Result<Self, json::Fault> {
        json::metrics(object)
    }
}

fn request<R: Request>(
    bytes: &[u8],
    structure: Structure,
    encoding: Encoding,
    limits: &Limits,
) -> Result<R, DecodeError> {
    match encoding {
        Encoding::Protobuf => {
            structure::check(bytes, structure, limits)?;
            R::decode(bytes).map_err(|source| DecodeError::Protobuf {
                message: R::NAME,
                at: 0,
                source: Some(source),
            })
        }
        Encoding::Json => {
            let object = json::Object::read(bytes, limits)?;
            R::from_json(object).map_err(|fault| fault.in_message(R::NAME))
        }
    }
}

#[cfg(test)]
mod tests;
