//! Method and path → function and path parameters, chosen as API Gateway chooses.

use std::collections::BTreeMap;

use crate::front::percent;

/// A route or a set of them that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Neither `$default` nor `METHOD /path`.
    #[error("a route is `$default` or `METHOD /path/{{parameter}}`, got {0:?}")]
    Malformed(String),
    /// A greedy parameter (`{proxy+}`) that is not the last part.
    #[error("only the last part of a route can be greedy, got {0:?}")]
    GreedyInside(String),
    /// The same route twice.
    #[error("the route {0:?} stands twice")]
    Twice(String),
}

/// The routes of one HTTP API.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    routes: Vec<Route>,
    default: Option<String>,
}

/// The route a request takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matched<'a> {
    /// As it was declared: `GET /orders/{id}` or `$default`.
    pub(super) key: &'a str,
    /// The function behind it.
    pub(super) function: &'a str,
    /// Path parameters, decoded.
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Route {
    key: String,
    method: Method,
    parts: Vec<Part>,
    function: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Method {
    One(String),
    Any,
}

/// One part of a path; the order is the order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Literal(String),
    Parameter(String),
    Greedy(String),
}

impl Routes {
    /// No route: every request is answered with 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `METHOD /path/{parameter}`, `ANY /path/{proxy+}` or `$default` → the function's name.
    ///
    /// # Errors
    /// If the route is malformed or stands there already.
    pub fn route(mut self, key: &str, function: &str) -> Result<Self, RouteError> {
        if key == "$default" {
            return match self.default.replace(function.to_owned()) {
                Some(_) => Err(RouteError::Twice(key.to_owned())),
                None => Ok(self),
            };
        }
        let route = Route::parse(key, function)?;
        if self.routes.iter().any(|other| other.method == route.method && other.same_path(&route)) {
            return Err(RouteError::Twice(key.to_owned()));
        }
        self.routes.push(route);
        self.routes.sort_by(|one, other| one.rank().cmp(&other.rank()));
        Ok(self)
    }

    /// The functions behind the routes, each once.
    pub fn functions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.routes.iter().map(|route| route.function.as_str()).collect();
        names.extend(self.default.as_deref());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The declared routes, most specific first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| route.key.as_str()).chain(self.default.iter().map(|_| "$default"))
    }

    /// The most specific route: full match before greedy before `$default`, a method before `ANY`, literal
    /// parts before parameters.
    /// Source: "Routing API requests" in API Gateway's guide to HTTP APIs.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let parts: Vec<String> = split(path).map(percent::decode).collect();
        let found = self.routes.iter().find_map(|route| {
            let parameters = route.matches(method, &parts)?;
            Some(Matched { key: &route.key, function: &route.function, parameters })
        });
        found.or_else(|| {
            let function = self.default.as_deref()?;
            Some(Matched { key: "$default", function, parameters: BTreeMap::new() })
        })
    }
}

impl Route {
    fn parse(key: &str, function: &str) -> Result<Self, RouteError> {
        let malformed = || RouteError::Malformed(key.to_owned());
        let (method, path) = key.split_once(' ').ok_or_else(malformed)?;
        let known = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !known || !path.starts_with('/') || path.contains(char::is_whitespace) {
            return Err(malformed());
        }
        let parts: Vec<Part> = split(path).map(Part::parse).collect::<Option<_>>().ok_or_else(malformed)?;
        let inner = parts.len().saturating_sub(1);
        if parts.iter().take(inner).any(|part| matches!(part, Part::Greedy(_))) {
            return Err(RouteError::GreedyInside(key.to_owned()));
        }
        let method = if method == "ANY" { Method::Any } else { Method::One(method.to_owned()) };
        Ok(Self { key: key.to_owned(), method, parts, function: function.to_owned() })
    }

    /// Smaller is preferred.
    fn rank(&self) -> (bool, Vec<u8>, &Method) {
        let kinds: Vec<u8> = self.parts.iter().map(Part::rank).collect();
        (kinds.contains(&2), kinds, &self.method)
    }

    fn same_path(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(|(one, two)| match (one, two) {
                (Part::Literal(one), Part::Literal(two)) => one == two,
                (one, two) => one.rank() == two.rank(),
            })
    }

    fn matches(&self, method: &str, path: &[String]) -> Option<BTreeMap<String, String>> {
        if let Method::One(own) = &self.method
            && own != method
        {
            return None;
        }
        let mut parameters = BTreeMap::new();
        let mut rest = path;
        for part in &self.parts {
            match part {
                Part::Greedy(name) => {
                    (!rest.is_empty()).then_some(())?;
                    parameters.insert(name.clone(), rest.join("/"));
                    return Some(parameters);
                }
                Part::Literal(text) => (rest.first()? == text).then_some(())?,
                Part::Parameter(name) => {
                    let value = rest.first().filter(|value| !value.is_empty())?;
                    parameters.insert(name.clone(), value.clone());
                }
            }
            rest = rest.get(1..)?;
        }
        rest.is_empty().then_some(parameters)
    }
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return (!text.contains(['{', '}'])).then(|| Self::Literal(text.to_owned()));
        };
        let (name, greedy) = inner.strip_suffix('+').map_or((inner, false), |name| (name, true));
        let named = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        named.then(|| if greedy { Self::Greedy(name.to_owned()) } else { Self::Parameter(name.to_owned()) })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

/// The parts of a path without the leading slash; `/` has none.
fn split(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Routes {
        Routes::new()
            .route("ANY /{proxy+}", "site")
            .and_then(|routes| routes.route("GET /orders/{id}", "read"))
            .and_then(|routes| routes.route("ANY /orders/{id}", "write"))
            .and_then(|routes| routes.route("GET /orders/latest", "latest"))
            .and_then(|routes| routes.route("POST /", "root"))
            .unwrap()
    }

    fn chosen(routes: &Routes, method: &str, path: &str) -> Option<String> {
        routes.find(method, path).map(|matched| matched.function.to_owned())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = shop();
        assert_eq!(chosen(&routes, "GET", "/orders/latest").as_deref(), Some("latest"));
        assert_eq!(chosen(&routes, "GET", "/orders/7").as_deref(), Some("read"));
        assert_eq!(chosen(&routes, "DELETE", "/orders/7").as_deref(), Some("write"));
        assert_eq!(chosen(&routes, "GET", "/orders/7/lines").as_deref(), Some("site"));
        assert_eq!(chosen(&routes, "POST", "/").as_deref(), Some("root"));
        assert_eq!(chosen(&routes, "GET", "/"), None);
    }

    #[test]
    fn the_default_takes_the_rest() {
        let routes = shop().route("$default", "fallback").unwrap();
        let matched = routes.find("GET", "/").unwrap();
        assert_eq!((matched.key, matched.function), ("$default", "fallback"));
    }

    #[test]
    fn parameters_carry_the_path() {
        let routes = shop();
        let greedy = routes.find("GET", "/a/b/c").unwrap();
        assert_eq!(greedy.key, "ANY /{proxy+}");
        assert_eq!(greedy.parameters["proxy"], "a/b/c");
        assert_eq!(routes.find("GET", "/orders/a%2Fb").unwrap().parameters["id"], "a/b");
    }

    #[test]
    fn routes_that_make_no_sense_are_errors() {
        for key in ["/path", "get /x", "GET x", "GET /{", "GET /{a b}", "GET /{}", ""] {
            assert!(matches!(Routes::new().route(key, "f"), Err(RouteError::Malformed(_))), "{key:?}");
        }
        let inside = Routes::new().route("GET /{proxy+}/x", "f");
        assert!(matches!(inside, Err(RouteError::GreedyInside(_))));
        let twice = shop().route("GET /orders/{other}", "f");
        assert!(matches!(twice, Err(RouteError::Twice(_))));
    }
}
