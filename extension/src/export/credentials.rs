//! The keys that requests are signed with: from the environment, or from the endpoint inside the sandbox, asked again
//! when they run out (the SDK keeps them until shortly before their end).
//! Source: AWS SDKs reference guide, "Container credential provider".

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_kinesis::config::{Builder, Credentials as Keys};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde::Deserialize;

use crate::config::Credentials;
use crate::http_call::call;

/// The endpoint is in the sandbox.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Puts the right provider into the client's configuration.
pub(super) fn provide(config: Builder, credentials: &Credentials) -> Builder {
    match credentials {
        Credentials::Environment { access_key, secret_key, session_token } => config.credentials_provider(
            Keys::new(access_key, secret_key, session_token.clone(), None, "environment"),
        ),
        Credentials::Endpoint { uri, token } => {
            config.credentials_provider(Endpoint { uri: uri.clone(), token: token.clone() })
        }
    }
}

/// `AWS_CONTAINER_CREDENTIALS_FULL_URI` and its token.
#[derive(Clone)]
struct Endpoint {
    uri: String,
    token: Option<String>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.uri)
    }
}

impl ProvideCredentials for Endpoint {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.ask())
    }
}

/// The endpoint's answer, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Endpoint {
    async fn ask(&self) -> Result<Keys, CredentialsError> {
        let uri: http::Uri = self.uri.parse().map_err(CredentialsError::invalid_configuration)?;
        let authority = match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(host)) => format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            _ => return Err(CredentialsError::invalid_configuration("the endpoint must be an http URL")),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::get(path).header(header::HOST, &authority);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token);
        }
        let request =
            request.body(Full::<Bytes>::default()).map_err(CredentialsError::invalid_configuration)?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, call(&authority, request))
            .await
            .map_err(|_| CredentialsError::provider_timed_out(ANSWER_TIMEOUT))?
            .map_err(CredentialsError::provider_error)?;
        if !answer.status().is_success() {
            let status = answer.status();
            return Err(CredentialsError::provider_error(format!(
                "the credentials endpoint answered {status}"
            )));
        }
        keys(answer.body()).map_err(CredentialsError::provider_error)
    }
}

fn keys(body: &[u8]) -> Result<Keys, Box<dyn std::error::Error + Send + Sync>> {
    let answer: Answer = serde_json::from_slice(body)?;
    let expiration = match answer.expiration {
        Some(text) => {
            let time: model::Timestamp = text.parse()?;
            let since_epoch = time.since(model::Timestamp::EPOCH);
            Some(SystemTime::UNIX_EPOCH + since_epoch)
        }
        None => None,
    };
    Ok(Keys::new(
        answer.access_key_id,
        answer.secret_access_key,
        answer.token,
        expiration,
        "sandbox endpoint",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoints_answer_brings_keys_with_their_end() {
        let keys = keys(
            br#"{"AccessKeyId":"a","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-20T15:00:00Z","x":1}"#,
        )
        .unwrap();
        assert_eq!((keys.access_key_id(), keys.session_token()), ("a", Some("t")));
        assert_eq!(keys.expiry(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_186_800)));
    }

    #[test]
    fn an_answer_without_keys_is_an_error() {
        assert!(keys(br#"{"Code":"denied"}"#).is_err());
        assert!(keys(b"").is_err());
    }
}
