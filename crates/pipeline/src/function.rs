//! Which function this sandbox runs, as far as it is known, and the resource that all its telemetry shares.

use model::{Map, Resource, Value};

/// What the environment (`AWS_LAMBDA_*`), the registration answer and the settings tell. Empty text means "not known".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunctionContext {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// `AWS_LAMBDA_FUNCTION_VERSION`: `$LATEST` or a number.
    pub version: String,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, MB; 0 if unknown.
    pub memory_mb: u64,
    /// Twelve digits, from the registration answer or an ARN.
    pub account: String,
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_LAMBDA_INITIALIZATION_TYPE`: `on-demand`, `provisioned-concurrency`, `snap-start`,
    /// `lambda-managed-instances`.
    pub initialization_type: String,
    /// `LIMELIGHT_SERVICE`; `default` if empty.
    pub service: String,
    /// `AWS_LAMBDA_LOG_STREAM_NAME`: names the sandbox (`faas.instance`).
    pub instance: String,
    /// `AWS_LAMBDA_LOG_GROUP_NAME`.
    pub log_group: String,
    /// `AWS_EXECUTION_ENV`, as `AWS_Lambda_python3.13`.
    pub runtime: String,
}

/// The initialization type of Lambda Managed Instances: invocations overlap, there is no freeze.
pub const MANAGED_INSTANCES: &str = "lambda-managed-instances";

/// Bytes in a megabyte as Lambda counts memory.
const MEGABYTE_BYTES: u64 = 1024 * 1024;

impl FunctionContext {
    /// True where several invocations run in one sandbox at a time, so that "the current one" does not exist.
    pub fn overlaps(&self) -> bool {
        self.initialization_type == MANAGED_INSTANCES
    }

    /// True where the init phase happens because of, and just before, the first invocation.
    pub fn inits_on_demand(&self) -> bool {
        self.initialization_type.is_empty() || self.initialization_type == "on-demand"
    }

    /// True where the first invocation waits for init or restore.
    pub fn starts_cold(&self) -> bool {
        self.inits_on_demand() || self.initialization_type == "snap-start"
    }

    /// Takes account, region, and the name if it was not known, from a function's ARN; anything else is ignored.
    pub fn learn_arn(&mut self, arn: &str) {
        // arn:<partition>:lambda:<region>:<account>:function:<name>[:<qualifier>]
        let mut parts = arn.split(':');
        let (Some("arn"), Some(_), Some("lambda"), Some(region), Some(account), Some("function"), Some(name)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        for (known, told) in
            [(&mut self.region, region), (&mut self.account, account), (&mut self.name, name)]
        {
            if known.is_empty() {
                told.clone_into(known);
            }
        }
    }

    /// The function's ARN without a qualifier; none while a part of it is unknown.
    pub fn arn(&self) -> Option<String> {
        if self.name.is_empty() || self.account.is_empty() || self.region.is_empty() {
            return None;
        }
        let partition = match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Some(format!("arn:{partition}:lambda:{}:{}:function:{}", self.region, self.account, self.name))
    }

    /// The emitter of all telemetry of this sandbox, in OpenTelemetry's resource conventions (FaaS, cloud, telemetry).
    pub fn resource(&self) -> Resource {
        let mut attributes = Map::new();
        let mut text = |key: &str, value: &str| {
            if !value.is_empty() {
                attributes.insert(key.to_owned(), Value::from(value));
            }
        };
        text("cloud.provider", "aws");
        text("cloud.platform", "aws_lambda");
        text("cloud.resource_id", &self.arn().unwrap_or_default());
        text("faas.version", &self.version);
        text("faas.instance", &self.instance);
        text("aws.lambda.initialization_type", &self.initialization_type);
        text("aws.lambda.runtime", &self.runtime);
        text("telemetry.sdk.name", "limelight");
        text("telemetry.sdk.language", "rust");
        text("telemetry.sdk.version", env!("CARGO_PKG_VERSION"));
        if self.memory_mb > 0 {
            // Semantic conventions count `faas.max_memory` in bytes.
            let bytes = i64::try_from(self.memory_mb.saturating_mul(MEGABYTE_BYTES)).unwrap_or(i64::MAX);
            attributes.insert("faas.max_memory".into(), Value::Int(bytes));
        }
        if !self.log_group.is_empty() {
            let groups = vec![Value::from(self.log_group.as_str())];
            attributes.insert("aws.log.group.names".into(), Value::Array(groups));
        }
        Resource {
            namespace: self.name.clone(),
            service: if self.service.is_empty() { "default".into() } else { self.service.clone() },
            account: self.account.clone(),
            region: self.region.clone(),
            attributes,
        }
    }
}
