import { INDEX, type IndexJob } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { JobRun } from '@ruyi/store';
import type { LaneContext } from './laneContext.ts';

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
