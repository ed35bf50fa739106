//! What an address says: behind its `?` as a type, in its path as a text. What cannot be read is a problem as everything
//! else.

use api::{Cursor, Problem};
use axum::extract::{FromRequestParts, Path, Query};
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::problem;

/// The parameters of a route.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(read)) => Ok(Self(read)),
            Err(error) => {
                let detail =
                    format!("the address of {} has a parameter that is not understood", parts.uri.path());
                Err(problem(&Problem::bad_request(detail).hint(error.body_text())))
            }
        }
    }
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Paged {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl Paged {
    pub(super) fn new(limit: Option<usize>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// The page of a list of all items.
    ///
    /// # Errors
    /// When the cursor is none of ours.
    pub(super) fn of<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        place: impl Fn(&T) -> Cursor,
    ) -> Result<(Vec<T>, Option<String>), Box<Problem>> {
        let after = match self.cursor.as_deref().map(Cursor::parse) {
            Some(None) => {
                let wrong = Problem::bad_request("the cursor is none of a page");
                return Err(wrong
                    .hint("give the `next` of the page before, or no cursor for the first page")
                    .into());
            }
            after => after.flatten(),
        };
        Ok(api::page(items, place, after.as_ref(), self.limit.unwrap_or(api::LIMIT_DEFAULT)))
    }
}

/// The one name in a route's path.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(error) => {
                let wrong = Problem::bad_request(format!("{} is no address", parts.uri.path()));
                Err(problem(&wrong.hint(error.body_text())))
            }
        }
    }
}
