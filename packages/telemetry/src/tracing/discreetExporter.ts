import type { Attributes } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';

/**
 * What a span may say. BullMQ also tells results and reasons of failures: a reason may name a Redis key, and so a user or a
 * channel.
 */
const TOLD =
  /^(http\.(request\.method|route|response\.status_code)|ruyi\..+|bullmq\.(queue|job)\.(name|operation|id|bulk\.count))$/;

interface Log {
  warn(fields: object, text: string): void;
  info(fields: object, text: string): void;
}

/**
 * An exporter that tells nothing about users and messages, and says once when the collector is away, and when it is back.
 * @param exporter its failure is no failure of ours
 */
export function discreetExporter(exporter: SpanExporter, log: Log): SpanExporter {
  let isAway = false;
  const note = ({ code, error }: ExportResult) => {
    const fails = code !== ExportResultCode.SUCCESS;
    if (fails && !isAway)
      log.warn({ err: error }, 'traces cannot be exported: they are dropped until the collector is back');
    if (!fails && isAway) log.info({}, 'traces are exported again');
    isAway = fails;
  };
  return {
    export(spans, done) {
      exporter.export(spans.map(discreet), (result) => {
        note(result);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

/** The same span without what it must not tell. */
const discreet = (span: ReadableSpan): ReadableSpan =>
  Object.create(span, { attributes: { value: toldOf(span.attributes) }, events: { value: [] } });

const toldOf = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => TOLD.test(name)));
