//! The Lambda API on loopback: `Invoke` and `InvokeWithResponseStream`, so that the AWS command and any SDK can run
//! functions, and the read-only calls that tools make before it (`GetFunction`, `GetFunctionConfiguration`,
//! `ListFunctions`).
//!
//! Requests may be signed; signatures and credentials are accepted unread, which is why it must only ever be
//! bound to loopback.

mod configuration;
mod error;
mod event_queue;
mod event_stream;
mod invoke;
mod invoke_streaming;
mod name;

use std::future::Future;
use std::io;
use std::sync::Arc;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use tokio::net::TcpListener;
use uuid::Uuid;

pub use event_queue::EventSettings;

use crate::front::{self, Request, Response, loopback, percent};
use crate::{FunctionConfig, Lambda};
use error::ApiError;
use event_queue::EventQueue;
use name::FunctionReference;

/// The request's identity, in every answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Serves until `shutdown`, with AWS's settings for asynchronous events; running requests then have ten seconds.
///
/// # Errors
/// None today; the listener's errors are logged and survived.
pub async fn serve(
    lambda: Lambda,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_with(lambda, EventSettings::default(), listener, shutdown).await
}

/// As [`serve`], with settings for asynchronous events.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with(
    lambda: Lambda,
    events: EventSettings,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let queue = EventQueue::new(lambda.clone(), events);
    let api = Arc::new(Api { lambda, queue });
    let served = {
        let api = Arc::clone(&api);
        let handler = move |request| {
            let api = Arc::clone(&api);
            async move { api.answer(request).await }
        };
        front::serve(listener, shutdown, handler).await
    };
    api.queue.close().await;
    served
}

struct Api {
    lambda: Lambda,
    queue: EventQueue,
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Operation {
    Invoke(String),
    InvokeStreaming(String),
    GetFunction(String),
    GetConfiguration(String),
    List,
}

impl Api {
    async fn answer(&self, request: Request) -> Response {
        let mut response = match self.respond(request).await {
            Ok(response) => response,
            Err(error) => error.response(),
        };
        let headers = response.headers_mut();
        if !headers.contains_key(REQUEST_ID)
            && let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string())
        {
            headers.insert(REQUEST_ID, id);
        }
        response
    }

    async fn respond(&self, request: Request) -> Result<Response, ApiError> {
        if !loopback::is_meant(request.headers()) {
            return Err(ApiError::not_meant());
        }
        match operation(request.method(), request.uri().path()) {
            Some(Operation::Invoke(name)) => {
                let function = self.find(&name, request.uri().query())?;
                invoke::answer(&self.lambda, &self.queue, function, request).await
            }
            Some(Operation::InvokeStreaming(name)) => {
                let function = self.find(&name, request.uri().query())?;
                invoke_streaming::answer(&self.lambda, function, request).await
            }
            Some(Operation::GetFunction(name)) => {
                self.find(&name, request.uri().query()).map(configuration::function)
            }
            Some(Operation::GetConfiguration(name)) => {
                self.find(&name, request.uri().query()).map(configuration::configuration)
            }
            Some(Operation::List) => Ok(configuration::list(&self.lambda.functions())),
            None => Err(ApiError::unknown_operation(request.method().as_str(), request.uri().path())),
        }
    }

    /// The function that a path and its `Qualifier` name.
    fn find(&self, name: &str, query: Option<&str>) -> Result<&FunctionConfig, ApiError> {
        let mut reference = FunctionReference::parse(name).ok_or_else(|| ApiError::malformed_name(name))?;
        let asked = percent::query_pairs(query.unwrap_or_default()).find(|(key, _)| key == "Qualifier");
        if let Some((_, asked)) = asked {
            if !name::is_qualifier(&asked) {
                return Err(ApiError::invalid_parameter(format!("{asked:?} is no qualifier")));
            }
            if reference.qualifier.as_ref().is_some_and(|own| *own != asked) {
                return Err(ApiError::qualifiers_differ());
            }
            reference.qualifier = Some(asked);
        }
        resolve(&self.lambda, &reference)
    }
}

fn resolve<'a>(lambda: &'a Lambda, reference: &FunctionReference) -> Result<&'a FunctionConfig, ApiError> {
    let Some(function) = lambda.function(&reference.name) else {
        let functions = lambda.functions();
        let neighbour = functions.first();
        let region = reference.region.as_deref().or(neighbour.map(|it| it.region.as_str()));
        let account = reference.account.as_deref().or(neighbour.map(|it| it.account.as_str()));
        let arn =
            error::shown_arn(region.unwrap_or("us-east-1"), account.unwrap_or("000000000000"), reference);
        return Err(ApiError::function_not_found(&arn));
    };
    if let Some(asked) = reference.region.as_deref().filter(|asked| *asked != function.region) {
        return Err(ApiError::wrong_region(asked, &function.region));
    }
    let account = reference.account.as_deref().unwrap_or(&function.account);
    let known_version =
        reference.qualifier.as_deref().is_none_or(|asked| asked == "$LATEST" || asked == function.version);
    if account != function.account || !known_version {
        let arn = error::shown_arn(&function.region, account, reference);
        return Err(ApiError::function_not_found(&arn));
    }
    Ok(function)
}

/// Method and path → operation. A name may be percent-encoded, as SDKs do with an ARN's colons.
fn operation(method: &Method, path: &str) -> Option<Operation> {
    if let Some(rest) = path.strip_prefix("/2021-11-15/functions/") {
        let name = rest.strip_suffix("/response-streaming-invocations").filter(|_| method == Method::POST)?;
        return Some(Operation::InvokeStreaming(percent::decode(name)));
    }
    let rest = path.strip_prefix("/2015-03-31/functions")?;
    let parts: Vec<&str> = rest.split('/').skip(1).filter(|part| !part.is_empty()).collect();
    match (method, parts.as_slice()) {
        (&Method::POST, [name, "invocations"]) => Some(Operation::Invoke(percent::decode(name))),
        (&Method::GET, [name]) => Some(Operation::GetFunction(percent::decode(name))),
        (&Method::GET, [name, "configuration"]) => Some(Operation::GetConfiguration(percent::decode(name))),
        (&Method::GET, []) => Some(Operation::List),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations() {
        let post = |path| operation(&Method::POST, path);
        let get = |path| operation(&Method::GET, path);
        assert_eq!(post("/2015-03-31/functions/f/invocations"), Some(Operation::Invoke("f".into())));
        assert_eq!(
            post("/2015-03-31/functions/arn%3Aaws%3Alambda/invocations"),
            Some(Operation::Invoke("arn:aws:lambda".into()))
        );
        assert_eq!(get("/2015-03-31/functions/f"), Some(Operation::GetFunction("f".into())));
        assert_eq!(
            get("/2015-03-31/functions/f/configuration"),
            Some(Operation::GetConfiguration("f".into()))
        );
        assert_eq!(
            post("/2021-11-15/functions/f/response-streaming-invocations"),
            Some(Operation::InvokeStreaming("f".into()))
        );
        assert_eq!(get("/2015-03-31/functions/"), Some(Operation::List));
        assert_eq!(get("/2015-03-31/functions"), Some(Operation::List));
        assert_eq!(post("/2015-03-31/functions"), None);
        assert_eq!(get("/"), None);
    }
}
