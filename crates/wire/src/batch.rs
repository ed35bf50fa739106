//! The batch: spans, logs and metrics of one sandbox in, the bytes of one stream record out, and back.
//! The extension encodes; the companion decodes (through [`crate::decode`]).

use std::collections::BTreeMap;

use libdeflater::{CompressionLvl, Compressor};
use model::{BatchId, LogRecord, Metric, Resource, Span};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use crate::error::DecodeError;
use crate::limits::Limits;
use crate::otlp::{Dialect, metric, resource, scope, span};
use crate::structure::{self, Structure};
use crate::writer::Writer;

/// What the extension ships at once. Everything in it has the same resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who made it, and which of its batches it is.
    pub id: BatchId,
    /// The number, in the sandbox's life and from 0, of the first record. Spans, then logs, then metrics count.
    pub first_record: u64,
    /// Who emitted the records.
    pub resource: Resource,
    /// In any order.
    pub spans: Vec<Span>,
    /// In the order in which they were printed.
    pub logs: Vec<LogRecord>,
    /// In any order; neighbours of one name and unit take the least room.
    pub metrics: Vec<Metric>,
    /// The sandbox's totals so far, this batch included.
    pub account: Account,
}

/// What became of all records that a sandbox has received so far: the promise is
/// `received = shipped + shed + lost + still in memory`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Records taken from the platform and the function's own SDK.
    pub received: u64,
    /// Records in batches up to and with this one.
    pub shipped: u64,
    /// Records that were sent more than once.
    pub retried: u64,
    /// Values (not records) that were scrubbed.
    pub scrubbed: u64,
    /// Reason → values of `scrubbed`.
    pub scrubbed_by: BTreeMap<String, u64>,
    /// Reason → records given up on purpose, by policy.
    pub shed: BTreeMap<String, u64>,
    /// Reason → records that could not be delivered or never arrived (`platform.logsDropped`).
    pub lost: BTreeMap<String, u64>,
    /// Why the sandbox ended, on its last batch; empty on all others. A sandbox of which no batch has it still lives
    /// or was killed, and what it received after its last batch is unknown.
    pub closed: String,
    /// Word → what else happened on the way, neither shed nor lost (`journalled`, `replayed`, `journal_failed`,
    /// `panics`).
    pub counts: BTreeMap<String, u64>,
}

/// The version that is written, and the only one that is read.
pub(crate) const VERSION: u32 = 1;
/// `version = 1` as protobuf writes it: field 15, a varint. The first bytes of every batch.
pub(crate) const HEAD: [u8; 2] = [15 << 3, 1];

/// Field numbers of [`Message`].
const TRACES: u64 = 1;
const LOGS: u64 = 2;
const METRICS: u64 = 3;

/// Field numbers that OTLP's three export requests share (opentelemetry-proto, `collector/*/v1/*_service.proto`,
/// `trace/v1/trace.proto`, `logs/v1/logs.proto`, `metrics/v1/metrics.proto`).
mod field {
    /// `resource_spans`, `resource_logs`, `resource_metrics` of a request.
    pub(super) const OF_RESOURCE: u64 = 1;
    /// `resource` of each of these.
    pub(super) const RESOURCE: u64 = 1;
    /// `scope_spans`, `scope_logs`, `scope_metrics` of each of these.
    pub(super) const SCOPES: u64 = 2;
}

/// What a batch takes beside its records, and what a record takes beside its line, about: a first guess that seldom has
/// to be corrected.
const BATCH_BYTES: usize = 4 * 1024;
const RECORD_BYTES: usize = 192;

/// `batch.proto`. `version` is not among the fields: prost writes fields by number, and it must come first.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(message, optional, tag = "1")]
    traces: Option<ExportTraceServiceRequest>,
    #[prost(message, optional, tag = "2")]
    logs: Option<ExportLogsServiceRequest>,
    #[prost(message, optional, tag = "3")]
    metrics: Option<ExportMetricsServiceRequest>,
    #[prost(string, tag = "4")]
    sandbox: String,
    #[prost(uint64, tag = "5")]
    sequence: u64,
    #[prost(uint64, tag = "6")]
    first_record: u64,
    #[prost(message, optional, tag = "7")]
    account: Option<AccountMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AccountMessage {
    #[prost(uint64, tag = "1")]
    received: u64,
    #[prost(uint64, tag = "2")]
    shipped: u64,
    #[prost(uint64, tag = "3")]
    retried: u64,
    #[prost(uint64, tag = "4")]
    scrubbed: u64,
    // B-trees, so that the same account gives the same bytes.
    #[prost(btree_map = "string, uint64", tag = "5")]
    shed: BTreeMap<String, u64>,
    #[prost(btree_map = "string, uint64", tag = "6")]
    lost: BTreeMap<String, u64>,
    #[prost(btree_map = "string, uint64", tag = "7")]
    scrubbed_by: BTreeMap<String, u64>,
    #[prost(string, tag = "8")]
    closed: String,
    #[prost(btree_map = "string, uint64", tag = "9")]
    counts: BTreeMap<String, u64>,
}

/// libdeflate's level: what it makes of a batch is as small as what gzip makes of it with 6, for a third of the work.
const GZIP_LEVEL: i32 = 6;

/// The bytes of a stream record: one gzip member around [`encode_plain`]. The same batch gives the same bytes.
pub fn encode(batch: &Batch) -> Vec<u8> {
    compress(batch.write().written())
}

/// One gzip member around what [`encode_plain`] gave, for who has sized a batch already. Without name and time, so
/// that the same bytes give the same bytes.
pub fn compress(plain: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(GZIP_LEVEL).unwrap_or_default());
    let mut bytes = vec![0; compressor.gzip_compress_bound(plain.len())];
    match compressor.gzip_compress(plain, &mut bytes) {
        Ok(length) => {
            // Batches wait in memory until they are acknowledged, and telemetry compresses to a tenth.
            bytes.truncate(length);
            bytes.shrink_to_fit();
            bytes
        }
        // There is room for the worst case. Plain bytes are a record that every reader takes.
        Err(_) => plain.to_vec(),
    }
}

/// The protobuf message before compression, for sizing. Its length is the record's cost at the reader, too
/// (see [`crate::Limits::inflated_bytes_max`]).
pub fn encode_plain(batch: &Batch) -> Vec<u8> {
    batch.write().into_bytes()
}

impl Batch {
    /// How many records it carries.
    pub fn records(&self) -> usize {
        self.spans.len() + self.logs.len() + self.metrics.len()
    }

    /// Field by field from the last to the first, without intermediate messages for what there is much of.
    fn write(&self) -> Writer {
        let lines: usize = self.logs.iter().filter_map(|log| log.line.as_ref()).map(String::len).sum();
        let mut writer = Writer::with_capacity(BATCH_BYTES + self.records() * RECORD_BYTES + lines);
        let rest = Message {
            sandbox: self.id.sandbox.clone(),
            sequence: self.id.sequence,
            first_record: self.first_record,
            account: Some(AccountMessage::from(&self.account)),
            ..Message::default()
        };
        writer.raw(&rest.encode_to_vec());
        if !self.metrics.is_empty() {
            self.write_request(&mut writer, METRICS, |writer| {
                writer.message(field::SCOPES, |writer| metric::write(writer, &self.metrics));
            });
        }
        // Somebody must say who speaks.
        if !self.logs.is_empty() || (self.spans.is_empty() && self.metrics.is_empty()) {
            self.write_request(&mut writer, LOGS, |writer| {
                for logs in scope::runs(&self.logs).rev() {
                    writer.message(field::SCOPES, |writer| scope::write(writer, logs));
                }
            });
        }
        if !self.spans.is_empty() {
            self.write_request(&mut writer, TRACES, |writer| {
                writer.message(field::SCOPES, |writer| span::write_all(writer, &self.spans));
            });
        }
        writer.raw(&HEAD);
        writer
    }

    /// One signal's export request: this resource, and `scopes` below it.
    fn write_request(&self, writer: &mut Writer, signal: u64, scopes: impl FnOnce(&mut Writer)) {
        writer.message(signal, |writer| {
            writer.message(field::OF_RESOURCE, |writer| {
                scopes(writer);
                writer.message(field::RESOURCE, |writer| resource::write(writer, &self.resource));
            });
        });
    }

    fn from_message(message: Message) -> Result<Self, DecodeError> {
        let mut resource = None;
        let mut batch = Self {
            id: BatchId { sandbox: message.sandbox, sequence: message.sequence },
            first_record: message.first_record,
            resource: Resource::default(),
            spans: Vec::new(),
            logs: Vec::new(),
            metrics: Vec::new(),
            account: message.account.unwrap_or_default().into(),
        };
        if batch.id.sandbox.is_empty() {
            let why = "it is empty".to_owned();
            return Err(DecodeError::Invalid { what: "the sandbox", place: "of the batch".to_owned(), why });
        }
        for of_resource in message.traces.unwrap_or_default().resource_spans {
            resource = resource.or(of_resource.resource);
            for found in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let number = batch.spans.len();
                batch.spans.push(span::from_ours(found, number)?);
            }
        }
        for of_resource in message.logs.unwrap_or_default().resource_logs {
            resource = resource.or(of_resource.resource);
            for of_scope in of_resource.scope_logs {
                scope::read(of_scope, &mut batch.logs)?;
            }
        }
        for of_resource in message.metrics.unwrap_or_default().resource_metrics {
            resource = resource.or(of_resource.resource);
            for found in of_resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                metric::read(found, Dialect::Ours, &mut batch.metrics)?;
            }
        }
        batch.resource = resource::from_ours(resource)?;
        Ok(batch)
    }
}

/// Reads a batch back, exactly as it was encoded, from [`encode_plain`]'s bytes. Readers of a stream use
/// [`crate::decode`], which inflates, takes other formats too, and makes events.
///
/// # Errors
/// When the bytes are no batch, damaged, or pass a limit.
pub fn decode_plain(bytes: &[u8], limits: &Limits) -> Result<Batch, DecodeError> {
    let version = structure::batch_version(bytes)?;
    if version != u64::from(VERSION) {
        return Err(DecodeError::Version { found: version, known: VERSION });
    }
    structure::check(bytes, Structure::Batch, limits)?;
    let message = Message::decode(bytes).map_err(|source| DecodeError::Protobuf {
        message: "Batch",
        at: 0,
        source: Some(source),
    })?;
    Batch::from_message(message)
}

impl From<&Account> for AccountMessage {
    fn from(account: &Account) -> Self {
        Self {
            received: account.received,
            shipped: account.shipped,
            retried: account.retried,
            scrubbed: account.scrubbed,
            scrubbed_by: account.scrubbed_by.clone(),
            shed: account.shed.clone(),
            lost: account.lost.clone(),
            closed: account.closed.clone(),
            counts: account.counts.clone(),
        }
    }
}

impl From<AccountMessage> for Account {
    fn from(message: AccountMessage) -> Self {
        Self {
            received: message.received,
            shipped: message.shipped,
            retried: message.retried,
            scrubbed: message.scrubbed,
            scrubbed_by: message.scrubbed_by,
            shed: message.shed,
            lost: message.lost,
            closed: message.closed,
            counts: message.counts,
        }
    }
}
