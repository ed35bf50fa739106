//! The Extensions API: registration, events, errors; refusals in the words of AWS's own emulator.

use std::str::FromStr;

use http::{HeaderName, HeaderValue, StatusCode};
use lambda_api::extensions::{
    ACCOUNT_FEATURE, ERROR_TYPE_HEADER, EVENT_IDENTIFIER_HEADER, EXIT_ERROR_PATH, EventKind, FEATURE_HEADER,
    IDENTIFIER_HEADER, NAME_HEADER, NextEvent,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Inbox, Request, Response, accepted, ask, header, json, small_body};
use crate::message::{ErrorStage, Message, Refusal};

/// Registration as it is written; events are checked one by one, so that the refusal can name the wrong one.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Registration {
    events: Vec<String>,
    configuration_keys: Vec<String>,
}

pub(super) async fn register(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let name = header(request.headers(), NAME_HEADER).to_owned();
    if name.is_empty() {
        return Err(Refusal::forbidden("Extension.InvalidExtensionName", "Empty extension name"));
    }
    let features = header(request.headers(), FEATURE_HEADER).to_owned();
    let account = features.split(',').any(|feature| feature.trim() == ACCOUNT_FEATURE);
    let body = small_body(request.into_body()).await?;
    let registration: Registration = serde_json::from_slice(&body)
        .map_err(|error| Refusal::forbidden("InvalidRequestFormat", error.to_string()))?;
    if !registration.configuration_keys.is_empty() {
        let why = "configurationKeys are deprecated; use environment variables instead";
        return Err(Refusal::forbidden("InvalidRequestFormat", why));
    }
    let events = registration.events.iter().map(|name| event(name)).collect::<Result<Vec<_>, _>>()?;
    let registered = ask(inbox, |reply| Message::Register { name, events, account, reply }).await?;
    let mut response = json(StatusCode::OK, &registered.body);
    insert(&mut response, IDENTIFIER_HEADER, &registered.identifier);
    Ok(response)
}

fn event(name: &str) -> Result<EventKind, Refusal> {
    match name {
        "INVOKE" => Ok(EventKind::Invoke),
        "SHUTDOWN" => Ok(EventKind::Shutdown),
        _ => Err(Refusal::forbidden(
            "Extension.InvalidEventType",
            format!("{name}: ErrorInvalidEventType: this event is not valid for extensions"),
        )),
    }
}

pub(super) async fn next(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let identifier = identifier(&request)?;
    let event = ask(inbox, |reply| Message::ExtensionNext { identifier, reply }).await?;
    let mut response = json(StatusCode::OK, &event);
    if matches!(event, NextEvent::Invoke { .. }) {
        insert(&mut response, EVENT_IDENTIFIER_HEADER, &Uuid::new_v4().to_string());
    }
    Ok(response)
}

pub(super) async fn error(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let identifier = identifier(&request)?;
    let stage = if request.uri().path() == EXIT_ERROR_PATH { ErrorStage::Exit } else { ErrorStage::Init };
    let error_type = header(request.headers(), ERROR_TYPE_HEADER).to_owned();
    if error_type.is_empty() {
        let why = "Lambda-Extension-Function-Error-Type not found";
        return Err(Refusal::forbidden("Extension.MissingHeader", why));
    }
    // The body is for people; reading it keeps the connection usable.
    small_body(request.into_body()).await?;
    ask(inbox, |reply| Message::ExtensionError { identifier, stage, error_type, reply }).await?;
    Ok(accepted())
}

/// The identifier that registration gave, in the one form that the owner compares.
pub(super) fn identifier(request: &Request) -> Result<String, Refusal> {
    let text = header(request.headers(), IDENTIFIER_HEADER);
    if text.is_empty() {
        let why = "Missing Lambda-Extension-Identifier header";
        return Err(Refusal::forbidden("Extension.MissingExtensionIdentifier", why));
    }
    Uuid::from_str(text).map(|id| id.to_string()).map_err(|_| {
        Refusal::forbidden("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
    })
}

fn insert(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
