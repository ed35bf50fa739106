// What a function does with OpenTelemetry's SDK for Node: a span with a child, a log and a counter, all flushed before
// it answers. The exporters are configured by OTEL_EXPORTER_OTLP_* alone.
const { NodeSDK, api, logs: logsSdk, metrics: metricsSdk } = require('@opentelemetry/sdk-node');

const sdk = new NodeSDK({ instrumentations: [] });
sdk.start();

async function handler() {
  const tracer = api.trace.getTracer('checkout', '1.0');
  let context;
  tracer.startActiveSpan('handler', { kind: api.SpanKind.SERVER }, (span) => {
    span.setAttribute('faas.invocation_id', 'one');
    tracer.startActiveSpan('SELECT orders', { kind: api.SpanKind.CLIENT }, (query) => {
      query.setAttribute('db.system.name', 'postgresql');
      query.end();
    });
    const { logs, SeverityNumber } = require('@opentelemetry/api-logs');
    logs.getLogger('checkout').emit({ body: "from the SDK's logger", severityNumber: SeverityNumber.WARN, severityText: 'WARN' });
    span.recordException(new Error('bad card'));
    context = span.spanContext();
    span.end();
  });
  api.metrics.getMeter('checkout', '1.0').createCounter('orders').add(3, { kind: 'book' });
  await sdk.shutdown();
  console.log(`${context.traceId} ${context.spanId} True`);
}

handler();
