//! Settings that turn it off, or that cannot be used.

use crate::Stage;
use crate::fakes::platform::Platform;

#[tokio::test]
async fn disabled_it_answers_next_and_does_nothing_else() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_DISABLED", "true")]).await;
    stage.platform.invoke("one").await;
    stage.platform.ready().await;
    assert_eq!(stage.platform.schemas_asked(), [""; 0]);
    let (kinesis, said) = stage.shutdown().await;
    assert!(kinesis.requests().is_empty());
    assert_eq!(said, "");
}

#[tokio::test]
async fn bad_settings_are_one_line_and_the_defaults_work() {
    let settings = [("LIMELIGHT_FRESHNESS_MS", "soon"), ("LIMELIGHT_PORT", "80")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.invocation("one", "hello").await;
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["hello"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("LIMELIGHT_FRESHNESS_MS") && said.contains("LIMELIGHT_PORT"), "{said}");
}

#[tokio::test]
async fn without_a_stream_it_says_so_and_answers_next() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_STREAM", "")]).await;
    stage.platform.invoke("one").await;
    stage.platform.ready().await;
    let (_, said) = stage.shutdown().await;
    assert!(said.contains("LIMELIGHT_STREAM is not set"), "{said}");
}
