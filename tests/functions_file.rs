//! What a functions file asks of the local Lambda is what its telemetry then shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::dev::{Dev, python};
use crate::support::lines::{assert_exactly_once, lines};

fn with(name: &str, settings: &Value) -> Value {
    let mut function = python(name);
    let all = function.as_object_mut().unwrap();
    all.remove("concurrency");
    all.extend(settings.as_object().unwrap().clone());
    function
}

/// The init spans' kind by function.
fn kinds(answer: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = answer["calculations"]["aggregates"].as_array().cloned().unwrap_or_default();
    rows.iter()
        .map(|row| &row["groups"])
        .map(|groups| {
            (text(&groups["$limelight.namespace"]), text(&groups["aws.lambda.initialization_type"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn how_environments_come_to_be() {
    let data = tempfile::tempdir().unwrap();
    let functions = [
        with("plain", &json!({})),
        with("ready", &json!({"provisionedConcurrency": 1})),
        with("restored", &json!({"snapStart": true})),
        with("shared", &json!({"managedInstances": {"environments": 1, "concurrency": 4}, "memoryMb": 2048})),
    ];
    let dev = Dev::start(data.path(), &functions, &[]);
    let printed = lines("ff10", 3);
    for (name, line) in ["plain", "ready", "restored"].into_iter().zip(&printed) {
        dev.invoke(name, &json!({ "lines": [line] })).await;
    }
    // One environment takes all four at once.
    let slow = json!({"sleep_ms": 1_000});
    let answers = tokio::join!(
        dev.invoke("shared", &slow),
        dev.invoke("shared", &slow),
        dev.invoke("shared", &slow),
        dev.invoke("shared", &slow),
    );
    assert!(answers.0["request"] != answers.3["request"], "{answers:?}");

    let text = "COUNT FROM otel WHERE $limelight.name = init GROUP BY $limelight.namespace, \
                aws.lambda.initialization_type LAST 1h";
    let answer = dev.settled(text, |answer| kinds(answer).len() >= functions.len()).await;
    let seen = kinds(&answer);
    let expected = [
        ("plain", "on-demand"),
        ("ready", "provisioned-concurrency"),
        ("restored", "snap-start"),
        ("shared", "lambda-managed-instances"),
    ];
    assert_eq!(seen, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into());
    let restored =
        "COUNT as n FROM otel WHERE $limelight.name = restore GROUP BY $limelight.namespace LAST 1h";
    let restored = dev.settled(restored, |answer| !kinds(answer).is_empty()).await;
    assert_eq!(kinds(&restored).keys().collect::<Vec<_>>(), ["restored"]);
    assert_exactly_once("ff10", 3, &dev.events_with("<ff10:", 3).await);
    dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_environments_they_are_and_what_goes_wrong_on_purpose() {
    let data = tempfile::tempdir().unwrap();
    let functions = [
        with("tenanted", &json!({"tenantIsolation": true})),
        with("doomed", &json!({"faults": {"seed": 3, "killFunction": 1}})),
    ];
    let dev = Dev::start(data.path(), &functions, &[]);
    let url = format!("{}/2015-03-31/functions/tenanted/invocations", dev.address("invoke"));
    let ask = reqwest::Client::new().post(url).json(&json!({}));
    assert_eq!(ask.try_clone().unwrap().send().await.unwrap().status(), 400, "nobody was named");
    let blue = ask.header("X-Amz-Tenant-Id", "blue").send().await.unwrap();
    assert!(blue.status().is_success() && !blue.headers().contains_key("x-amz-function-error"));

    let killed = dev.invoke("doomed", &json!({"sleep_ms": 2_000})).await;
    assert_eq!(killed["errorType"], "Runtime.ExitError", "{killed}");
    let text = "COUNT as n WHERE @tenantId = blue GROUP BY $limelight.namespace LAST 1h";
    let found = dev.settled(text, |answer| !kinds(answer).is_empty()).await;
    assert_eq!(kinds(&found).keys().collect::<Vec<_>>(), ["tenanted"]);
    dev.stop();
}
