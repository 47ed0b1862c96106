import type { Queues } from '@ruyi/queue';
import type { Appender, Store } from '@ruyi/store';

/** What is counted as it happens, by jobs of one process. */
export interface LaneCounts {
  /** messages or recipients that a job stored, or found stored by its first run */
  stored(count: number): void;
  /** a part of a job, or all of it, became a dead letter */
  deadLetter(): void;
}

/** What the handlers of one lane work with. */
export interface LaneContext {
  /** queue name of the lane */
  lane: string;
  store: Store;
  queues: Queues;
  appender: Appender;
  /** false while too much waits to be indexed: a rebuild is noted instead of a job (invariant 8) */
  indexing(): boolean;
  /** for the metrics */
  counted: LaneCounts;
  log: { warn(fields: object, text: string): void };
}
