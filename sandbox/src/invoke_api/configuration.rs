//! A function's settings → the answers of `GetFunction`, `GetFunctionConfiguration` and `ListFunctions`.
//!
//! Only what the local environment knows; roles, code and layers are not made up.

use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::FunctionConfig;
use crate::front::Response;

/// `GetFunctionConfiguration`.
pub(super) fn configuration(function: &FunctionConfig) -> Response {
    answer(&described(function))
}

/// `GetFunction`.
pub(super) fn function(function: &FunctionConfig) -> Response {
    answer(&json!({ "Configuration": described(function), "Tags": {} }))
}

/// `ListFunctions`, always one page.
pub(super) fn list(functions: &[&FunctionConfig]) -> Response {
    let functions: Vec<Value> = functions.iter().map(|function| described(function)).collect();
    answer(&json!({ "Functions": functions, "NextMarker": null }))
}

/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>.
fn described(function: &FunctionConfig) -> Value {
    json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn(),
        "Handler": function.handler,
        "Version": function.version,
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout.as_secs(),
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": { "Variables": function.env },
        "LoggingConfig": { "LogFormat": function.log_format.as_str(), "LogGroup": function.log_group() },
        "TracingConfig": { "Mode": "Active" },
    })
}

fn answer(value: &Value) -> Response {
    let mut response = http::Response::new(value.to_string().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
