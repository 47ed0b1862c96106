import type { Telemetry } from 'bullmq';

/** Follows messages through the jobs. packages/telemetry has the one that does so; by default nothing is traced. */
export interface Tracing {
  /** for BullMQ's queues and workers */
  readonly jobs: Telemetry | undefined;
  /** the step that runs now, for `join` */
  here(): unknown;
  /** Works for several callers at once, in the trace of one of them. @param callers what `here` gave each of them */
  join<T>(callers: unknown[], work: () => Promise<T>): Promise<T>;
  /** A step of a trace. @param attributes name no user, channel or message */
  step<T>(name: string, attributes: Record<string, string | number>, work: () => Promise<T>): Promise<T>;
  /** The step that runs now as a word, for `resume` in another process; '' if it is not traced. */
  carried(): string;
  /** A step that belongs to each of these traces. @param carried what `carried` gave each of them */
  resume<T>(carried: string[], name: string, attributes: Record<string, number>, work: () => Promise<T>): Promise<T>;
}

export const untraced: Tracing = {
  jobs: undefined,
  here: () => undefined,
  join: (_, work) => work(),
  step: (_name, _attributes, work) => work(),
  carried: () => '',
  resume: (_carried, _name, _attributes, work) => work(),
};

/** The option of a queue or a worker. */
export const telemetryOf = ({ jobs }: Tracing): { telemetry?: Telemetry } =>
  jobs === undefined ? {} : { telemetry: jobs };
