//! News of given-up records reach a queue, of an SQS API that we did not write.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::event_source::{Mapping, OnFailure, client};
use serde_json::Value;

use crate::kinesis::Kinesis;
use crate::stage::{Stage, brisk, part};

/// PyPI's `moto`, killed when dropped.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        let folder = part("tests/parts/python");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(folder.join("bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { process, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        moto
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn received(queue: &aws_sdk_sqs::Client, url: &str) -> Value {
    let asked = queue.receive_message().queue_url(url).wait_time_seconds(20).send().await.unwrap();
    let message = asked.messages().first().unwrap();
    serde_json::from_str(message.body().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_up_record_is_told_to_the_queue() {
    let moto = Moto::start();
    let settings = client::settings(Some(&moto.url), "eu-west-1").await;
    let queue = aws_sdk_sqs::Client::new(&settings);
    let created = queue.create_queue().queue_name("given-up").send().await.unwrap();
    let queue_url = created.queue_url().unwrap().to_owned();

    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    kinesis.put("0", &["a", "bad", "b"]);
    let mapping = Mapping {
        report_item_failures: true,
        retries_max: Some(0),
        on_failure: OnFailure::Sqs { client: queue.clone(), queue_url: queue_url.clone() },
        batch_size: 1,
        ..brisk()
    };
    stage.event_source(mapping, address).await;
    let message = received(&queue, &queue_url).await;
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(
        message["requestContext"]["functionArn"],
        "arn:aws:lambda:eu-west-1:123456789012:function:shop"
    );
    assert_eq!(message["KinesisBatchInfo"]["startSequenceNumber"], "1002");
    stage
        .until("the shard goes on", |stage| stage.batches().concat().last().is_some_and(|text| text == "b"))
        .await;
    stage.end().await;
}
