import { INDEX_QUEUE, openQueue, queuesOfPlan } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';
import { LanePlans } from '@ruyi/store';

/** Messages that wait on the lanes, counted in jobs, and dead letters. Neither is part of an export. */
export async function waitingJobs(redis: RedisClient): Promise<number> {
  const plan = await new LanePlans(redis).read();
  if (plan === undefined) return 0;
  let count = 0;
  for (const name of queuesOfPlan(plan).filter(({ name }) => name !== INDEX_QUEUE.name)) {
    const queue = openQueue(redis, name);
    const jobs = await queue.getJobCountByTypes('waiting', 'active', 'prioritized', 'delayed', 'failed');
    count += jobs;
    await queue.close();
  }
  return count;
}
