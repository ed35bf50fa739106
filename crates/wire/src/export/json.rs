//! OTLP's JSON → OTLP's messages. Names in lowerCamelCase, ids in hexadecimal digits, 64-bit numbers as numbers or
//! text; enums as numbers (which OTLP demands) or by name (which protobuf's own JSON writes); what it does not know it
//! leaves out.
//!
//! Source: OTLP specification, "JSON Protobuf Encoding"; protobuf, "ProtoJSON Format".

mod object;
mod value;
mod trace;
mod log;
mod metric;

pub(super) use log::logs;
pub(super) use metric::metrics;
pub(super) use object::{Fault, Object};
pub(super) use trace::traces;
