//! Who may ask a server on loopback: programs, and pages that this machine serves. A page of another origin can reach
//! loopback through the person's own browser, by its address or by a name that its owner makes point here (DNS
//! rebinding); its requests carry that name or origin, and are refused.

use std::net::IpAddr;

use api::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// A router's middleware: passes on what was meant for this machine.
pub(super) async fn only(request: Request, next: Next) -> Response {
    match refusal(request.headers()) {
        None => next.run(request).await,
        Some(detail) => {
            let problem = Problem::forbidden(detail)
                .hint("ask it as http://127.0.0.1 or http://localhost, from this machine");
            let body = serde_json::to_string(&problem).unwrap_or_default();
            (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, api::CONTENT_TYPE)], body).into_response()
        }
    }
}

/// What a browser says of a request that one site's page makes of another site (Fetch Metadata, W3C). An image or a
/// script of any page is fetched so, without `Origin`.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is not for us. Without these headers it comes from no browser.
fn refusal(headers: &HeaderMap) -> Option<String> {
    if let Some(host) = text(headers, &header::HOST)
        && !is_loopback(host)
    {
        return Some(format!("this server is not called {host:?}"));
    }
    let Some(origin) = text(headers, &header::ORIGIN) else {
        let foreign = text(headers, &SITE).is_some_and(|site| site.eq_ignore_ascii_case("cross-site"));
        return foreign.then(|| "pages of other sites may not fetch from this server".to_owned());
    };
    let is_ours = origin.split_once("://").is_some_and(|(_, host)| is_loopback(host));
    (!is_ours).then(|| format!("pages of {origin:?} may not ask this server"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // What is no text is no name of ours.
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Whether `name` or `name:port` means this machine, whoever answers for names.
fn is_loopback(authority: &str) -> bool {
    let Ok(uri) = authority.parse::<Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let host = host.trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // RFC 6761, 6.3: `localhost` and all below it never leave the machine.
        Err(_) => host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: Option<&'static str>, origin: Option<&'static str>) -> HeaderMap {
        let pairs = [(header::HOST, host), (header::ORIGIN, origin)];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?.parse().unwrap()))).collect()
    }

    #[test]
    fn programs_and_pages_of_this_machine_may_ask() {
        for host in ["127.0.0.1:4380", "localhost:4380", "localhost", "[::1]:4380", "limelight.localhost:1"] {
            assert_eq!(refusal(&headers(Some(host), None)), None, "{host}");
        }
        for origin in ["http://localhost:5173", "http://127.0.0.1:4380", "https://[::1]"] {
            assert_eq!(refusal(&headers(Some("localhost:4380"), Some(origin))), None, "{origin}");
        }
        assert_eq!(refusal(&headers(None, None)), None);
    }

    #[test]
    fn another_name_or_origin_may_not() {
        for host in
            ["evil.example:4380", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example:1", "", "a b"]
        {
            let why = refusal(&headers(Some(host), None)).unwrap();
            assert!(why.contains(host), "{why}");
        }
        for origin in ["https://evil.example", "null", "http://localhost.evil.example", "http://"] {
            let why = refusal(&headers(Some("127.0.0.1:4380"), Some(origin))).unwrap();
            assert!(why.contains(origin), "{why}");
        }
    }

    #[test]
    fn an_image_of_another_page_may_not_and_a_page_of_ours_may() {
        let with_site = |site: &'static str, origin| {
            let mut headers = headers(Some("127.0.0.1:4380"), origin);
            headers.insert(SITE, site.parse().unwrap());
            refusal(&headers)
        };
        assert!(with_site("cross-site", None).is_some_and(|why| why.contains("other sites")));
        for (site, origin) in
            [("same-origin", None), ("none", None), ("cross-site", Some("http://localhost:5173"))]
        {
            assert_eq!(with_site(site, origin), None, "{site}");
        }
    }
}
