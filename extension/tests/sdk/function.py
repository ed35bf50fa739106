"""What a function does with OpenTelemetry's SDK: a span with a child, a log, a counter and a histogram, all flushed
before it answers. The exporters are configured by OTEL_EXPORTER_OTLP_* alone."""

import logging
import os

from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

resource = Resource.create({"deployment.environment.name": "test"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
metrics = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
logger = logging.getLogger("checkout")
logger.addHandler(LoggingHandler(logger_provider=logs))
meter = metrics.get_meter("checkout", "1.0")


def handler():
    tracer = traces.get_tracer("checkout", "1.0")
    with tracer.start_as_current_span("handler", kind=SpanKind.SERVER) as span:
        span.set_attribute("faas.invocation_id", "one")
        with tracer.start_as_current_span("SELECT orders", kind=SpanKind.CLIENT) as query:
            query.set_attribute("db.system.name", "postgresql")
        logger.warning("from the SDK's logger")
        try:
            raise ValueError("bad card")
        except ValueError as error:
            span.record_exception(error)
    meter.create_counter("orders").add(3, {"kind": "book"})
    meter.create_histogram("latency", unit="ms").record(12.5)
    flushed = [traces.force_flush(), logs.force_flush(), metrics.force_flush()]
    context = span.get_span_context()
    print(f"{context.trace_id:032x} {context.span_id:016x} {all(flushed)}", flush=True)


handler()
# A sandbox is frozen after its handler: nothing runs that an interpreter runs at its end.
os._exit(0)
