//! Types of Lambda's Runtime, Extensions and Telemetry APIs.
