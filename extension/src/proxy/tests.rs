//! The relay between two raw sockets: what goes in on one side is what comes out on the other.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::relay::Relay;
use super::*;
use crate::inbound::{self, Inbox, Message};
use pipeline::payload::Part;

/// A runtime's connection, the platform's end of it, and what was copied.
struct Stage {
    runtime: TcpStream,
    platform: TcpStream,
    inbox: Inbox,
}

impl Stage {
    async fn set(bytes_max: usize) -> Self {
        Self::with_queue(bytes_max, 1_000_000).await
    }

    async fn with_queue(bytes_max: usize, queue_bytes: usize) -> Self {
        let platform = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (entrance, inbox) = inbound::queue(queue_bytes);
        let copies = Copies { bytes_max };
        let relay = Relay::new(platform.local_addr().unwrap().to_string(), copies, entrance);
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut runtime = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
        let (stream, _) = socket.accept().await.unwrap();
        tokio::spawn(relay.serve(stream));
        // The platform is called with the first request.
        runtime
            .write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let (mut platform, _) = platform.accept().await.unwrap();
        let asked = until(&mut platform, "\r\n\r\n").await;
        assert!(asked.starts_with("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"), "{asked}");
        let answer =
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
        platform.write_all(answer.as_bytes()).await.unwrap();
        let answered = until(&mut runtime, "{\"a\":1}").await;
        assert!(answered.contains("Lambda-Runtime-Aws-Request-Id: one\r\n"), "in its own case: {answered}");
        Self { runtime, platform, inbox }
    }

    async fn copied(&mut self) -> inbound::Capture {
        loop {
            if let Some(inbound) = self.inbox.next().await
                && let Message::Payload(capture) = inbound.message
            {
                return capture;
            }
        }
    }
}

/// Reads up to and with `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while !bytes.ends_with(end.as_bytes()) {
            bytes.push(stream.read_u8().await.unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("what was sent does not come through");
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn an_event_passes_and_is_copied_up_to_its_bound() {
    let mut stage = Stage::set(3).await;
    let copied = stage.copied().await;
    assert_eq!((copied.part, copied.request_id.as_str()), (Part::Event, "one"));
    assert_eq!((&copied.bytes[..], copied.cut), (&b"{\"a"[..], true));
}

#[tokio::test]
async fn a_copy_without_a_place_is_counted_and_its_event_passes() {
    let mut stage = Stage::with_queue(100, 3).await;
    let counted = async {
        while stage.inbox.missed() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), counted).await.expect("nobody has counted it");
    assert!(stage.inbox.take().is_none());
}

#[tokio::test]
async fn a_response_streams_through_chunk_by_chunk_with_its_trailers() {
    let mut stage = Stage::set(100).await;
    let head = "POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\nHost: x\r\n\
        Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\
        Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n";
    stage.runtime.write_all(head.as_bytes()).await.unwrap();
    let passed = until(&mut stage.platform, "\r\n\r\n").await;
    assert!(passed.contains("Lambda-Runtime-Function-Response-Mode: streaming\r\n"), "{passed}");
    for chunk in ["first", "other"] {
        // Nothing more is sent before this has arrived: what waits for the end would never come.
        stage.runtime.write_all(format!("5\r\n{chunk}\r\n").as_bytes()).await.unwrap();
        until(&mut stage.platform, &format!("5\r\n{chunk}\r\n")).await;
    }
    stage.runtime.write_all(b"0\r\nLambda-Runtime-Function-Error-Type: Oops\r\n\r\n").await.unwrap();
    let end = until(&mut stage.platform, "Oops\r\n\r\n").await.to_ascii_lowercase();
    assert!(end.contains("lambda-runtime-function-error-type: oops"), "{end}");
    stage.platform.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(until(&mut stage.runtime, "\r\n\r\n").await.starts_with("HTTP/1.1 202 Accepted\r\n"));
    assert_eq!(stage.copied().await.part, Part::Event);
    let copied = stage.copied().await;
    assert_eq!((copied.part, &copied.bytes[..], copied.cut), (Part::Response, &b"firstother"[..], false));
}

#[tokio::test]
async fn the_way_of_an_error_is_open_and_not_copied() {
    let mut stage = Stage::set(100).await;
    let request = "POST /2018-06-01/runtime/invocation/one/error HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\
        Lambda-Runtime-Function-Error-Type: Unhandled\r\n\r\n{}";
    stage.runtime.write_all(request.as_bytes()).await.unwrap();
    let passed = until(&mut stage.platform, "\r\n\r\n{}").await;
    assert!(passed.contains("Lambda-Runtime-Function-Error-Type: Unhandled\r\n"), "{passed}");
    stage.copied().await;
    assert!(stage.inbox.take().is_none());
}

#[tokio::test]
async fn when_the_platform_hangs_up_the_runtime_is_told() {
    let Stage { mut runtime, platform, inbox: _inbox } = Stage::set(100).await;
    drop(platform);
    runtime.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(until(&mut runtime, "\r\n").await.starts_with("HTTP/1.1 502 "));
}
