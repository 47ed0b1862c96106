import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import type { Logger } from '../log.ts';
import { discreetExporter } from './discreetExporter.ts';
import { requestsBegin } from './requestsBegin.ts';
import type { TracedProcess, Tracing, TracingSettings } from './tracing.ts';

const NAME = 'ruyi';
/** A collector that is slower loses spans. */
const EXPORT_MS = 5000;
const FLUSH_MS = 1000;

/**
 * Exports spans to a collector, in the background. Up to 2,048 wait for it (OTEL_BSP_MAX_QUEUE_SIZE); what comes while it is
 * away is dropped.
 */
export function openTracing({ otelEndpoint, otelShare }: TracingSettings, self: TracedProcess, log: Logger): Tracing {
  const url = `${otelEndpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = discreetExporter(new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS }), log);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': NAME,
      'service.name': `${NAME}-${self.role}`,
      'service.version': self.version,
      'service.instance.id': `${hostname()}-${process.pid}`,
    }),
    sampler: requestsBegin(otelShare),
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: EXPORT_MS })],
  });
  // Without baggage: what it carries would be whatever a client likes.
  provider.register({ propagator: new W3CTraceContextPropagator() });
  const tracer = trace.getTracer(NAME, self.version);

  const within = <T>(parent: Context, span: Span, work: () => T): T => context.with(trace.setSpan(parent, span), work);

  return {
    jobs: new BullMQOtel({ tracerName: NAME, version: self.version }),
    request({ method, headers }, handle) {
      const parent = propagation.extract(ROOT_CONTEXT, headers);
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER }, parent);
      within(parent, span, () =>
        handle(({ route, status }) => {
          span.updateName(`${method} ${route}`);
          const http = { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status };
          span.setAttributes(http);
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        }),
      );
    },
    here() {
      const span = trace.getActiveSpan();
      return span?.isRecording() ? span : undefined;
    },
    join(callers, work) {
      const [first, ...others] = callers.filter(isSpan);
      // Whoever happened to begin this work has nothing to do with it.
      if (first === undefined) return context.with(ROOT_CONTEXT, work);
      const place = trace.setSpan(ROOT_CONTEXT, first);
      if (others.length === 0) return context.with(place, work);
      const links = others.map((span) => ({ context: span.spanContext() }));
      const attributes = { 'ruyi.messages': callers.length };
      const span = tracer.startSpan('gather', { links, attributes }, place);
      for (const other of others) other.addLink({ context: span.spanContext() });
      return ending([span], () => within(ROOT_CONTEXT, span, work));
    },
    step(name, attributes, work) {
      const span = tracer.startSpan(name, { attributes });
      return ending([span], () => within(context.active(), span, work));
    },
    carried() {
      const carrier: Record<string, string> = {};
      if (trace.getActiveSpan()?.isRecording()) propagation.inject(context.active(), carrier);
      return carrier.traceparent ?? '';
    },
    resume(carried, name, attributes, work) {
      const parents = [...new Set(carried)].map((traceparent) => propagation.extract(ROOT_CONTEXT, { traceparent }));
      const spans = parents.map((parent) => tracer.startSpan(name, { attributes }, parent));
      // What it consists of is no step of any of them.
      return ending(spans, () => context.with(ROOT_CONTEXT, work));
    },
    async close() {
      const flushed = provider.shutdown().catch(() => {});
      await Promise.race([flushed, delay(FLUSH_MS, undefined, { ref: false })]);
    },
  };
}

const isSpan = (caller: unknown): caller is Span =>
  typeof caller === 'object' && caller !== null && 'spanContext' in caller;

/** Ends the spans with the work. Why it failed is in the log, which names no user either. */
async function ending<T>(spans: Span[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}
