//! What an HTTP error says: RFC 9457 `application/problem+json`, with a hint for people and, for queries, the place.
//! The companion makes them; the command and the console show them.

use std::fmt;

use query::{Diagnostic, Diagnostics, RunError};
use serde::{Deserialize, Serialize};

/// RFC 9457's media type.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Names the class of problem for programs: `urn:limelight:problem:<word>`.
    pub r#type: String,
    /// The class in words; the same for all problems of one type.
    pub title: String,
    /// The HTTP status, also in the answer's status line.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// For a query: everything that is wrong with it, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// For an unknown name: the names that there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
    /// For what is only too much now: when to come again, seconds; also in the answer's `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// One thing that is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The key of a JSON query that it stands under, as `parameters.filters[1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The text that was read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The first character of `source` that is wrong, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// Bytes of `source` (UTF-8) that are wrong: from, and the first one after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
    /// Of a document of several lines: the line that `source` is, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The same for its characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl Problem {
    fn new(status: u16, word: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:limelight:problem:{word}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            hint: None,
            faults: Vec::new(),
            known: Vec::new(),
            retry_after_s: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "The request cannot be understood", detail)
    }

    /// 403: not for who asks, or not under this name.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "Not for whoever asks so", detail)
    }

    /// 404: what was asked for is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "There is no such thing", detail)
    }

    /// 405: another method is meant.
    pub fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(405, "method-not-allowed", "Not with this method", detail)
    }

    /// 408: the request did not arrive in time.
    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(408, "request-timeout", "The request took too long to arrive", detail)
    }

    /// 409: what was asked does not go together with what somebody else did.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "It was stopped, or is there already", detail)
    }

    /// 410: what was there is not kept any more.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", "It is kept no longer", detail)
    }

    /// 429: too many at once; come again after so many seconds.
    pub fn too_many(detail: impl Into<String>, retry_after_s: u64) -> Self {
        let problem = Self::new(429, "too-many", "Too many ask at once", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
            .hint(format!("come again in {retry_after_s} s"))
    }

    /// 413: the request is too large.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, "too-large", "The request is too large", detail)
    }

    /// 415: the request is neither JSON nor, where that is taken, YAML.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(415, "unsupported-media-type", "Only JSON and YAML are understood", detail)
    }

    /// 422: the query is understood but asks for more than is allowed.
    pub fn too_much(detail: impl Into<String>) -> Self {
        Self::new(422, "too-much", "The query asks for too much", detail)
    }

    /// 500: our fault. `detail` must hold nothing secret.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "internal", "Something failed on our side", detail)
    }

    /// 503: not now.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "unavailable", "Not available now", detail)
    }

    /// 504: the answer took too long.
    pub fn timeout(detail: impl Into<String>) -> Self {
        Self::new(504, "timeout", "The answer took too long", detail)
    }
}

/// 400 with every fault and its place.
impl From<&Diagnostics> for Problem {
    fn from(diagnostics: &Diagnostics) -> Self {
        let faults: Vec<Fault> = diagnostics.iter().map(Fault::from).collect();
        let detail = match faults.as_slice() {
            [] => "the query cannot be understood".to_owned(),
            [only] => only.to_string(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        };
        let hint = faults.iter().find_map(|fault| fault.hint.clone());
        let problem = Self::new(400, "query", "The query has faults", detail);
        Self { hint, faults, ..problem }
    }
}

impl From<&RunError> for Problem {
    fn from(error: &RunError) -> Self {
        match error {
            RunError::UnknownDataset { known, .. } => {
                let problem =
                    Self::new(404, "unknown-dataset", "There is no such dataset", error.to_string());
                let hint = match known.as_slice() {
                    [] => "send something first".to_owned(),
                    [one, ..] => format!("name one that there is, as in FROM {one}"),
                };
                Self { known: known.clone(), ..problem.hint(hint) }
            }
            RunError::TookTooLong { .. } => {
                Self::timeout(error.to_string()).hint("narrow its time, add filters on namespace or level, or ask ?engine=athena, which has more machines")
            }
            RunError::TooManyRows { .. } => {
                Self::too_much(error.to_string()).hint("use a smaller limit, fewer groups or wider buckets")
            }
            RunError::TooManyBytes { .. } => Self::too_much(error.to_string())
                .hint("name the columns that you need, and use a smaller limit"),
            RunError::TooMuchMemory { .. } => {
                Self::too_much(error.to_string()).hint("narrow its time, or group by fewer values")
            }
            RunError::Refused { .. } => Self::bad_request(error.to_string()).hint(
                "one SELECT over datasets, as SELECT level, COUNT(*) FROM \"lambda-logs\" GROUP BY level",
            ),
            RunError::Unsayable(_) | RunError::NotByThatEngine { .. } => Self::bad_request(error.to_string())
                .hint("with ?engine=embedded the engine answers that can say all of the language"),
            RunError::Failed(_) => Self::internal("the query failed in the store; its log says why"),
        }
    }
}

impl From<&Diagnostic> for Fault {
    fn from(diagnostic: &Diagnostic) -> Self {
        let placed = !diagnostic.source.is_empty();
        let before = diagnostic.source.get(..diagnostic.span.start).unwrap_or(&diagnostic.source);
        Self {
            message: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
            at: diagnostic.at.clone(),
            source: diagnostic.source.clone(),
            position: placed.then(|| before.chars().count() + 1),
            span: placed.then_some((diagnostic.span.start, diagnostic.span.end)),
            line: diagnostic.place.as_ref().map(|place| place.line),
            column: diagnostic.place.as_ref().map(|place| place.column),
        }
    }
}

/// `parameters.filters[1]: no such operation, at character 8`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.message)?;
        match (self.line, self.column, self.position) {
            (Some(line), Some(column), _) => write!(f, ", at line {line}, column {column}"),
            (_, _, Some(position)) => write!(f, ", at character {position}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_a_query_keeps_its_place_and_its_hint() {
        let diagnostic = Diagnostic::new("no calculation is called CUONT")
            .within("FROM é CUONT", 8..13)
            .hint("did you mean COUNT?");
        let problem = Problem::from(&Diagnostics::one(diagnostic));
        insta::assert_json_snapshot!(problem, @r#"
        {
          "type": "urn:limelight:problem:query",
          "title": "The query has faults",
          "status": 400,
          "detail": "no calculation is called CUONT, at character 8",
          "hint": "did you mean COUNT?",
          "faults": [
            {
              "message": "no calculation is called CUONT",
              "hint": "did you mean COUNT?",
              "source": "FROM é CUONT",
              "position": 8,
              "span": [
                8,
                13
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn an_unknown_dataset_is_404_and_names_the_known_ones() {
        let error = RunError::UnknownDataset { name: "lamda".into(), known: vec!["lambda-logs".into()] };
        let problem = Problem::from(&error);
        assert_eq!(problem.status, 404);
        assert_eq!(problem.known, ["lambda-logs"]);
    }

    #[test]
    fn a_failure_of_the_store_tells_the_caller_nothing_of_its_inside() {
        let error = RunError::Failed("s3://secret-bucket/key".into());
        let problem = Problem::from(&error);
        assert_eq!(problem.status, 500);
        assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
    }

    #[test]
    fn a_problem_survives_its_json() {
        let problem = Problem::not_found("no trace x").hint("look elsewhere");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }
}
