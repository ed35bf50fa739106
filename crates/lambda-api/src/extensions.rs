//! The Extensions API, with which an external extension follows the sandbox's life. Source: AWS Lambda Developer
//! Guide, "Using the Lambda Extensions API to create extensions".

use serde::{Deserialize, Serialize};

/// `POST`: register; the name must be the executable's full file name.
pub const REGISTER_PATH: &str = "/2020-01-01/extension/register";
/// `GET`: waits for INVOKE or SHUTDOWN; the first call ends the extension's init.
pub const NEXT_PATH: &str = "/2020-01-01/extension/event/next";
/// `POST`: the extension could not start; the sandbox fails.
pub const INIT_ERROR_PATH: &str = "/2020-01-01/extension/init/error";
/// `POST`: the extension is about to exit with an error; the sandbox fails.
pub const EXIT_ERROR_PATH: &str = "/2020-01-01/extension/exit/error";

/// On registration: the extension's name.
pub const NAME_HEADER: &str = "lambda-extension-name";
/// Given by registration, demanded by everything else; a UUID.
pub const IDENTIFIER_HEADER: &str = "lambda-extension-identifier";
/// Names one INVOKE; a UUID.
pub const EVENT_IDENTIFIER_HEADER: &str = "lambda-extension-event-identifier";
/// On error requests: category and reason, as `Extension.UnknownReason`.
pub const ERROR_TYPE_HEADER: &str = "lambda-extension-function-error-type";
/// On registration: `accountId` asks for the account in the answer.
pub const FEATURE_HEADER: &str = "lambda-extension-accept-feature";
/// The only feature AWS documents.
pub const ACCOUNT_FEATURE: &str = "accountId";

/// What an extension may ask to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventKind {
    /// An invocation begins.
    Invoke,
    /// The sandbox ends.
    Shutdown,
}

/// The body of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRequest {
    /// No event at all is allowed.
    pub events: Vec<EventKind>,
}

/// The answer to a registration; the identifier stands in [`IDENTIFIER_HEADER`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegisterResponse {
    /// The function's name.
    pub function_name: String,
    /// `$LATEST` or a number.
    pub function_version: String,
    /// The function's handler setting.
    pub handler: String,
    /// Only when [`FEATURE_HEADER`] asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// The answer of [`NEXT_PATH`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "eventType")]
pub enum NextEvent {
    /// An invocation begins.
    #[serde(rename = "INVOKE", rename_all = "camelCase")]
    Invoke {
        /// When the invocation times out, milliseconds since the epoch.
        deadline_ms: u64,
        /// The invocation's identity.
        request_id: String,
        /// What was invoked.
        #[serde(default)]
        invoked_function_arn: String,
        /// X-Ray's header, when there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracing: Option<Tracing>,
    },
    /// The sandbox ends.
    #[serde(rename = "SHUTDOWN", rename_all = "camelCase")]
    Shutdown {
        /// Why.
        shutdown_reason: ShutdownReason,
        /// When the extension is killed, milliseconds since the epoch.
        deadline_ms: u64,
    },
}

/// The trace of an INVOKE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracing {
    /// `X-Amzn-Trace-Id`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `Root=…;Parent=…;Sampled=…`.
    pub value: String,
}

/// Why a sandbox ends. AWS's text has been seen in both cases, so reading ignores case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ShutdownReason {
    /// Nothing to do any more, or a new version.
    Spindown,
    /// An invocation ran out of time.
    Timeout,
    /// The runtime or an extension failed.
    Failure,
    /// What AWS adds later, as it was written.
    Other(String),
}

impl ShutdownReason {
    /// AWS's spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Spindown => "SPINDOWN",
            Self::Timeout => "TIMEOUT",
            Self::Failure => "FAILURE",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for ShutdownReason {
    fn from(text: String) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "SPINDOWN" => Self::Spindown,
            "TIMEOUT" => Self::Timeout,
            "FAILURE" => Self::Failure,
            _ => Self::Other(text),
        }
    }
}

impl From<ShutdownReason> for String {
    fn from(reason: ShutdownReason) -> Self {
        reason.as_str().to_owned()
    }
}

/// What an extension says when it fails; the type AWS classifies by stands in [`ERROR_TYPE_HEADER`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorRequest {
    /// For people.
    pub error_message: String,
    /// The error's class.
    pub error_type: String,
    /// One frame per item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack_trace: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_events_read_as_aws_documents_them() {
        let invoke: NextEvent = serde_json::from_str(
            r#"{"eventType":"INVOKE","deadlineMs":676051,"requestId":"3da1f2dc","invokedFunctionArn":"arn:aws:lambda:us-east-1:1:function:f","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-5f35ae12;Parent=5;Sampled=1"},"new":1}"#,
        )
        .unwrap();
        assert!(matches!(invoke, NextEvent::Invoke { deadline_ms: 676_051, tracing: Some(_), .. }));
        let shutdown: NextEvent =
            serde_json::from_str(r#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":1}"#)
                .unwrap();
        assert_eq!(
            shutdown,
            NextEvent::Shutdown { shutdown_reason: ShutdownReason::Spindown, deadline_ms: 1 }
        );
    }

    #[test]
    fn an_unknown_reason_is_kept_as_written() {
        let reason: ShutdownReason = serde_json::from_str("\"Eviction\"").unwrap();
        assert_eq!(serde_json::to_string(&reason).unwrap(), "\"Eviction\"");
    }
}
