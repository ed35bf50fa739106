//! What every function gets unless its own settings say otherwise: where telemetry goes, how functions call each other.

use std::path::Path;

use super::addresses::Addresses;

/// The variables. The credentials are made up unless the person has some: loopback checks none, but SDKs want them.
pub(super) fn all(addresses: &Addresses, journals: &Path) -> Vec<(&'static str, String)> {
    let own = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut env = vec![
        ("LIMELIGHT_STREAM", addresses.stream_name.clone()),
        ("AWS_ENDPOINT_URL_KINESIS", addresses.stream.clone()),
        ("AWS_ENDPOINT_URL_LAMBDA", addresses.invoke.clone()),
        // Nobody pays for milliseconds here, and somebody is looking: an invocation's end is not left for the next one.
        ("LIMELIGHT_FLUSH", "end".to_owned()),
        // In Lambda each environment has a loopback of its own; here they share one, and an SDK's export would reach
        // whichever environment's extension was first. A function that runs alone may set them.
        ("LIMELIGHT_OTLP_HTTP_PORT", "0".to_owned()),
        ("LIMELIGHT_OTLP_GRPC_PORT", "0".to_owned()),
        // In Lambda each environment has a /tmp of its own. Here an extension must not take up what another project's
        // has left behind.
        ("LIMELIGHT_JOURNAL_DIR", journals.to_string_lossy().into_owned()),
    ];
    match (own("AWS_ACCESS_KEY_ID"), own("AWS_SECRET_ACCESS_KEY")) {
        (Some(key), Some(secret)) => {
            env.extend([("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret)]);
            env.extend(own("AWS_SESSION_TOKEN").map(|token| ("AWS_SESSION_TOKEN", token)));
        }
        _ => env.extend([
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ]),
    }
    env
}
