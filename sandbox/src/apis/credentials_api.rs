//! The container credentials endpoint: where the environment outlives keys, processes fetch them here and renew them.
//!
//! Path and refusal as in AWS's own emulator; the answer's shape is the one that SDKs know from containers.

use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::json;

use super::{Inbox, Request, Response, ask, header, json};
use crate::environment::records::rfc3339;
use crate::message::{Message, Refusal};

/// What `AWS_CONTAINER_CREDENTIALS_FULL_URI` ends with.
pub(crate) const PATH: &str = "/2021-04-23/credentials";

pub(super) async fn get(request: &Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let authorization = header(request.headers(), AUTHORIZATION.as_str()).to_owned();
    let issued = ask(inbox, |reply| Message::Credentials { authorization, reply }).await?;
    let body = json!({
        "AccessKeyId": issued.access_key,
        "SecretAccessKey": issued.secret_key,
        "Token": issued.session_token,
        "Expiration": rfc3339(issued.expires),
    });
    Ok(json(StatusCode::OK, &body))
}
