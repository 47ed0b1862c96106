import { INDEX, type IndexJob } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import { type JobRun, requestRebuild } from '@ruyi/store';
import type { LaneContext } from './laneContext.ts';

/** Queues references for the indexer, or requests a rebuild of the index if too much waits already. */
export async function queueForIndex(
  context: LaneContext,
  run: JobRun,
  job: IndexJob,
  recipients: number,
): Promise<void> {
  await untilServed(async () => {
    if (!context.indexing()) await requestRebuild(context.store, 'too much waited to be indexed');
    else await context.queues.index.add(INDEX.name, job, { jobId: `i-${run.jobId}.${recipients}` });
  }, run.signal);
}
