//! Whose keys sign the requests, and when they are asked for again.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Stage;
use crate::fakes::kinesis::{Answer, Kinesis};
use crate::fakes::platform::{Platform, restored};

/// An extension with no keys in its environment, and with the sandbox's endpoint for them.
async fn without_keys() -> Stage {
    with_keys_that_last(&[]).await
}

/// The first keys that the endpoint serves are good for so long, those after them for ever.
async fn with_keys_that_last(lifetimes: &[Duration]) -> Stage {
    let kinesis = Kinesis::start().await;
    kinesis.keys_last(lifetimes);
    let uri = format!("{}/credentials", kinesis.url());
    let settings = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token"),
    ];
    Stage::set_with(Platform::start().await, kinesis, &settings).await
}

#[tokio::test]
async fn without_keys_in_the_environment_the_sandboxs_endpoint_is_asked() {
    let mut stage = without_keys().await;
    stage.invocation("one", "hello").await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["hello"]);
    assert!(kinesis.signed_by().contains("Credential=served-1/"), "{}", kinesis.signed_by());
}

#[tokio::test]
async fn keys_from_before_a_snapshot_are_not_used_after_it() {
    let mut stage = without_keys().await;
    stage.invocation("one", "hello").await;
    stage.invocation("two", "with the same keys").await;
    assert_eq!(stage.kinesis.keys_asked(), 1);
    stage.platform.deliver(&[restored()]).await;
    stage.invocation("three", "with new ones").await;
    assert_eq!(stage.kinesis.keys_asked(), 2);
    let (kinesis, _) = stage.shutdown().await;
    let sandboxes: BTreeSet<_> = kinesis
        .requests()
        .concat()
        .iter()
        .map(|(key, _)| key.split('-').next().unwrap().to_owned())
        .collect();
    assert_eq!(sandboxes.len(), 2, "siblings of one snapshot must not number the same batches");
}

/// Keys that run out while a request with them may be under way (it has 3 s) are as good as none. The fake itself
/// refuses those that have run out.
#[tokio::test]
async fn keys_are_asked_for_again_before_they_run_out() {
    let mut stage = with_keys_that_last(&[Duration::from_millis(2_500)]).await;
    stage.invocation("one", "with what there is").await;
    stage.invocation("two", "with keys that will hold").await;
    assert!(stage.kinesis.signed_by().contains("Credential=served-2/"), "{}", stage.kinesis.signed_by());
    stage.invocation("three", "with the same").await;
    assert_eq!(stage.kinesis.keys_asked(), 2);
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages().len(), 3);
}

#[tokio::test]
async fn keys_that_the_stream_does_not_accept_any_more_are_asked_for_again() {
    for why in ["ExpiredTokenException", "UnrecognizedClientException"] {
        let mut stage = without_keys().await;
        stage.invocation("one", "with good keys").await;
        stage.kinesis.answer_next(&[Answer::Refused(why)]);
        stage.invocation("two", "with keys that are none any more").await;
        stage.until_taken("with keys that are none any more").await;
        assert_eq!(stage.kinesis.keys_asked(), 2, "{why}");
        assert!(stage.kinesis.signed_by().contains("Credential=served-2/"), "{}", stage.kinesis.signed_by());
        let (kinesis, _) = stage.shutdown().await;
        let mut messages = kinesis.messages();
        messages.sort();
        assert_eq!(messages, ["with good keys", "with keys that are none any more"], "{why}");
    }
}
