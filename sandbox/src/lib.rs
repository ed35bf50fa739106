//! A local Lambda environment: Runtime, Extensions and Telemetry APIs around real processes.
