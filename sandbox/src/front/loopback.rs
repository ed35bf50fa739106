//! Who may ask a server on loopback: programs, and pages that this machine serves.
//!
//! A page of another origin can reach loopback through a person's own browser, by its address or by a name that its
//! owner makes point here (DNS rebinding); its requests carry that origin or name. An API without credentials must
//! refuse them; an application that is meant for browsers decides for itself.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Uri};

/// Whether the request was meant for this machine. Without `Host` and `Origin` it comes from no browser.
pub(crate) fn is_meant(headers: &HeaderMap) -> bool {
    let host = text(headers, &HOST).is_none_or(is_loopback);
    let origin = text(headers, &ORIGIN);
    host && origin.is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // What is no text is no name of ours.
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Whether `name` or `name:port` means this machine, whoever answers for names.
fn is_loopback(authority: &str) -> bool {
    let Ok(uri) = authority.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // RFC 6761, 6.3: `localhost` and all below it never leave the machine.
        Err(_) => host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn this_machine_has_these_names_and_no_others() {
        assert!(is_meant(&HeaderMap::new()));
        for ours in ["127.0.0.1:4380", "localhost", "LOCALHOST:1", "[::1]:4380", "limelight.localhost:1"] {
            assert!(is_meant(&with(HOST, ours)), "{ours}");
        }
        for other in ["evil.example:4380", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", ""]
        {
            assert!(!is_meant(&with(HOST, other)), "{other}");
        }
    }

    #[test]
    fn pages_of_other_origins_may_not_ask() {
        assert!(is_meant(&with(ORIGIN, "http://localhost:5173")) && is_meant(&with(ORIGIN, "https://[::1]")));
        for other in ["https://evil.example", "null", "http://localhost.evil.example", "http://"] {
            assert!(!is_meant(&with(ORIGIN, other)), "{other}");
        }
    }
}
