import type { IncomingHttpHeaders } from 'node:http';
import type { BullMQOtel } from 'bullmq-otel';
import type { Logger } from '../log.ts';

/** What of Config is needed. */
export interface TracingSettings {
  /** OTEL_EXPORTER_OTLP_ENDPOINT; '' turns tracing off */
  otelEndpoint: string;
  /** OTEL_TRACES_SAMPLER_ARG, from 0 to 1 */
  otelShare: number;
}

/** How the spans of a process name it. */
export interface TracedProcess {
  role: string;
  version: string;
}

/** What is known of a request when its answer is out. */
export interface AnsweredRequest {
  /** as in the table of routes, so that all requests to it have one name */
  route: string;
  status: number;
}

/** Names no user, channel or message: numbers, and words of Ruyi. */
export type StepAttributes = Record<string, string | number>;

/**
 * Follows messages from their request through the jobs, for OpenTelemetry. A trace begins with a request; whatever else a
 * process does is not traced. Structurally this is the Tracing of packages/queue, too.
 */
export interface Tracing {
  /** what BullMQ's queues and workers take as `telemetry` */
  readonly jobs: BullMQOtel;
  /**
   * Handles a request in a trace: that of its caller (header `traceparent`), or a new one.
   * @param handle calls `answered` once
   */
  request(
    request: { method: string; headers: IncomingHttpHeaders },
    handle: (answered: (how: AnsweredRequest) => void) => void,
  ): void;
  /** The step that runs now, if it is traced; for `join`. */
  here(): unknown;
  /**
   * Works for several callers at once, in the trace of the first one that is traced. It is linked with the others.
   * @param callers what `here` gave each of them
   */
  join<T>(callers: unknown[], work: () => Promise<T>): Promise<T>;
  /** A step within the trace; without one nothing is recorded. */
  step<T>(name: string, attributes: StepAttributes, work: () => Promise<T>): Promise<T>;
  /** The step that runs now as a word without spaces, for `resume` in another process; '' if it is not traced. */
  carried(): string;
  /** A step that belongs to each of these traces, one span in each; without any nothing is recorded. */
  resume<T>(carried: string[], name: string, attributes: StepAttributes, work: () => Promise<T>): Promise<T>;
  /** Exports what is left, for at most a second. */
  close(): Promise<void>;
}

/** @returns undefined if tracing is off: then nothing of OpenTelemetry's SDK is loaded */
export async function startTracing(
  settings: TracingSettings,
  self: TracedProcess,
  log: Logger,
): Promise<Tracing | undefined> {
  if (settings.otelEndpoint === '') return undefined;
  const { openTracing } = await import('./openTracing.ts');
  return openTracing(settings, self, log);
}
