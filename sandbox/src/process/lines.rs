//! A process's stream → [`Message::Line`]s, of lines or of the log pipe's frames, with barriers: an answer that
//! everything printed so far has been sent.
//!
//! Without a barrier a response could overtake the lines that were printed before it, because they travel through
//! a pipe and it through a socket.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::SystemTime;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::frames::Frames;
use crate::apis::Inbox;
use crate::message::Message;
use crate::output::Source;

/// A line longer than this becomes several: a program that never breaks its line must not fill the memory. CloudWatch
/// cuts at 1 MiB; this leaves room to have records larger than any `maxBytes`.
pub(super) const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One read: the kernel's pipe holds so much.
const READ_BYTES: usize = 64 * 1024;

/// Barriers are asked one at a time; a second one is there for a shutdown in between.
const BARRIERS_MAX: usize = 4;

/// What a stream is made of.
#[derive(Debug)]
pub(super) enum Cut {
    Lines(Lines),
    Frames(Frames),
}

impl Cut {
    fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        match self {
            Self::Lines(lines) => lines.push(bytes),
            Self::Frames(frames) => frames.push(bytes),
        }
    }

    fn rest(&mut self) -> Option<Piece> {
        match self {
            Self::Lines(lines) => lines.rest(),
            Self::Frames(frames) => frames.rest(),
        }
    }
}

/// What becomes one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Without the line break at its end.
    pub(super) text: String,
    /// When the process wrote it, if it said so.
    pub(super) at: Option<SystemTime>,
}

/// Reads the stream until it ends. Returns where to ask for barriers, and the task.
pub(super) fn read(
    stream: OwnedFd,
    cut: Cut,
    source: Source,
    pid: u32,
    inbox: Inbox,
) -> io::Result<(mpsc::Sender<u64>, JoinHandle<()>)> {
    let (barrier, barriers) = mpsc::channel(BARRIERS_MAX);
    let reader = Reader { pipe: pipe::Receiver::from_owned_fd(stream)?, cut, source, pid, inbox };
    Ok((barrier, tokio::spawn(reader.run(barriers))))
}

struct Reader {
    pipe: pipe::Receiver,
    cut: Cut,
    source: Source,
    pid: u32,
    inbox: Inbox,
}

impl Reader {
    async fn run(mut self, mut barriers: mpsc::Receiver<u64>) {
        let mut bytes = vec![0; READ_BYTES];
        let mut asked = true;
        loop {
            tokio::select! {
                read = self.pipe.read(&mut bytes) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(count) => self.feed(&bytes[..count]).await,
                },
                barrier = barriers.recv(), if asked => match barrier {
                    Some(barrier) => {
                        self.drain(&mut bytes).await;
                        let _ = self.inbox.send(Message::Drained { pid: self.pid, barrier }).await;
                    }
                    None => asked = false,
                },
            }
        }
        if let Some(rest) = self.cut.rest() {
            self.send(rest).await;
        }
        // Whoever still asks must not wait for ever.
        barriers.close();
        while let Some(barrier) = barriers.recv().await {
            let _ = self.inbox.send(Message::Drained { pid: self.pid, barrier }).await;
        }
    }

    /// Reads what is in the pipe now, without waiting for the event loop to notice it.
    async fn drain(&mut self, bytes: &mut [u8]) {
        while let Ok(count @ 1..) = rustix::io::read(self.pipe.as_fd(), &mut *bytes) {
            self.feed(&bytes[..count]).await;
        }
    }

    async fn feed(&mut self, bytes: &[u8]) {
        for piece in self.cut.push(bytes) {
            self.send(piece).await;
        }
    }

    async fn send(&self, piece: Piece) {
        let line = Message::Line { source: self.source.clone(), text: piece.text, at: piece.at };
        let _ = self.inbox.send(line).await;
    }
}

/// Bytes into lines. Empty lines are none, as in CloudWatch.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.open.extend_from_slice(part);
            if part.ends_with(b"\n") || self.open.len() >= LINE_BYTES_MAX {
                lines.extend(self.rest());
            }
        }
        lines
    }

    pub(super) fn rest(&mut self) -> Option<Piece> {
        text(&std::mem::take(&mut self.open)).map(|text| Piece { text, at: None })
    }
}

/// Without the line break at its end; nothing if nothing is left.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: Vec<Piece>) -> Vec<String> {
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn lines_are_put_together_from_any_pieces() {
        let mut lines = Lines::default();
        assert!(lines.push(b"hel").is_empty());
        assert_eq!(texts(lines.push(b"lo\r\n\nsecond\nthi")), ["hello", "second"]);
        assert_eq!(lines.rest().unwrap().text, "thi");
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_bad_utf8_is_replaced() {
        let mut lines = Lines::default();
        let endless = vec![b'x'; LINE_BYTES_MAX + 10];
        assert_eq!(lines.push(&endless).len(), 1);
        assert_eq!(texts(lines.push(b"\xff\n")), ["\u{fffd}"]);
    }
}
