//! An endpoint's URL → the settings that AWS clients are built from: rustls with ring, deadlines, credentials.
//!
//! `aws_sdk_kinesis::Client::new(&client::settings(Some("http://127.0.0.1:4567"), "us-east-1").await)`

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// No connection after this time: the endpoint is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// `GetRecords` answers with up to 10 MB; a local server takes seconds for it, not half a minute.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings for clients in `region`. With an `endpoint` on loopback, whose server does not check signatures,
/// made-up credentials are used; otherwise the environment's, and without an endpoint the environment's
/// `AWS_ENDPOINT_URL_*` too.
pub async fn settings(endpoint: Option<&str>, region: &str) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard());
    // Without TLS there is no need to read the system's certificates.
    let http = if endpoint.is_some_and(|url| url.starts_with("http://")) {
        Builder::new().build_http()
    } else {
        Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring)).build_https()
    };
    loader = loader.http_client(http);
    if let Some(url) = endpoint {
        loader = loader.endpoint_url(url);
        if is_loopback(url) {
            loader = loader.credentials_provider(Credentials::new("local", "local", None, None, "sandbox"));
        }
    }
    loader.load().await
}

fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    uri.host().is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_the_rest() {
        for url in ["http://127.0.0.1:4567", "http://localhost:4567/", "http://[::1]:1"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://kinesis.eu-west-1.amazonaws.com", "http://10.0.0.1", "127.0.0.1 ", ""] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
