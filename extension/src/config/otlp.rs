//! The settings of the OTLP receiver.

use super::setting::Settings;
use crate::otlp::Ports;

/// The ports that OpenTelemetry's SDKs export to by default.
const HTTP_PORT: u16 = 4318;
const GRPC_PORT: u16 = 4317;

/// `LIMELIGHT_OTLP_HTTP_PORT` and `LIMELIGHT_OTLP_GRPC_PORT`; 0 is off.
pub(super) fn ports(settings: &mut Settings<'_>) -> Ports {
    let mut port = |name, default| Some(settings.port(name, default)).filter(|port| *port != 0);
    Ports {
        http: port("LIMELIGHT_OTLP_HTTP_PORT", HTTP_PORT),
        grpc: port("LIMELIGHT_OTLP_GRPC_PORT", GRPC_PORT),
    }
}
