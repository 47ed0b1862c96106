import { LANE_KINDS, openQueues, type Queues } from '@ruyi/queue';
import { evenShards, Outboxes } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { LANES, SHARDS } from './system.ts';

const LISTS = ['wait', 'active', 'prioritized', 'delayed', 'failed'] as const;
const DEADLINE_MS = 180_000;

/**
 * Resolves when no job waits or runs on any queue, none has failed where nothing may fail, and nothing waits to be indexed.
 * @throws Error with the counts that are left
 */
export async function untilDrained(redis: Queues['redis']): Promise<void> {
  const queues = openQueues(redis, LANES);
  const isDrained = async () => {
    const unfinished = await unfinishedJobs(queues);
    // After the lanes: what a job stores is in an outbox before the job is gone.
    const { references } = await new Outboxes(redis, evenShards(SHARDS)).reading();
    if (references > 0) unfinished.outboxes = references;
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
  for (const queue of [...lanes, queues.broadcasts, queues.index, queues.dead]) {
    const counts = await queue.getJobCounts(...LISTS);
    for (const [state, count] of Object.entries(counts)) if (count > 0) unfinished[`${queue.name} ${state}`] = count;
  }
  return unfinished;
}
