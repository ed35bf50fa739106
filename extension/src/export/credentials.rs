//! The keys that requests are signed with: from the environment, or from the endpoint inside the sandbox, asked again
//! shortly before they run out.
//! Source: AWS SDKs reference guide, "Container credential provider".

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Keys;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde::Deserialize;

use crate::config::Credentials;
use crate::http_call::{CallError, call};

/// The endpoint is in the sandbox.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// A request that is signed now arrives within this time, also when it has to be repeated.
const LAST_MOMENTS: Duration = Duration::from_secs(60);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    /// The address of the endpoint makes no sense.
    #[error("the credentials endpoint must be an http URL")]
    Address,
    /// Its token cannot be a header.
    #[error("the credentials endpoint cannot be asked")]
    Token(#[source] http::Error),
    /// It does not answer.
    #[error("the credentials endpoint did not answer within {} ms", ANSWER_TIMEOUT.as_millis())]
    Timeout,
    /// It breaks off.
    #[error("no keys")]
    Call(#[from] CallError),
    /// It says no.
    #[error("the credentials endpoint answered {0}")]
    Refused(http::StatusCode),
    /// It says something else.
    #[error("the credentials endpoint's answer has no keys")]
    Json(#[from] serde_json::Error),
    /// The keys' end is no time.
    #[error("the keys' end cannot be read")]
    Expiration(#[from] model::time::TimeError),
}

/// Where the keys come from, and those in use.
pub(super) struct Keyring {
    source: Credentials,
    held: Mutex<Option<Keys>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring of {:?}", self.source)
    }
}

impl Keyring {
    pub(super) fn new(source: Credentials) -> Self {
        Self { source, held: Mutex::default() }
    }

    /// Keys that are good for a request at `now`.
    pub(super) async fn keys(&self, now: SystemTime) -> Result<Keys, KeysError> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = held.filter(|keys| are_good(keys, now)) {
            return Ok(keys);
        }
        let keys = match &self.source {
            Credentials::Environment { access_key, secret_key, session_token } => {
                Keys::new(access_key, secret_key, session_token.clone(), None, "environment")
            }
            Credentials::Endpoint { uri, token } => ask(uri, token.as_deref()).await?,
        };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }
}

fn are_good(keys: &Keys, now: SystemTime) -> bool {
    keys.expiry().is_none_or(|end| now + LAST_MOMENTS < end)
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

async fn ask(uri: &str, token: Option<&str>) -> Result<Keys, KeysError> {
    let uri: http::Uri = uri.parse().map_err(|_| KeysError::Address)?;
    let authority = match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) => format!("{host}:{}", uri.port_u16().unwrap_or(80)),
        _ => return Err(KeysError::Address),
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::get(path).header(header::HOST, &authority);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, token);
    }
    let request = request.body(Full::<Bytes>::default()).map_err(KeysError::Token)?;
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, call(&authority, request)).await;
    let answer = answered.map_err(|_| KeysError::Timeout)??;
    if !answer.status().is_success() {
        return Err(KeysError::Refused(answer.status()));
    }
    keys(answer.body())
}

fn keys(body: &[u8]) -> Result<Keys, KeysError> {
    let Answer { access_key_id, secret_access_key, token, expiration } = serde_json::from_slice(body)?;
    let end = expiration.map(|text| text.parse::<model::Timestamp>()).transpose()?;
    let end = end.map(|end| SystemTime::UNIX_EPOCH + end.since(model::Timestamp::EPOCH));
    Ok(Keys::new(access_key_id, secret_access_key, token, end, "sandbox endpoint"))
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
    fn keys_are_good_until_shortly_before_their_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let keys = |left: u64| Keys::new("a", "s", None, Some(now + Duration::from_secs(left)), "test");
        assert!(are_good(&keys(61), now) && !are_good(&keys(60), now));
        assert!(are_good(&Keys::new("a", "s", None, None, "test"), now));
    }

    #[test]
    fn an_answer_without_keys_is_an_error() {
        assert!(keys(br#"{"Code":"denied"}"#).is_err());
        assert!(keys(b"").is_err());
    }
}
