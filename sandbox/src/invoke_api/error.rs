//! What the Lambda API answers when it does not invoke: AWS's type, status and body for each.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, StatusCode};
use serde_json::json;

use super::name::FunctionReference;
use crate::front::Response;

/// Names the exception; SDKs read it before the body.
pub(super) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// One exception of the Lambda API.
/// Source: "Errors" of <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    /// `ResourceNotFoundException`
    kind: &'static str,
    message: String,
    /// Only of a throttle.
    reason: Option<&'static str>,
}

impl ApiError {
    fn user(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), reason: None }
    }

    /// No such function, version or alias; `arn` as the caller would know it.
    pub(super) fn function_not_found(arn: &str) -> Self {
        let message = format!("Function not found: {arn}");
        Self::user(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    /// The ARN names another region than the function's.
    pub(super) fn wrong_region(asked: &str, own: &str) -> Self {
        let message = format!("Functions from '{asked}' are not reachable in this region ('{own}')");
        Self::user(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    /// The function's name is none.
    pub(super) fn malformed_name(text: &str) -> Self {
        let shown: String = text.chars().take(200).collect();
        let message = format!(
            "1 validation error detected: Value '{shown}' at 'functionName' failed to satisfy constraint: \
             it must be a function name, a partial ARN or an ARN"
        );
        Self::user(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    /// `name:1` with `Qualifier=2`.
    pub(super) fn qualifiers_differ() -> Self {
        Self::invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    }

    /// A header or parameter with a value that is not one of those allowed.
    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::user(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    /// The payload is not JSON.
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        let message = format!("Could not parse request body into json: {error}");
        Self::user(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    /// The client context is not base64 of JSON, or too long.
    pub(super) fn invalid_client_context() -> Self {
        let message = "Client context must be a valid Base64-encoded JSON object of at most 3583 bytes.";
        Self::user(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    /// The body broke off.
    pub(super) fn body_incomplete() -> Self {
        let message = "The request body ended early or came too slowly";
        Self::user(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    /// The payload is longer than its kind of invocation allows.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        let message =
            format!("Request must be smaller than {bytes_max} bytes for the InvokeFunction operation");
        Self::user(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }

    /// All the function's environments are busy, or the queue of events is full.
    pub(super) fn throttled() -> Self {
        let mut error =
            Self::user(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.");
        error.reason = Some("ReservedFunctionConcurrentInvocationLimitExceeded");
        error
    }

    /// The environment itself failed; `message` says how.
    pub(super) fn service(message: impl Into<String>) -> Self {
        Self::user(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message)
    }

    /// A web page of another origin asks, through its reader's browser.
    pub(super) fn not_meant() -> Self {
        let message =
            "Only programs and pages of this machine may invoke; ask as http://127.0.0.1 or http://localhost";
        Self::user(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    /// A path or method of the Lambda API that is not served here.
    pub(super) fn unknown_operation(method: &str, path: &str) -> Self {
        let shown: String = path.chars().take(200).collect();
        let message = format!(
            "{method} {shown} is not served here: only Invoke, GetFunction, GetFunctionConfiguration \
             and ListFunctions are"
        );
        Self::user(StatusCode::NOT_FOUND, "UnknownOperationException", message)
    }

    /// The answer; some exceptions spell `message` and some `Message`, as AWS does.
    pub(super) fn response(&self) -> Response {
        let side = if self.status.is_server_error() { "Service" } else { "User" };
        let mut body = match self.kind {
            "ResourceNotFoundException" | "ServiceException" => json!({"Message": self.message}),
            _ => json!({"message": self.message}),
        };
        body["Type"] = json!(side);
        if let Some(reason) = self.reason {
            body["Reason"] = json!(reason);
        }
        let mut response = http::Response::new(body.to_string().into());
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(self.kind));
        response
    }
}

/// The ARN that stands in a "not found" message: what was asked for, in the environment's terms.
pub(super) fn shown_arn(region: &str, account: &str, reference: &FunctionReference) -> String {
    let arn = super::name::arn(region, account, &reference.name);
    match &reference.qualifier {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn body(error: &ApiError) -> serde_json::Value {
        let bytes = error.response().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn errors_have_awss_shape() {
        let reference = FunctionReference::parse("nobody:live").unwrap();
        let missing = ApiError::function_not_found(&shown_arn("eu-west-1", "123456789012", &reference));
        assert_eq!(missing.response().status(), 404);
        assert_eq!(missing.response().headers()[ERROR_TYPE], "ResourceNotFoundException");
        let arn = "Function not found: arn:aws:lambda:eu-west-1:123456789012:function:nobody:live";
        assert_eq!(body(&missing).await, json!({"Message": arn, "Type": "User"}));

        let throttled = ApiError::throttled();
        assert_eq!(throttled.response().status(), 429);
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        let expected = json!({"message": "Rate Exceeded.", "Type": "User", "Reason": reason});
        assert_eq!(body(&throttled).await, expected);
    }
}
