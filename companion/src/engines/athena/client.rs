//! The environment → the settings that AWS clients are built from: rustls with ring, deadlines.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// No connection after this time: there is no way to AWS from here.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Each call is a small one: what takes long in Athena is waited for in several.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn settings() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let http = Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard())
        .http_client(http)
        .load()
        .await
}
