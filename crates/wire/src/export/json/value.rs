//! The messages that all three requests share: values, attributes, resources, scopes.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::{Fault, Object};

/// The first alternative that is there. JSON's own limit on depth bounds the recursion.
pub(super) fn any(mut object: Object) -> Result<AnyValue, Fault> {
    let value = if object.has("stringValue") {
        Some(Any::StringValue(object.text("stringValue")?))
    } else if object.has("boolValue") {
        Some(Any::BoolValue(object.flag("boolValue")?))
    } else if object.has("intValue") {
        Some(Any::IntValue(object.whole("intValue")?))
    } else if object.has("doubleValue") {
        Some(Any::DoubleValue(object.double("doubleValue")?))
    } else if object.has("bytesValue") {
        Some(Any::BytesValue(object.bytes("bytesValue")?))
    } else if object.has("arrayValue") {
        let read = |mut array: Object| Ok(ArrayValue { values: array.messages("values", any)? });
        object.message("arrayValue", read)?.map(Any::ArrayValue)
    } else {
        let read = |mut list: Object| Ok(KeyValueList { values: list.messages("values", key_value)? });
        object.message("kvlistValue", read)?.map(Any::KvlistValue)
    };
    Ok(AnyValue { value })
}

fn key_value(mut object: Object) -> Result<KeyValue, Fault> {
    Ok(KeyValue { key: object.text("key")?, value: object.message("value", any)?, key_strindex: 0 })
}

/// The list under `attributes`.
pub(super) fn attributes(object: &mut Object) -> Result<Vec<KeyValue>, Fault> {
    object.messages("attributes", key_value)
}

/// The message under `resource`.
pub(super) fn resource(object: &mut Object) -> Result<Option<Resource>, Fault> {
    object.message("resource", |mut resource| {
        Ok(Resource { attributes: attributes(&mut resource)?, ..Resource::default() })
    })
}

/// The message under `scope`.
pub(super) fn scope(object: &mut Object) -> Result<Option<InstrumentationScope>, Fault> {
    object.message("scope", |mut scope| {
        Ok(InstrumentationScope {
            name: scope.text("name")?,
            version: scope.text("version")?,
            attributes: attributes(&mut scope)?,
            dropped_attributes_count: 0,
        })
    })
}
