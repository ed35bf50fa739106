//! Whose keys sign the requests.

use std::collections::BTreeSet;

use crate::Stage;
use crate::fakes::kinesis::Kinesis;
use crate::fakes::platform::{Platform, restored};

/// An extension with no keys in its environment, and with the sandbox's endpoint for them.
async fn without_keys() -> Stage {
    let kinesis = Kinesis::start().await;
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
    assert!(kinesis.signed_by().contains("Credential=served/"), "{}", kinesis.signed_by());
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
