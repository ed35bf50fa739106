//! Asks the API: over HTTP, or, for a store without a server, the companion's router in this process. Either way the
//! same requests and answers.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use api::{Datasets, Problem, QueryResponse, QueryRuns, TailPage, TraceResponse};
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

use crate::args::PlaceArgs;
use crate::command::dev::addresses::Addresses;
use crate::command::place;
use crate::exit::Refused;

/// A companion gives up after 29 s by default; then comes the way back.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// An answer is bounded by the API (10,000 rows); this bounds what a wrong address may send.
const ANSWER_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Whom this command asks.
pub struct Client {
    source: Source,
}

/// How a query is answered.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// Whether the answer is kept.
    pub keep: bool,
    /// Who answers; whoever usually does if it is not said.
    pub engine: Option<String>,
}

impl How {
    /// By the companion itself: a command's own small questions.
    pub fn here() -> Self {
        Self { keep: false, engine: Some("embedded".to_owned()) }
    }
}

enum Source {
    Server { base: String, found: Found, http: reqwest::Client },
    Store(Box<axum::Router>),
}

/// How the server's address is known; an error says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Given,
    State,
}

impl Client {
    /// Finds out whom to ask.
    ///
    /// # Errors
    /// When nobody is named and no `limelight dev` has left its addresses, or the store cannot be opened.
    pub async fn open(place: &PlaceArgs) -> anyhow::Result<Self> {
        if let Some(store) = &place.store {
            return Self::of_store(store).await;
        }
        let (base, found) = match &place.endpoint {
            Some(endpoint) => (endpoint.clone(), Found::Given),
            None => (of_dev(&place.data)?, Found::State),
        };
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WAIT).timeout(ANSWER_WAIT).build()?;
        Ok(Self { source: Source::Server { base: base.trim_end_matches('/').to_owned(), found, http } })
    }

    async fn of_store(store: &str) -> anyhow::Result<Self> {
        let companion = place::at(store).await?;
        Ok(Self { source: Source::Store(Box::new(companion.router())) })
    }

    /// Runs a query; `body` is any form that the API takes.
    ///
    /// # Errors
    /// A [`Problem`] when the API refuses, else what went wrong on the way.
    pub async fn query(&self, body: &Value, how: &How) -> anyhow::Result<QueryResponse> {
        let said = [("save", how.keep.then_some("true")), ("engine", how.engine.as_deref())];
        self.call(Method::POST, &with_parameters("/v1/query", &said)?, Some(body)).await
    }

    /// The answer that was kept of a query run, or that it runs still.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn run(&self, id: &str) -> anyhow::Result<QueryResponse> {
        self.call(Method::GET, &run_path(id)?, None).await
    }

    /// Stops a query run, or lets go of its answer.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn end_run(&self, id: &str) -> anyhow::Result<QueryResponse> {
        self.call(Method::DELETE, &run_path(id)?, None).await
    }

    /// The answers that are kept, the newest first; at most so many.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn runs(&self, limit: usize) -> anyhow::Result<QueryRuns> {
        let limit = limit.to_string();
        self.call(Method::GET, &with_parameters("/v1/query-runs", &[("limit", Some(&limit))])?, None).await
    }

    /// What came since a cursor to the datasets that `text` names; without a cursor where a tail begins.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn tail(&self, text: &str, cursor: Option<&str>) -> anyhow::Result<TailPage> {
        let path = with_parameters("/v1/tail", &[("text", Some(text)), ("cursor", cursor)])?;
        self.call(Method::GET, &path, None).await
    }

    /// One trace.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn trace(&self, id: &str) -> anyhow::Result<TraceResponse> {
        self.call(Method::GET, &format!("/v1/traces/{id}"), None).await
    }

    /// All datasets.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub async fn datasets(&self) -> anyhow::Result<Datasets> {
        let mut all = Datasets::default();
        loop {
            let path = with_parameters("/v1/datasets", &[("cursor", all.next.as_deref())])?;
            let page: Datasets = self.call(Method::GET, &path, None).await?;
            all.datasets.extend(page.datasets);
            // A server that says the same page again would be asked for ever.
            if page.next.is_none() || page.next == all.next {
                return Ok(Datasets { next: None, ..all });
            }
            all.next = page.next;
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        let route = path.split('?').next().unwrap_or(path);
        let (status, bytes) = match &self.source {
            Source::Server { base, found, http } => over_http(http, base, *found, method, path, body).await?,
            Source::Store(router) => in_process(router.as_ref().clone(), method, path, body).await?,
        };
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .with_context(|| format!("the answer to {route} is not Limelight's: is that its address?"));
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(problem.into()),
            Err(_) => anyhow::bail!("{route} was answered with {status}: is that Limelight's address?"),
        }
    }
}

/// A route with what is said behind the `?`, escaped.
fn with_parameters(route: &str, said: &[(&str, Option<&str>)]) -> anyhow::Result<String> {
    // Any address will do: what is wanted of it is its path.
    let mut address = reqwest::Url::parse("http://localhost")?.join(route)?;
    let said: Vec<(&str, &str)> = said.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
    if !said.is_empty() {
        address.query_pairs_mut().extend_pairs(said);
    }
    Ok(address.query().map_or_else(|| route.to_owned(), |query| format!("{route}?{query}")))
}

/// The route of one run; an id of other characters would be another route.
fn run_path(id: &str) -> anyhow::Result<String> {
    let good = |char: char| char.is_ascii_alphanumeric() || char == '-';
    if id.is_empty() || !id.chars().all(good) {
        let wrong = format!("{id:?} is no query run's id: letters, digits and - (`limelight runs list`)");
        return Err(Refused::usage(wrong).into());
    }
    Ok(format!("/v1/query-runs/{id}"))
}

async fn over_http(
    http: &reqwest::Client,
    base: &str,
    found: Found,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let mut request = http.request(method, format!("{base}{path}"));
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.map_err(|error| unreachable_server(error, base, found))?;
    let status = response.status();
    let bytes = whole(response, ANSWER_BYTES_MAX).await;
    Ok((status, bytes.with_context(|| format!("the answer of {} broke off", shown(base)))?))
}

/// The body, as long as it is no longer than any answer of ours.
async fn whole(mut response: reqwest::Response, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        anyhow::ensure!(bytes.len() + chunk.len() <= bytes_max, "it has more than {bytes_max} bytes");
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An address as it is told: without the name and password that may be in it.
fn shown(base: &str) -> String {
    match reqwest::Url::parse(base) {
        Ok(mut url) if url.has_host() && (!url.username().is_empty() || url.password().is_some()) => {
            // An address that can have no password has none.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.as_str().trim_end_matches('/').to_owned()
        }
        Ok(url) if url.has_host() => base.to_owned(),
        // What is no address is told without what may be a secret.
        _ => base.rsplit('@').next().unwrap_or_default().to_owned(),
    }
}

fn unreachable_server(error: reqwest::Error, base: &str, found: Found) -> anyhow::Error {
    if error.is_builder() {
        let base = shown(base);
        return Refused::usage(format!("{base:?} is no address: it must be as http://127.0.0.1:4380")).into();
    }
    let hint = match found {
        Found::Given => "",
        Found::State => {
            " (the address of the last `limelight dev`, which seems to be gone; --store asks its data without it)"
        }
    };
    let what = if error.is_timeout() { "does not answer in time" } else { "does not answer" };
    anyhow::Error::new(error.without_url()).context(format!("{} {what}{hint}", shown(base)))
}

async fn in_process(
    router: axum::Router,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let response = router.oneshot(request.body(body)?).await?;
    let status = response.status();
    let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let answer = answer.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
    Ok((status, answer.to_bytes().to_vec()))
}

fn of_dev(data: &Path) -> anyhow::Result<String> {
    match Addresses::read(data)? {
        Some(addresses) => Ok(addresses.api),
        None => Err(Refused::usage(format!(
            "whom shall I ask? No `limelight dev` runs on {}. Start one, or give --endpoint URL or --store DIR",
            data.display()
        ))
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_password() {
        for (base, told) in [
            ("https://ops:secret@host:1/x", "https://host:1/x"),
            ("https://token@host", "https://host"),
            ("http://127.0.0.1:4380", "http://127.0.0.1:4380"),
            ("ops:secret@host", "host"),
        ] {
            assert_eq!(shown(base), told);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_longer_than_any_of_ours_is_not_held() {
        let of = |bytes: usize| reqwest::Response::from(http::Response::new(vec![b'x'; bytes]));
        assert_eq!(whole(of(101), 100).await.unwrap_err().to_string(), "it has more than 100 bytes");
        assert_eq!(whole(of(100), 100).await.unwrap().len(), 100);
    }

    #[tokio::test]
    async fn what_cannot_be_reached_is_told_without_its_password() {
        let place =
            PlaceArgs { endpoint: Some("http://ops:secret@127.0.0.1:1".to_owned()), ..PlaceArgs::default() };
        let error = Client::open(&place).await.unwrap().datasets().await.unwrap_err();
        let told = format!("{error:#} {error:?}");
        assert!(told.contains("127.0.0.1:1 does not answer") && !told.contains("secret"), "{told}");
    }
}
