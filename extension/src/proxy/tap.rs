//! A body that is passed on as it comes, frame by frame, while the beginning of it is copied.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use pipeline::payload::Part;

use crate::inbound::{Capture, Entrance, Message};

/// The body, and where its copy goes.
#[derive(Debug)]
pub(super) struct Tap {
    inner: Incoming,
    copy: Option<Copy>,
}

/// The copy, while it grows.
#[derive(Debug)]
struct Copy {
    part: Part,
    request_id: String,
    bytes: BytesMut,
    bytes_max: usize,
    cut: bool,
    entrance: Entrance,
}

impl Tap {
    /// Nothing is copied.
    pub(super) fn closed(inner: Incoming) -> Self {
        Self { inner, copy: None }
    }

    /// Up to `bytes_max` are copied, and told when the body is through.
    pub(super) fn open(
        inner: Incoming,
        part: Part,
        request_id: String,
        bytes_max: usize,
        entrance: Entrance,
    ) -> Self {
        let copy = Copy { part, request_id, bytes: BytesMut::new(), bytes_max, cut: false, entrance };
        Self { inner, copy: Some(copy) }
    }

    /// Once, at the body's end or when it is given up.
    fn tell(&mut self) {
        let Some(copy) = self.copy.take() else { return };
        // No place: the collector has more to do than it can. The function's own bytes are through.
        if let Ok(place) = copy.entrance.reserve(copy.bytes.len()) {
            let Copy { part, request_id, bytes, cut, .. } = copy;
            place.fill(Message::Payload(Capture { part, request_id, bytes: bytes.freeze(), cut }));
        }
    }
}

impl Copy {
    fn add(&mut self, data: &[u8]) {
        let room = self.bytes_max.saturating_sub(self.bytes.len());
        let (kept, over) = data.split_at(data.len().min(room));
        self.bytes.extend_from_slice(kept);
        self.cut |= !over.is_empty();
    }
}

impl Body for Tap {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(copy), Some(data)) = (&mut self.copy, frame.data_ref()) {
                    copy.add(data);
                }
            }
            Poll::Ready(Some(Err(_))) => {
                if let Some(copy) = &mut self.copy {
                    copy.cut = true;
                }
            }
            Poll::Ready(None) => self.tell(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body whose length is known is not asked for its end.
impl Drop for Tap {
    fn drop(&mut self) {
        self.tell();
    }
}
