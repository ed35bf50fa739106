//! A body that is passed on as it comes, frame by frame, while the beginning of it is copied. What goes wrong with the
//! copy, a panic included, is the copy's alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use pipeline::payload::Part;

use crate::fault::{self, Place};
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

    /// Goes on with the copy, if there is one; without it if that fails.
    fn copy(&mut self, step: impl FnOnce(&mut Copy)) {
        if let Some(copy) = &mut self.copy
            && catch_unwind(AssertUnwindSafe(|| step(copy))).is_err()
        {
            self.copy = None;
        }
    }

    /// Once, at the body's end or when it is given up.
    fn tell(&mut self) {
        if let Some(copy) = self.copy.take() {
            // The panic hook has counted it, and nobody misses a copy.
            let _ = catch_unwind(AssertUnwindSafe(|| copy.tell()));
        }
    }
}

impl Copy {
    fn tell(self) {
        let Self { part, request_id, bytes, cut, entrance, .. } = self;
        match entrance.reserve(bytes.len()) {
            Ok(place) => {
                place.fill(Message::Payload(Capture { part, request_id, bytes: bytes.freeze(), cut }));
            }
            // The collector has more to do than it can. The function's own bytes are through.
            Err(_) => entrance.miss(),
        }
    }

    fn add(&mut self, data: &[u8]) {
        fault::pass(Place::Copy);
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
                if let Some(data) = frame.data_ref() {
                    self.copy(|copy| copy.add(data));
                }
            }
            Poll::Ready(Some(Err(_))) => {
                self.copy(|copy| copy.cut = true);
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
