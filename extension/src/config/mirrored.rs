//! The settings of the second destination: its endpoint and its headers, of which nothing is ever shown.

use std::fmt;

use super::destination::server;
use super::setting::Settings;

/// Stands for "what OpenTelemetry's own variables say".
const AS_OPENTELEMETRY: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Where a copy of everything goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// Base URL: `/v1/traces`, `/v1/logs` and `/v1/metrics` are below it.
    pub endpoint: String,
    /// Names and values; secrets as a rule.
    pub headers: Vec<(String, String)>,
}

/// Secrets stay out of every log.
impl fmt::Debug for Mirrored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Mirrored").field("endpoint", &self.endpoint).field("headers", &names).finish()
    }
}

impl Mirrored {
    /// None where there is no second destination.
    pub(super) fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let own = settings.text("LIMELIGHT_OTLP_ENDPOINT")?;
        let (endpoint, headers) = if own == AS_OPENTELEMETRY {
            let Some(endpoint) = settings.text(AS_OPENTELEMETRY) else {
                settings.fault(format!("{AS_OPENTELEMETRY} is not set; there is no second destination"));
                return None;
            };
            (endpoint, "OTEL_EXPORTER_OTLP_HEADERS")
        } else {
            (own, "LIMELIGHT_OTLP_HEADERS")
        };
        // Credentials may stand in a URL, too: a wrong one is not shown.
        if server(&endpoint).is_none() {
            settings.fault(
                "LIMELIGHT_OTLP_ENDPOINT must be an http or https URL without user, password or query; there is no \
                 second destination"
                    .to_owned(),
            );
            return None;
        }
        let text = settings.text(headers).unwrap_or_default();
        let headers = pairs(&text).unwrap_or_else(|| {
            settings
                .fault(format!("{headers} must be name=value pairs with commas between them; it is ignored"));
            Vec::new()
        });
        Some(Self { endpoint, headers })
    }
}

/// OpenTelemetry's form (W3C Baggage without properties): values are percent encoded.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), percent_decoded(value.trim())?);
            let valid = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(&value).is_ok();
            valid.then_some((name, value))
        })
        .collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            digit(rest.next()?)? << 4 | digit(rest.next()?)?
        } else {
            byte
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn read(variables: &[(&str, &str)]) -> (Option<Mirrored>, Vec<String>) {
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let mut settings = Settings::new(&variable);
        let mirrored = Mirrored::read(&mut settings);
        (mirrored, settings.faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_endpoint_and_headers_with_percent_codes() {
        let (mirrored, faults) = read(&[
            ("LIMELIGHT_OTLP_ENDPOINT", "https://otlp.example.com/otlp"),
            ("LIMELIGHT_OTLP_HEADERS", "Authorization=Basic%20abc=, x-scope = a"),
        ]);
        let mirrored = mirrored.unwrap();
        assert_eq!(faults, [""; 0]);
        assert_eq!(mirrored.headers[0], ("authorization".to_owned(), "Basic abc=".to_owned()));
        assert_eq!(mirrored.headers[1], ("x-scope".to_owned(), "a".to_owned()));
        assert!(!format!("{mirrored:?}").contains("abc"), "{mirrored:?}");
    }

    #[test]
    fn opentelemetrys_own_variables_count_when_they_are_asked_for() {
        let theirs = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://vendor.example"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k"),
        ];
        assert_eq!(read(&theirs), (None, Vec::new()));
        let asked = [theirs[0], theirs[1], ("LIMELIGHT_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")];
        let mirrored = read(&asked).0.unwrap();
        assert_eq!((mirrored.endpoint.as_str(), mirrored.headers.len()), ("https://vendor.example", 1));
    }

    #[test]
    fn what_is_wrong_is_named_without_being_shown() {
        for (name, value) in [
            ("LIMELIGHT_OTLP_ENDPOINT", "https://user:hunter2@vendor.example"),
            ("LIMELIGHT_OTLP_ENDPOINT", "vendor.example/hunter2"),
            ("LIMELIGHT_OTLP_HEADERS", "hunter2"),
        ] {
            let (_, faults) = read(&[(name, value), ("LIMELIGHT_OTLP_ENDPOINT", "https://vendor.example")]);
            assert_eq!(faults.len(), 1, "{name}");
            assert!(!faults[0].contains("hunter2"), "{faults:?}");
        }
    }
}
