//! What the function's own process tells, on its way to the collector: one queue, bounded in bytes and count, beside
//! the platform's deliveries. The receivers (`otlp`, `proxy`) hold its entrance, the collector its end.
//!
//! Whoever is being listened to counts as [`Inbox::speaking`] until the collector has heard it: SDKs export in the last
//! moment of an invocation, and a sandbox that is frozen in the middle of a request loses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use pipeline::payload::Part;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use wire::export::Export;

/// An SDK sends one request for each signal at a time; this is a burst of all three by several exporters. When it is
/// full the sender is told to come again.
const QUEUE_LENGTH_MAX: usize = 32;

/// One thing that was told.
#[derive(Debug)]
pub struct Inbound {
    /// What.
    pub message: Message,
    /// Its place in the queue, free again when this is dropped.
    _place: OwnedSemaphorePermit,
}

/// Who told what.
#[derive(Debug)]
pub enum Message {
    /// The application's SDK: its spans, logs or metric points.
    Export(Export),
    /// The proxy: what the function was invoked with, or what it answered.
    Payload(Capture),
}

impl Message {
    /// How many records there are in it, as far as that can be told.
    pub fn records(&self) -> u64 {
        match self {
            Self::Export(export) => u64::try_from(export.records()).unwrap_or(u64::MAX),
            Self::Payload(_) => 1,
        }
    }
}

/// A copy of an event or a response.
#[derive(Debug)]
pub struct Capture {
    /// Which of the two.
    pub part: Part,
    /// Whose.
    pub request_id: String,
    /// The beginning of it, as it passed.
    pub bytes: Bytes,
    /// There was more.
    pub cut: bool,
}

/// The queue's entrance.
#[derive(Debug, Clone)]
pub struct Entrance {
    sender: mpsc::Sender<Inbound>,
    bytes: Arc<Semaphore>,
    missed: Arc<AtomicU64>,
    speaking: Arc<watch::Sender<usize>>,
}

/// The queue's end. Dropping it turns everybody away.
#[derive(Debug)]
pub struct Inbox {
    receiver: mpsc::Receiver<Inbound>,
    missed: Arc<AtomicU64>,
    speaking: watch::Receiver<usize>,
}

/// A queue for `bytes_max` of what was told, counted before it is decoded.
pub fn queue(bytes_max: usize) -> (Entrance, Inbox) {
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH_MAX);
    let (speaking, heard) = watch::channel(0);
    let bytes = Arc::new(Semaphore::new(bytes_max.min(Semaphore::MAX_PERMITS)));
    let missed = Arc::<AtomicU64>::default();
    let inbox = Inbox { receiver, missed: missed.clone(), speaking: heard };
    (Entrance { sender, bytes, missed, speaking: Arc::new(speaking) }, inbox)
}

/// Somebody is being listened to, until this is dropped.
#[derive(Debug)]
pub struct Speaking(Arc<watch::Sender<usize>>);

impl Drop for Speaking {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    /// Not now.
    Full,
    /// Never again: the sandbox ends.
    Closed,
}

/// A reserved place.
#[derive(Debug)]
pub struct Place {
    bytes: OwnedSemaphorePermit,
    slot: mpsc::OwnedPermit<Inbound>,
}

impl Entrance {
    /// Says that somebody begins to speak.
    pub fn listen(&self) -> Speaking {
        self.speaking.send_modify(|count| *count += 1);
        Speaking(self.speaking.clone())
    }

    /// Takes a place for so many bytes, without waiting for one.
    ///
    /// # Errors
    /// When there is none.
    pub fn reserve(&self, bytes: usize) -> Result<Place, NoPlace> {
        let slot = self.sender.clone().try_reserve_owned().map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NoPlace::Full,
            mpsc::error::TrySendError::Closed(_) => NoPlace::Closed,
        })?;
        let bytes = u32::try_from(bytes).map_err(|_| NoPlace::Full)?;
        let bytes = self.bytes.clone().try_acquire_many_owned(bytes).map_err(|_| NoPlace::Full)?;
        Ok(Place { bytes, slot })
    }

    /// Something found no place and does not come again.
    pub fn miss(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Place {
    /// Takes more room, for what turned out larger (it was compressed).
    ///
    /// # Errors
    /// When there is none.
    pub fn grow(&mut self, entrance: &Entrance, bytes: usize) -> Result<(), NoPlace> {
        let missing = u32::try_from(bytes.saturating_sub(self.bytes.num_permits()));
        let missing = missing.map_err(|_| NoPlace::Full)?;
        let more = entrance.bytes.clone().try_acquire_many_owned(missing).map_err(|_| NoPlace::Full)?;
        self.bytes.merge(more);
        Ok(())
    }

    /// Puts the message there.
    pub fn fill(self, message: Message) {
        self.slot.send(Inbound { message, _place: self.bytes });
    }
}

impl Inbox {
    /// The next message; none when another has begun or ceased to speak. Never if nobody can any more. Cancel-safe.
    pub async fn next(&mut self) -> Option<Inbound> {
        tokio::select! {
            Some(inbound) = self.receiver.recv() => Some(inbound),
            Ok(()) = self.speaking.changed() => None,
            else => std::future::pending().await,
        }
    }

    /// The next, if it is here.
    pub fn take(&mut self) -> Option<Inbound> {
        self.receiver.try_recv().ok()
    }

    /// How much was missed since this was asked last.
    pub fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }

    /// Turns away whoever comes from now on; what is here can still be taken.
    pub fn close(&mut self) {
        self.receiver.close();
    }

    /// How many are being listened to, or have not been heard.
    pub fn speaking(&self) -> usize {
        *self.speaking.borrow() + self.receiver.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_in_bytes_and_in_messages_and_comes_back() {
        let (entrance, mut inbox) = queue(100);
        let mut first = entrance.reserve(60).unwrap();
        assert_eq!(entrance.reserve(60).unwrap_err(), NoPlace::Full);
        assert_eq!(first.grow(&entrance, 200).unwrap_err(), NoPlace::Full);
        first.grow(&entrance, 100).unwrap();
        first.fill(Message::Export(Export::default()));
        assert_eq!(entrance.reserve(1).unwrap_err(), NoPlace::Full);
        assert!(inbox.take().is_some());
        let places: Vec<_> = std::iter::from_fn(|| entrance.reserve(0).ok()).collect();
        assert_eq!(places.len(), QUEUE_LENGTH_MAX);
    }

    #[test]
    fn a_closed_queue_says_so_and_gives_what_it_has() {
        let (entrance, mut inbox) = queue(100);
        entrance.reserve(1).unwrap().fill(Message::Export(Export::default()));
        inbox.close();
        assert_eq!(entrance.reserve(1).unwrap_err(), NoPlace::Closed);
        assert!(inbox.take().is_some() && inbox.take().is_none());
    }

    #[test]
    fn whoever_speaks_is_counted_until_the_end_of_the_speech() {
        let (entrance, mut inbox) = queue(100);
        let speaking = entrance.listen();
        assert_eq!(inbox.speaking(), 1);
        entrance.reserve(1).unwrap().fill(Message::Export(Export::default()));
        drop(speaking);
        assert_eq!(inbox.speaking(), 1, "what it said has not been heard");
        inbox.take();
        assert_eq!(inbox.speaking(), 0);
    }
}
