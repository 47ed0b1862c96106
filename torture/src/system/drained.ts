import { LANE_KINDS, openQueues, type Queues } from '@ruyi/queue';
import { waitFor } from '@ruyi/testkit';
import { LANES } from './system.ts';

const LISTS = ['wait', 'active', 'prioritized', 'delayed', 'failed'] as const;
const DEADLINE_MS = 180_000;

/**
 * Resolves when no job waits or runs on any queue, and none has failed where nothing may fail.
 * @throws Error with the counts that are left
 */
export async function untilDrained(redis: Queues['redis']): Promise<void> {
  const queues = openQueues(redis, LANES);
  const isDrained = async () => {
    const unfinished = await unfinishedJobs(queues);
    if (Object.keys(unfinished).length > 0) throw new Error(JSON.stringify(unfinished));
    return true;
  };
  try {
    await waitFor(isDrained, { what: 'the queues to drain', deadlineMs: DEADLINE_MS, everyMs: 200 });
  } finally {
    await queues.close();
  }
}

async function unfinishedJobs(queues: Queues): Promise<Record<string, number>> {
  const unfinished: Record<string, number> = {};
  const lanes = LANE_KINDS.flatMap((kind) => Array.from({ length: LANES }, (_, lane) => queues.lane(kind, lane)));
  for (const queue of [...lanes, queues.index, queues.dead]) {
    const counts = await queue.getJobCounts(...LISTS);
    for (const [state, count] of Object.entries(counts)) if (count > 0) unfinished[`${queue.name} ${state}`] = count;
  }
  return unfinished;
}
