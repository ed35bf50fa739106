//! Whose invocation a request asks for: named where the function isolates tenants, and only there.
//!
//! Source: AWS Lambda Developer Guide, "Invoking Lambda functions with tenant isolation" and its troubleshooting page.

use http::{HeaderMap, HeaderName};

use crate::FunctionConfig;

const TENANT: HeaderName = HeaderName::from_static("x-amz-tenant-id");

/// As AWS has it.
const ID_CHARACTERS_MAX: usize = 256;

/// Why a request's tenant cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TenantError {
    #[error("The function isolates tenants. Name one (X-Amz-Tenant-Id, --tenant-id) and try again.")]
    Missing,
    #[error("The function does not isolate tenants. Leave the tenant's id out and try again.")]
    NotIsolated,
    #[error("A tenant's id has 1 to 256 characters.")]
    Malformed,
}

/// The tenant that the headers name.
pub(crate) fn of(function: &FunctionConfig, headers: &HeaderMap) -> Result<Option<String>, TenantError> {
    match (headers.get(TENANT), function.tenant_isolation) {
        (None, false) => Ok(None),
        (None, true) => Err(TenantError::Missing),
        (Some(_), false) => Err(TenantError::NotIsolated),
        (Some(id), true) => match id.to_str() {
            Ok(id) if (1..=ID_CHARACTERS_MAX).contains(&id.len()) => Ok(Some(id.to_owned())),
            _ => Err(TenantError::Malformed),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_tenant_is_named_where_the_function_isolates_them_and_only_there() {
        let shared = FunctionConfig::new("f", Vec::new());
        let isolated = FunctionConfig { tenant_isolation: true, ..shared.clone() };
        let named = |id| HeaderMap::from_iter([(TENANT, HeaderValue::from_static(id))]);
        let nobody = HeaderMap::new();
        assert_eq!(of(&isolated, &named("blue")), Ok(Some("blue".to_owned())));
        assert_eq!(of(&shared, &nobody), Ok(None));
        assert_eq!(of(&isolated, &nobody), Err(TenantError::Missing));
        assert_eq!(of(&shared, &named("blue")), Err(TenantError::NotIsolated));
        assert_eq!(of(&isolated, &named("")), Err(TenantError::Malformed));
    }
}
