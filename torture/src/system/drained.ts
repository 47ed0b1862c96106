import type { Queues } from '@ruyi/queue';
import { LANE_KINDS, openQueues } from '@ruyi/queue';
import { LANES } from './system.ts';

const LISTS = ['wait', 'active', 'prioritized', 'delayed', 'failed'] as const;

/** Counts of waiting and running jobs on all queues, and of failed jobs where nothing may fail; `{}` if all is done. */
export async function unfinishedJobs(redis: Queues['redis']): Promise<Record<string, number>> {
  const queues = openQueues(redis, LANES);
  const unfinished: Record<string, number> = {};
  const lanes = LANE_KINDS.flatMap((kind) => Array.from({ length: LANES }, (_, lane) => queues.lane(kind, lane)));
  for (const queue of [...lanes, queues.index, queues.dead]) {
    const counts = await queue.getJobCounts(...LISTS);
    for (const [state, count] of Object.entries(counts)) if (count > 0) unfinished[`${queue.name} ${state}`] = count;
  }
  await queues.close();
  return unfinished;
}
