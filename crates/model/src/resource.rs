//! Who emitted telemetry: the part that all records of one batch share.

use crate::value::Map;

/// The emitter. Empty text means "not known"; nothing here is ever guessed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// Who inside the dataset: the function's name for Lambda (`faas.name`).
    pub namespace: String,
    /// The team's unit (`service.name`): `LIMELIGHT_SERVICE`, else the CloudFormation stack, else `default`.
    pub service: String,
    /// Twelve digits (`cloud.account.id`).
    pub account: String,
    /// As `eu-west-1` (`cloud.region`).
    pub region: String,
    /// Everything else about the emitter, by its semantic-convention name (`faas.version`, `telemetry.sdk.name`, …).
    pub attributes: Map,
}
