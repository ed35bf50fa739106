//! What each kind of record says. Fields are the union of AWS's documentation and of what its emulator's source
//! declares; whatever the platform may leave out is an `Option`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Fields that no schema known here has, as they came: AWS adds some without a new version.
pub type More = serde_json::Map<String, serde_json::Value>;

/// Readers that take a billed duration for a whole number (AWS's own Rust crate) refuse `156.0` and take `156`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "compared after the way back"
)]
fn without_point<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number.map(|number| (number, number as i64)) {
        Some((number, whole)) if whole as f64 == number => serializer.serialize_i64(whole),
        Some((number, _)) => serializer.serialize_f64(number),
        None => serializer.serialize_none(),
    }
}

/// Whole numbers that some schema versions write as `128.0`.
fn whole<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(input)? else { return Ok(None) };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and is a fallback"
    )]
    Ok(number.as_u64().or_else(|| number.as_f64().map(|float| float as u64)))
}

/// What is `null` says nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// Declares a record struct: every field optional unless it has a type with a default of its own.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    )*};
}

records! {
    /// Init begins.
    InitStart {
        /// `on-demand`, `provisioned-concurrency`, `snap-start` or `lambda-managed-instances`.
        initialization_type: String,
        /// `init`, or `invoke` when init is repeated inside the first invocation.
        #[serde(skip_serializing_if = "Option::is_none")] phase: Option<String>,
        /// As `python:3.13.v42`.
        #[serde(skip_serializing_if = "Option::is_none")] runtime_version: Option<String>,
        /// ARN of the runtime version.
        #[serde(skip_serializing_if = "Option::is_none")] runtime_version_arn: Option<String>,
        /// The function's name.
        #[serde(skip_serializing_if = "Option::is_none")] function_name: Option<String>,
        /// The function's ARN.
        #[serde(skip_serializing_if = "Option::is_none")] function_arn: Option<String>,
        /// `$LATEST` or a number.
        #[serde(skip_serializing_if = "Option::is_none")] function_version: Option<String>,
        /// The execution environment's identity.
        #[serde(skip_serializing_if = "Option::is_none")] instance_id: Option<String>,
        /// Bytes on live instances, though the documentation's example looks like megabytes.
        #[serde(deserialize_with = "whole", skip_serializing_if = "Option::is_none")] instance_max_memory: Option<u64>,
        /// The trace, when the platform knows it already.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// The runtime's part of init is done.
    InitRuntimeDone {
        /// As in [`InitStart`].
        initialization_type: String,
        /// `init` or `invoke`.
        #[serde(skip_serializing_if = "Option::is_none")] phase: Option<String>,
        /// `success`, `failure`, `error` or `timeout`.
        status: String,
        /// As `Runtime.ExitError`.
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
        /// Parts that the platform measured.
        #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")] spans: Vec<Span>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// Init is over.
    InitReport {
        /// As in [`InitStart`].
        initialization_type: String,
        /// `init` or `invoke`.
        #[serde(skip_serializing_if = "Option::is_none")] phase: Option<String>,
        /// As in [`InitRuntimeDone`]; absent in older schemas.
        #[serde(skip_serializing_if = "Option::is_none")] status: Option<String>,
        /// As `Runtime.ExitError`.
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
        /// How long it took.
        #[serde(deserialize_with = "or_default")] metrics: InitMetrics,
        /// Parts that the platform measured.
        #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")] spans: Vec<Span>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// Figures of an init or a restore.
    InitMetrics {
        /// Milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")] duration_ms: Option<f64>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// A snapshot's restore begins.
    RestoreStart {
        /// As `java:21.v3`.
        #[serde(skip_serializing_if = "Option::is_none")] runtime_version: Option<String>,
        /// ARN of the runtime version.
        #[serde(skip_serializing_if = "Option::is_none")] runtime_version_arn: Option<String>,
        /// The function's name.
        #[serde(skip_serializing_if = "Option::is_none")] function_name: Option<String>,
        /// The function's version.
        #[serde(skip_serializing_if = "Option::is_none")] function_version: Option<String>,
        /// The execution environment's identity.
        #[serde(skip_serializing_if = "Option::is_none")] instance_id: Option<String>,
        /// As in [`InitStart`].
        #[serde(deserialize_with = "whole", skip_serializing_if = "Option::is_none")] instance_max_memory: Option<u64>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// The runtime's part of restore is done.
    RestoreRuntimeDone {
        /// As in [`InitRuntimeDone`].
        status: String,
        /// As `Runtime.ExitError`.
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
        /// Parts that the platform measured.
        #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")] spans: Vec<Span>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// Restore is over.
    RestoreReport {
        /// As in [`InitRuntimeDone`].
        #[serde(skip_serializing_if = "Option::is_none")] status: Option<String>,
        /// As `Runtime.ExitError`.
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
        /// How long it took.
        #[serde(skip_serializing_if = "Option::is_none")] metrics: Option<InitMetrics>,
        /// Parts that the platform measured.
        #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")] spans: Vec<Span>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// An invocation begins.
    Start {
        /// The invocation's identity.
        request_id: String,
        /// The function's version.
        #[serde(skip_serializing_if = "Option::is_none")] version: Option<String>,
        /// The function's ARN (Managed Instances).
        #[serde(skip_serializing_if = "Option::is_none")] function_arn: Option<String>,
        /// The tenant, with tenant isolation.
        #[serde(skip_serializing_if = "Option::is_none")] tenant_id: Option<String>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// The runtime's part of an invocation is done.
    RuntimeDone {
        /// The invocation's identity.
        request_id: String,
        /// `success`, `error`, `failure` or `timeout`.
        status: String,
        /// As `Runtime.OutOfMemory`.
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
        /// Figures; absent when the runtime never answered.
        #[serde(skip_serializing_if = "Option::is_none")] metrics: Option<RuntimeDoneMetrics>,
        /// `responseLatency`, `responseDuration`, `runtimeOverhead`.
        #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")] spans: Vec<Span>,
        /// The tenant, with tenant isolation.
        #[serde(skip_serializing_if = "Option::is_none")] tenant_id: Option<String>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// Figures of [`RuntimeDone`].
    RuntimeDoneMetrics {
        /// Milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")] duration_ms: Option<f64>,
        /// Bytes of the response.
        #[serde(deserialize_with = "whole", skip_serializing_if = "Option::is_none")] produced_bytes: Option<u64>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// An invocation is over, extensions included.
    Report {
        /// The invocation's identity.
        request_id: String,
        /// As in [`RuntimeDone`]; absent in the oldest schema.
        #[serde(skip_serializing_if = "Option::is_none")] status: Option<String>,
        /// As in [`RuntimeDone`].
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
        /// Figures; only the duration on Managed Instances.
        #[serde(deserialize_with = "or_default")] metrics: ReportMetrics,
        /// `extensionOverhead`; on Managed Instances also the response's spans.
        #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")] spans: Vec<Span>,
        /// The tenant, with tenant isolation.
        #[serde(skip_serializing_if = "Option::is_none")] tenant_id: Option<String>,
        /// The trace.
        #[serde(skip_serializing_if = "Option::is_none")] tracing: Option<Tracing>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// Figures of [`Report`].
    ReportMetrics {
        /// Milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")] duration_ms: Option<f64>,
        /// Milliseconds; a fraction in AWS's own struct, written without a point when whole, as Go does.
        #[serde(serialize_with = "without_point", skip_serializing_if = "Option::is_none")]
        billed_duration_ms: Option<f64>,
        /// Megabytes configured.
        #[serde(rename = "memorySizeMB", deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
        memory_size_mb: Option<u64>,
        /// Megabytes at the peak.
        #[serde(rename = "maxMemoryUsedMB", deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
        max_memory_used_mb: Option<u64>,
        /// Milliseconds of init; only on a cold start.
        #[serde(skip_serializing_if = "Option::is_none")] init_duration_ms: Option<f64>,
        /// Milliseconds of restore; only after a restore.
        #[serde(skip_serializing_if = "Option::is_none")] restore_duration_ms: Option<f64>,
        /// Milliseconds of restore that are billed.
        #[serde(skip_serializing_if = "Option::is_none")] billed_restore_duration_ms: Option<f64>,
        /// What a newer schema says beside it.
        #[serde(flatten)] more: More,
    }

    /// An extension registered, or failed to.
    Extension {
        /// The extension's name.
        name: String,
        /// `Ready`, `Registered`, `Started`, `LaunchError`, `InitError`, `Exited` …
        state: String,
        /// `INVOKE`, `SHUTDOWN`.
        events: Vec<String>,
        /// When the state is an error.
        #[serde(skip_serializing_if = "Option::is_none")] error_type: Option<String>,
    }

    /// An extension subscribed to telemetry.
    TelemetrySubscription {
        /// The extension's name.
        name: String,
        /// `Subscribed` or `Already subscribed`.
        state: String,
        /// The categories.
        types: Vec<String>,
    }

    /// Records were lost before they were delivered.
    LogsDropped {
        /// Why, in words.
        reason: String,
        /// How many records.
        dropped_records: u64,
        /// How many bytes.
        dropped_bytes: u64,
    }

    /// An invocation ended (Logs API).
    End {
        /// The invocation's identity.
        request_id: String,
    }

    /// A part of an init, a restore or an invocation that the platform measured.
    Span {
        /// As `responseLatency`.
        name: String,
        /// When it began, RFC 3339.
        start: String,
        /// Milliseconds.
        duration_ms: f64,
    }

    /// The trace that a record belongs to.
    Tracing {
        /// The platform's own span: 16 hex digits.
        #[serde(skip_serializing_if = "Option::is_none")] span_id: Option<String>,
        /// `X-Amzn-Trace-Id`.
        #[serde(rename = "type")] kind: String,
        /// `Root=…;Parent=…;Sampled=…`.
        value: String,
    }
}

/// The Logs API's text about a failed runtime or sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fault(pub String);
