import type { Queues, Retried } from '@ruyi/queue';
import type { Appender, JobRun, Shard, Store } from '@ruyi/store';

/** Counters that the jobs of one process increment. */
export interface LaneCounts {
  /** messages or recipients that a job stored, or that an earlier run of it had stored */
  stored(count: number): void;
  /** part or all of a job became a dead letter */
  deadLetter(): void;
}

/** What the handlers of one lane need. */
export interface LaneContext {
  /** queue name of the lane */
  lane: string;
  store: Store;
  queues: Queues;
  appender: Appender;
  /** false while too much waits to be indexed: a rebuild is requested instead of keeping references (invariant 8) */
  indexing(): boolean;
  /** wakes an indexer for the outboxes of these shards, in the background, and tells it what was just written there */
  wake(woken: ReadonlyMap<Shard, string[]>): void;
  /** for the metrics */
  counted: LaneCounts;
  log: { warn(fields: object, text: string): void };
}

/** A run of a lane's job. */
export interface LaneRun extends JobRun {
  /** the dead letter that the job tries again */
  retried?: Retried | undefined;
}
