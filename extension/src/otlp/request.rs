//! One export request: its body read within bounds, decoded, and given its place in the queue. The same for both
//! protocols; knows neither's answers.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use wire::export::{self, Encoding};
use wire::{Limits, Signal};

use crate::clock;
use crate::inbound::{Entrance, Message, NoPlace, Place, Speaking};

/// A body comes over loopback: one that takes this long has been cut by a freeze.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// Values (of any depth) of one request. The fullest batch that SDKs send by default has 512 spans; at 100 bytes for a
/// value this is 10 MB at the worst, for the moment of decoding.
const VALUES_MAX: usize = 100_000;
/// Records of one request, far above any SDK's batch.
const RECORDS_MAX: usize = 20_000;

/// Why a request was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no export request, or broke off; the text says where.
    Unreadable(String),
    /// More bytes than are ever taken at once.
    TooLarge,
    /// There is no place now.
    Busy,
    /// The sandbox ends.
    Closed,
}

impl From<NoPlace> for Refusal {
    fn from(no_place: NoPlace) -> Self {
        match no_place {
            NoPlace::Full => Self::Busy,
            NoPlace::Closed => Self::Closed,
        }
    }
}

/// Whatever reads requests.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    entrance: Entrance,
    body_bytes_max: usize,
}

/// A body that was read, with its place.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    place: Place,
}

/// How a body is to be understood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) signal: Signal,
    pub(super) encoding: Encoding,
    pub(super) gzip: bool,
}

impl Reader {
    pub(super) fn new(entrance: Entrance, body_bytes_max: usize) -> Self {
        Self { entrance, body_bytes_max }
    }

    /// Marks the time until the answer.
    pub(super) fn listen(&self) -> Speaking {
        self.entrance.listen()
    }

    /// A place first, then the body: memory is reserved before it is used.
    pub(super) async fn read(&self, mut body: Incoming) -> Result<Body, Refusal> {
        let read = self.read_without_limit_of_time(&mut body);
        let read = match tokio::time::timeout(BODY_TIMEOUT, read).await {
            Ok(read) => read,
            Err(_) => return Err(Refusal::Unreadable("the body did not come to its end".to_owned())),
        };
        if read.is_err() {
            // A sender that is cut off while it writes never sees why.
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            let _ = tokio::time::timeout(BODY_TIMEOUT, rest).await;
        }
        read
    }

    async fn read_without_limit_of_time(&self, body: &mut Incoming) -> Result<Body, Refusal> {
        let announced = body.size_hint().exact().map(usize::try_from);
        let announced = match announced {
            Some(Ok(bytes)) if bytes <= self.body_bytes_max => bytes,
            Some(_) => return Err(Refusal::TooLarge),
            None => 0,
        };
        let mut place = self.entrance.reserve(announced)?;
        let mut bytes = BytesMut::with_capacity(announced);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::Unreadable(format!("the body broke off: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > self.body_bytes_max {
                return Err(Refusal::TooLarge);
            }
            bytes.extend_from_slice(&data);
            place.grow(&self.entrance, bytes.len())?;
        }
        Ok(Body { bytes: bytes.freeze(), place })
    }

    /// Decodes `message`, which is (part of) `body`, and queues what it brought. Returns how many records had to be
    /// left out.
    pub(super) fn take(&self, body: Body, message: &[u8], form: Form) -> Result<u64, Refusal> {
        let mut place = body.place;
        let plain;
        let message = if form.gzip {
            plain = wire::gunzip(message, self.body_bytes_max).map_err(|error| match error {
                wire::DecodeError::InflatesTooFar { .. } => Refusal::TooLarge,
                error => unreadable(&error),
            })?;
            place.grow(&self.entrance, plain.len())?;
            &plain
        } else {
            message
        };
        let limits = Limits { values_max: VALUES_MAX, events_max: RECORDS_MAX, ..Limits::default() };
        let export = export::read(message, form.signal, form.encoding, clock::now(), &limits)
            .map_err(|error| unreadable(&error))?;
        let rejected = export.rejected;
        if export.records() > 0 {
            place.fill(Message::Export(export));
        }
        Ok(rejected)
    }
}

fn unreadable(error: &wire::DecodeError) -> Refusal {
    let cause = std::error::Error::source(error);
    Refusal::Unreadable(cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")))
}
