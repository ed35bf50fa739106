//! Records that the platform cuts over two POSTs, and traces that it delivers line by line.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Stage;
use crate::fakes::platform::{Platform, line, runtime_done, start};

/// A record as the platform writes it: its envelope, and its content.
fn written(record: &Value) -> (String, String) {
    let (time, kind) = (record["time"].to_string(), record["type"].to_string());
    (format!(r#"{{"time":{time},"type":{kind},"record":"#), record["record"].to_string())
}

/// The records in two bodies, the last of them cut so many bytes after its content's beginning.
fn cut(records: &[Value], at: usize) -> [Vec<u8>; 2] {
    let (last, whole) = records.split_last().unwrap();
    let whole: String = whole.iter().map(|record| format!("{record},")).collect();
    let (envelope, content) = written(last);
    let (first, rest) = content.split_at(at);
    [format!("[{whole}{envelope}{first}}}]"), format!("[{envelope}{rest}}}]")].map(String::into_bytes)
}

#[tokio::test]
async fn an_end_that_was_cut_over_two_posts_releases_the_sandbox_at_once() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke("one").await;
    let [first, second] = cut(&[start("one"), line("one", "hello"), runtime_done("one")], 20);
    assert_eq!(stage.platform.deliver_bytes(first).await, 200);
    assert_eq!(stage.platform.deliver_bytes(second).await, 200);
    let delivered = Instant::now();
    stage.platform.ready().await;
    assert!(delivered.elapsed() < Duration::from_secs(5), "held for {:?}", delivered.elapsed());
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["hello"]);
    assert!(kinesis.last_account().lost.is_empty(), "{:?}", kinesis.last_account());
}

#[tokio::test]
async fn a_line_whose_rest_never_comes_is_kept_and_marked() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke("one").await;
    let mut long = line("one", "");
    long["record"] = json!("the beginning and the end");
    let [first, _] = cut(&[start("one"), long], 14);
    stage.platform.deliver_bytes(first).await;
    stage.until_taken("the beginning").await;
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    let known = kinesis.events().into_iter().find(|event| event.message.as_deref() == Some("the beginning"));
    assert_eq!(known.unwrap().attributes["limelight.cut"], "end".into());
}

#[tokio::test]
async fn a_trace_that_is_delivered_line_by_line_is_one_event() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke("one").await;
    stage.platform.deliver(&[start("one")]).await;
    let lines =
        ["java.lang.IllegalStateException: no card", "\tat app.Card.check(Card.java:7)", "\t... 2 more"];
    for text in lines {
        let mut record = line("one", "");
        record["record"] = json!(text);
        stage.platform.deliver(&[record]).await;
    }
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), [lines.join("\n")]);
    let event = kinesis.events().into_iter().find(|event| event.message.is_some()).unwrap();
    assert_eq!(event.error.as_deref(), Some("java.lang.IllegalStateException: no card"));
}
