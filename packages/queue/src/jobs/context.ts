import type { DeadJob, IndexJob } from '@ruyi/contracts';
import { untilServed } from '@ruyi/redis';
import type { Appender, JobRun, Store } from '@ruyi/store';
import { setAside } from '../deadLetters.ts';
import type { Queues } from '../queues.ts';
import { INDEX } from './catalogue.ts';

/** What is counted as it happens, by jobs of one process. */
export interface LaneCounts {
  /** messages or recipients that a job stored, or found stored by its first run */
  stored(count: number): void;
  /** parts of jobs that went to the dead letters */
  setAside(): void;
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

/** Sets part of a job aside; the rest of it goes on. */
export async function setPartAside(context: LaneContext, run: JobRun, part: string, letter: DeadJob): Promise<void> {
  context.counted.setAside();
  context.log.warn({ lane: context.lane, jobId: run.jobId, part, reason: letter.reason }, 'set aside');
  await untilServed(() => setAside(context.queues.dead, `${run.jobId}-${part}`, letter), run.signal);
}

/** Hands references over to the indexer, or notes that the index has to be rebuilt. */
export async function queueForIndex(
  context: LaneContext,
  run: JobRun,
  job: IndexJob,
  recipients: number,
): Promise<void> {
  await untilServed(async () => {
    if (!context.indexing()) await context.store.rebuilds.request('too much waited to be indexed');
    else await context.queues.index.add(INDEX.name, job, { jobId: `i-${run.jobId}.${recipients}` });
  }, run.signal);
}
