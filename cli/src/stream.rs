//! The local stream: what Kinesis is in AWS, on one machine. Records come in through an API that Kinesis clients
//! speak ([`endpoint`]), are acknowledged when they are on disk ([`journal`]), and go to the store in order
//! ([`consumer`]). It has one shard and knows nothing of what its records hold.

pub mod sequence;
pub mod frame;
pub mod segment;
pub mod journal;
pub mod endpoint;
pub mod consumer;
