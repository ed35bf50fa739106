//! The stream, and what it takes to reach it: region, endpoint, credentials.

use std::fmt;

use super::setting::Settings;

/// Where batches go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The stream.
    pub stream: Stream,
    /// The stream's region; requests are signed for it.
    pub region: String,
    /// Another server than AWS's own.
    pub endpoint: Option<String>,
    /// Who we are.
    pub credentials: Credentials,
}

/// How the stream is named in requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// A stream of this account.
    Name(String),
    /// A stream of any account.
    Arn(String),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Name(text) | Self::Arn(text)) = self;
        f.write_str(text)
    }
}

/// Where the keys come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The platform put them into the environment; they live as long as the sandbox.
    Environment {
        /// `AWS_ACCESS_KEY_ID`.
        access_key: String,
        /// `AWS_SECRET_ACCESS_KEY`.
        secret_key: String,
        /// `AWS_SESSION_TOKEN`.
        session_token: Option<String>,
    },
    /// The platform serves them inside the sandbox, and renews them (SnapStart, Managed Instances).
    Endpoint {
        /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
        uri: String,
        /// `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
        token: Option<String>,
    },
}

/// Secrets stay out of every log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment { .. } => "Credentials::Environment",
            Self::Endpoint { .. } => "Credentials::Endpoint",
        })
    }
}

impl Destination {
    /// None, with faults, if the stream cannot be reached with what is set.
    pub(super) fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let stream = stream(settings);
        let endpoint = endpoint(settings);
        let region = match &stream {
            // A stream of another region is reached there.
            Some((_, Some(region))) => Some(region.clone()),
            _ => settings.text("AWS_REGION").or_else(|| settings.text("AWS_DEFAULT_REGION")),
        };
        if region.is_none() {
            settings.fault("AWS_REGION is not set; nothing is shipped".to_owned());
        }
        let credentials = credentials(settings);
        Some(Self { stream: stream?.0, region: region?, endpoint, credentials: credentials? })
    }
}

/// The stream, and the region if its ARN names one.
fn stream(settings: &mut Settings<'_>) -> Option<(Stream, Option<String>)> {
    const NAME: &str = "LIMELIGHT_STREAM";
    let Some(text) = settings.text(NAME) else {
        settings.fault(format!("{NAME} is not set; nothing is shipped"));
        return None;
    };
    if text.starts_with("arn:") {
        let parts: Vec<&str> = text.split(':').collect();
        if let ["arn", partition, "kinesis", region, account, resource] = parts[..]
            && partition.starts_with("aws")
            && is_region(region)
            && is_account(account)
            && resource.strip_prefix("stream/").is_some_and(is_stream_name)
        {
            let region = region.to_owned();
            return Some((Stream::Arn(text), Some(region)));
        }
    } else if is_stream_name(&text) {
        return Some((Stream::Name(text), None));
    }
    settings.fault(format!(
        "{NAME} must be a stream's name or an ARN as arn:aws:kinesis:<region>:<account>:stream/<name>, is {text:?}; \
         nothing is shipped"
    ));
    None
}

/// As `eu-west-1`: it becomes a part of the server's name.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Kinesis API, CreateStream: 1 to 128 of `a-zA-Z0-9_.-`.
fn is_stream_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The service's own variable before the general one, as AWS's SDKs do.
fn endpoint(settings: &mut Settings<'_>) -> Option<String> {
    for name in ["AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL"] {
        let Some(text) = settings.text(name) else { continue };
        if server(&text).is_some() {
            return Some(text);
        }
        // Credentials may stand in a URL: a wrong one is not shown.
        settings.fault(format!(
            "{name} must be an http or https URL without user, password or query; it is ignored"
        ));
    }
    None
}

/// A server's URL that says nothing but where the server is.
pub(super) fn server(text: &str) -> Option<http::Uri> {
    let uri: http::Uri = text.parse().ok()?;
    let is_plain = uri.query().is_none() && !uri.authority()?.as_str().contains('@');
    (is_plain && !uri.host()?.is_empty() && matches!(uri.scheme_str(), Some("http" | "https"))).then_some(uri)
}

fn credentials(settings: &mut Settings<'_>) -> Option<Credentials> {
    if let Some(access_key) = settings.text("AWS_ACCESS_KEY_ID")
        && let Some(secret_key) = settings.text("AWS_SECRET_ACCESS_KEY")
    {
        let session_token = settings.text("AWS_SESSION_TOKEN");
        return Some(Credentials::Environment { access_key, secret_key, session_token });
    }
    if let Some(uri) = settings.text("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        let token = settings.text("AWS_CONTAINER_AUTHORIZATION_TOKEN");
        return Some(Credentials::Endpoint { uri, token });
    }
    settings.fault(
        "neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set; \
         nothing is shipped"
            .to_owned(),
    );
    None
}
