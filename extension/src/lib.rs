//! The Lambda extension: receives a sandbox's telemetry and ships it to the stream.
