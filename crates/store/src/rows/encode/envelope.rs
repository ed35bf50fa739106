//! The envelope's columns while events go into them, one row each.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, StringBuilder, TimestampMicrosecondBuilder};
use model::{Event, Timestamp};

use crate::schema::{self, EnvelopeKind};

/// The envelope's columns while they are filled.
#[derive(Default)]
pub(super) struct Envelope {
    timestamp: TimestampMicrosecondBuilder,
    ingested_at: TimestampMicrosecondBuilder,
    duration_ms: Float64Builder,
    texts: [StringBuilder; 16],
}

impl Envelope {
    pub(super) fn push(&mut self, event: &Event, ingested_at: Timestamp, overflow: Option<&str>) {
        self.timestamp.append_value(event.timestamp.as_micros());
        self.ingested_at.append_value(ingested_at.as_micros());
        self.duration_ms.append_option(event.duration_ms);
        // In the order of `ENVELOPE`, without what is not text.
        let [
            id,
            kind,
            namespace,
            service,
            account,
            region,
            level,
            name,
            message,
            request_id,
            trace_id,
            span_id,
            parent_id,
            error,
            status,
            rest,
        ] = &mut self.texts;
        id.append_value(event.id.as_str());
        kind.append_value(event.kind.as_str());
        namespace.append_value(&event.namespace);
        service.append_value(&event.service);
        account.append_value(&event.account);
        region.append_value(&event.region);
        level.append_option(event.level.map(|level| level.as_str()));
        name.append_option(event.name.as_deref());
        message.append_option(event.message.as_deref());
        request_id.append_option(event.request_id.as_deref());
        append_shown(trace_id, event.trace_id);
        append_shown(span_id, event.span_id);
        append_shown(parent_id, event.parent_id);
        error.append_option(event.error.as_deref());
        status.append_option(event.status.as_deref());
        rest.append_option(overflow);
    }

    /// The arrays in the order of `ENVELOPE`.
    pub(super) fn finish(mut self) -> Vec<ArrayRef> {
        let times: [ArrayRef; 2] = [
            Arc::new(self.timestamp.finish().with_timezone("UTC")),
            Arc::new(self.ingested_at.finish().with_timezone("UTC")),
        ];
        let (mut times, mut texts) = (times.into_iter(), self.texts.iter_mut());
        schema::ENVELOPE
            .iter()
            .filter_map(|(_, kind)| match kind {
                EnvelopeKind::Time => times.next(),
                EnvelopeKind::Float => Some(Arc::new(self.duration_ms.finish()) as ArrayRef),
                EnvelopeKind::Text => texts.next().map(|texts| Arc::new(texts.finish()) as ArrayRef),
            })
            .collect()
    }
}

/// The text form of an id, written where it is to stand.
fn append_shown(texts: &mut StringBuilder, id: Option<impl Display>) {
    match id.map(|id| write!(texts, "{id}")) {
        Some(Ok(())) => texts.append_value(""),
        // Writing into memory does not fail.
        Some(Err(_)) | None => texts.append_null(),
    }
}
