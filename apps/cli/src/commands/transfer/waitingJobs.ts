import { allQueues, lanesOfInstallation, openQueue } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';

/** Messages that wait on the lanes, counted in jobs, and dead letters. Neither is part of an export. */
export async function waitingJobs(redis: RedisClient): Promise<number> {
  const lanes = await lanesOfInstallation(redis);
  if (lanes === undefined) return 0;
  let count = 0;
  for (const name of allQueues(lanes).filter(({ name }) => name !== 'index')) {
    const queue = openQueue(redis, name);
    count += await queue.getJobCountByTypes('waiting', 'active', 'prioritized', 'delayed', 'failed');
    await queue.close();
  }
  return count;
}
