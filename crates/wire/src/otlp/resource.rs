//! `model::Resource` ↔ OTLP `Resource`. The four fields stand first, under their semantic-convention names.

use model::Resource;
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;

use crate::error::DecodeError;
use crate::otlp::Dialect;
use crate::otlp::value::{from_attributes, take_text, write_attributes, write_text};
use crate::writer::Writer;

pub(crate) const NAMESPACE: &str = "faas.name";
pub(crate) const SERVICE: &str = "service.name";
pub(crate) const ACCOUNT: &str = "cloud.account.id";
pub(crate) const REGION: &str = "cloud.region";

/// Field number of `Resource` (opentelemetry-proto, `resource/v1/resource.proto`).
const ATTRIBUTES: u64 = 1;

/// Writes the fields of an OTLP `Resource`. A field of ours that is empty is not written, unless an attribute of the
/// same name would be taken for it.
pub(crate) fn write(writer: &mut Writer, resource: &Resource) {
    let fields = [
        (NAMESPACE, &resource.namespace),
        (SERVICE, &resource.service),
        (ACCOUNT, &resource.account),
        (REGION, &resource.region),
    ];
    write_attributes(writer, ATTRIBUTES, &resource.attributes);
    for (key, text) in fields.into_iter().rev() {
        if !text.is_empty() || resource.attributes.contains_key(key) {
            write_text(writer, ATTRIBUTES, key, text);
        }
    }
}

/// The opposite of [`write`].
pub(crate) fn from_ours(resource: Option<OtlpResource>) -> Result<Resource, DecodeError> {
    let mut attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    let mut field = |key| take_text(&mut attributes, key).unwrap_or_default();
    Ok(Resource {
        namespace: field(NAMESPACE),
        service: field(SERVICE),
        account: field(ACCOUNT),
        region: field(REGION),
        attributes: from_attributes(attributes, Dialect::Ours)?,
    })
}

/// A foreign resource. What it says stays among its attributes too: people ask for `service.name`.
pub(crate) fn from_foreign(resource: Option<OtlpResource>) -> Result<Resource, DecodeError> {
    let list = resource.map(|resource| resource.attributes).unwrap_or_default();
    let attributes = from_attributes(list, Dialect::Foreign)?;
    let text = |key: &str| {
        attributes
            .get(key)
            .and_then(|value| value.as_str())
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let service = text(SERVICE);
    Ok(Resource {
        namespace: text(NAMESPACE).or_else(|| service.clone()).unwrap_or_default(),
        service: service.unwrap_or_default(),
        account: text(ACCOUNT).unwrap_or_default(),
        region: text(REGION).unwrap_or_default(),
        attributes,
    })
}
