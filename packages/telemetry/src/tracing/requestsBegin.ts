import { SpanKind, trace } from '@opentelemetry/api';
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';

/**
 * Requests begin traces, a share of them, and what belongs to one follows it. BullMQ would begin one for each look into a
 * queue, which is several a second per lane.
 */
export function requestsBegin(share: number): Sampler {
  const some = new TraceIdRatioBasedSampler(share);
  return new ParentBasedSampler({
    root: {
      shouldSample: (context, traceId, _name, kind) =>
        kind === SpanKind.SERVER && trace.getSpanContext(context) === undefined
          ? some.shouldSample(context, traceId)
          : { decision: SamplingDecision.NOT_RECORD },
      toString: () => `RequestsBegin{${share}}`,
    },
  });
}
