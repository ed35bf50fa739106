//! What stands behind the `?` of an address, as a type; what cannot be read is a problem as everything else.

use api::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::response::Response;
use http::request::Parts;
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
