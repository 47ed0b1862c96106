import type { RedisClient } from '@ruyi/redis';
import type { Job, Queue } from 'bullmq';

// What BullMQ does not document and this package relies on. Each assumption has a test in
// test/bullmqInternals.integration.test.ts, so that an upgrade fails there and nowhere else.

/**
 * How many jobs of a queue wait, and the ids of the oldest and the newest. Jobs with a turn stand in the sorted set
 * `prioritized`; those without one, and those that are started again, stand in the list `wait`.
 * @param most ids from each end of each of the two
 */
export async function waitingJobs(
  redis: RedisClient,
  queue: Queue,
  most: number,
): Promise<{ count: number; ids: string[] }> {
  const [wait, prioritized] = [queue.toKey('wait'), queue.toKey('prioritized')];
  const [listed, sorted, ...ends] = await Promise.all([
    redis.llen(wait),
    redis.zcard(prioritized),
    redis.lrange(wait, 0, most - 1),
    redis.lrange(wait, -most, -1),
    redis.zrange(prioritized, '0', String(most - 1)),
    redis.zrange(prioritized, String(-most), '-1'),
  ]);
  return { count: listed + sorted, ids: ends.flat() };
}

/** Jobs of a queue that wait or are being worked: the latter stand in the list `active`. */
export async function unfinishedJobs(redis: RedisClient, queue: Queue): Promise<number> {
  const counts = await Promise.all([
    redis.llen(queue.toKey('wait')),
    redis.llen(queue.toKey('active')),
    redis.zcard(queue.toKey('prioritized')),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** A job's data as it lies in Redis, JSON unless it is damaged; null if the job is gone. */
export const rawData = (redis: RedisClient, queue: Queue, jobId: string): Promise<string | null> =>
  redis.hget(queue.toKey(jobId), 'data');

export async function replaceRawData(redis: RedisClient, queue: Queue, jobId: string, data: string): Promise<void> {
  await redis.hset(queue.toKey(jobId), 'data', data);
}

/**
 * Has `before` called between the end of a job's processor and its completion, until it has nothing left to do: BullMQ then
 * calls the job's own `moveToCompleted`, which is replaced. The completion begins in the same turn as the last call.
 * @param before returns work that must end first, or undefined
 */
export function beforeCompletion(job: Job, before: () => Promise<void> | undefined): void {
  const complete = job.moveToCompleted.bind(job);
  job.moveToCompleted = async (...args) => {
    for (let work = before(); work; work = before()) await work;
    return complete(...args);
  };
}
