//! The Runtime API, which a function's runtime client polls. Source: AWS Lambda Developer Guide, "Using the
//! Lambda runtime API for custom runtimes".

use serde::{Deserialize, Serialize};

/// `GET`: waits for the next invocation.
pub const NEXT_PATH: &str = "/2018-06-01/runtime/invocation/next";
/// `POST {PREFIX}{request id}/response` or `/error`.
pub const INVOCATION_PREFIX: &str = "/2018-06-01/runtime/invocation/";
/// `POST`: the runtime could not start.
pub const INIT_ERROR_PATH: &str = "/2018-06-01/runtime/init/error";
/// `GET`: with SnapStart, ends init; answered when the snapshot is restored.
pub const RESTORE_NEXT_PATH: &str = "/2018-06-01/runtime/restore/next";
/// `POST`: the runtime, or a hook of the function, could not be restored.
pub const RESTORE_ERROR_PATH: &str = "/2018-06-01/runtime/restore/error";

/// The invocation's identity.
pub const REQUEST_ID_HEADER: &str = "lambda-runtime-aws-request-id";
/// When the invocation times out, in milliseconds since the epoch.
pub const DEADLINE_HEADER: &str = "lambda-runtime-deadline-ms";
/// The ARN, version or alias that was invoked.
pub const FUNCTION_ARN_HEADER: &str = "lambda-runtime-invoked-function-arn";
/// X-Ray's `Root=…;Parent=…;Sampled=…`.
pub const TRACE_HEADER: &str = "lambda-runtime-trace-id";
/// Data about the client, JSON, from the mobile SDKs or an Invoke caller.
pub const CLIENT_CONTEXT_HEADER: &str = "lambda-runtime-client-context";
/// Data about the Amazon Cognito identity provider, JSON.
pub const COGNITO_HEADER: &str = "lambda-runtime-cognito-identity";
/// The tenant of a function with tenant isolation.
pub const TENANT_HEADER: &str = "lambda-runtime-aws-tenant-id";
/// On `error` requests: category and reason, as `Runtime.NoSuchHandler`.
pub const ERROR_TYPE_HEADER: &str = "lambda-runtime-function-error-type";
/// On `response` requests: `streaming` when the body comes in chunks.
pub const RESPONSE_MODE_HEADER: &str = "lambda-runtime-function-response-mode";

/// What a runtime says when an invocation, or its own start, failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorRequest {
    /// For people.
    pub error_message: String,
    /// The error's class in the function's language.
    pub error_type: String,
    /// One frame per item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack_trace: Vec<String>,
}
