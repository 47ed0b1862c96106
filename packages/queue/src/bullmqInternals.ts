import { execute, type RedisClient } from '@ruyi/redis';
import type { Job, Queue } from 'bullmq';
import type { QueueName } from './names.ts';

// What BullMQ does not document and this package relies on. Each assumption has a test in
// test/bullmqInternals.integration.test.ts, so that an upgrade fails there and nowhere else.

/** What tells the keys of a queue. */
type QueueKeys = Pick<Queue, 'toKey'>;

/** The keys of a queue that is not opened. */
export const queueKeys = ({ name, prefix }: QueueName): QueueKeys => ({ toKey: (key) => `${prefix}:${name}:${key}` });

/**
 * How many jobs of a queue wait, and the ids of the oldest and the newest. Jobs with a turn stand in the sorted set
 * `prioritized`; those without one, and those that are started again, stand in the list `wait`.
 * @param most ids from each end of each of the two
 */
export async function waitingJobs(
  redis: RedisClient,
  queue: QueueKeys,
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

/** Jobs of a queue that wait or are being worked, all counted at one moment: the latter stand in the list `active`. */
export async function unfinishedJobs(redis: RedisClient, queue: QueueKeys): Promise<number> {
  const counts = redis.multi().llen(queue.toKey('wait')).llen(queue.toKey('active')).zcard(queue.toKey('prioritized'));
  return (await execute(counts)).reduce((sum: number, count) => sum + Number(count), 0);
}

const CLOSED = 'closed';

/**
 * Closes a queue for ever: from now on no job can be added to it, while those on it are worked as before. Every add begins
 * with an INCR of the key `id`, which fails if that holds a word, and then nothing is written. Nothing else uses the key.
 */
export async function closeToAdds(redis: RedisClient, queue: Queue): Promise<void> {
  await redis.set(queue.toKey('id'), CLOSED);
}

/** Whether an add failed because its queue is closed. Its job is not on the queue. */
export const isClosedToAdds = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && error.message.includes('not an integer');

/** Removes what a closed queue keeps of its finished jobs, but the failed ones: people look at those. */
export async function clearFinished(redis: RedisClient, queue: Queue): Promise<void> {
  await queue.clean(0, 0, 'completed');
  const metrics = ['completed', 'failed'].flatMap((kind) => [`metrics:${kind}`, `metrics:${kind}:data`]);
  await redis.unlink(...['events', ...metrics].map((key) => queue.toKey(key)));
}

/** When the oldest of some unfinished jobs of a queue was added, in milliseconds; undefined if there is none. */
export async function oldestAddedAt(redis: RedisClient, queue: QueueKeys, ids: string[]): Promise<number | undefined> {
  const active = await redis.lrange(queue.toKey('active'), 0, 0);
  const times = await Promise.all([...active, ...ids].map((id) => redis.hget(queue.toKey(id), 'timestamp')));
  const known = times.filter((time) => time !== null).map(Number);
  return known.length === 0 ? undefined : Math.min(...known);
}

/**
 * When a job of a queue was begun or completed last, in milliseconds by the clock of its worker; undefined if none was. The
 * set `completed` is ordered by the time of completion.
 */
export async function lastProgressAt(redis: RedisClient, queue: QueueKeys): Promise<number | undefined> {
  const [[, completed], [active]] = await Promise.all([
    redis.zrange(queue.toKey('completed'), '-1', '-1', 'WITHSCORES'),
    redis.lrange(queue.toKey('active'), 0, 0),
  ]);
  const begun = active === undefined ? null : await redis.hget(queue.toKey(active), 'processedOn');
  const times = [completed, begun].filter((time) => time != null).map(Number);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** How many jobs of a queue have failed. */
export const failedJobs = (redis: RedisClient, queue: QueueKeys): Promise<number> => redis.zcard(queue.toKey('failed'));

/** A job's data as it lies in Redis, JSON unless it is damaged; null if the job is gone. */
export const rawData = (redis: RedisClient, queue: Queue, jobId: string): Promise<string | null> =>
  redis.hget(queue.toKey(jobId), 'data');

export async function replaceRawData(redis: RedisClient, queue: Queue, jobId: string, data: string): Promise<void> {
  await redis.hset(queue.toKey(jobId), 'data', data);
}

/**
 * Has `before` called between the end of a job's processor and its completion, until it has nothing left to do: BullMQ then
 * calls the job's own `moveToCompleted`, which is replaced. The completion begins in the same turn as the last call, while
 * there is a connection: one that waits for the next connection would not know what is lost until then.
 * @param connection over which the job is completed
 * @param before returns work that must end first, or undefined
 */
export function beforeCompletion(job: Job, connection: RedisClient, before: () => Promise<void> | undefined): void {
  const complete = job.moveToCompleted.bind(job);
  const connected = () => (connection.status === 'ready' ? undefined : connection.ping());
  job.moveToCompleted = async (...args) => {
    for (let work = before() ?? connected(); work; work = before() ?? connected()) await work;
    return complete(...args);
  };
}

/**
 * Failed jobs of a queue, the one that failed last first: they stand in the sorted set `failed` by that time. Jobs that are
 * removed meanwhile shift nothing.
 * @param after the one to go on behind
 */
export async function failedIds(
  redis: RedisClient,
  queue: Queue,
  most: number,
  after?: { id: string; failedAt: number },
): Promise<{ id: string; failedAt: number }[]> {
  const key = queue.toKey('failed');
  const last = after?.failedAt ?? '+inf';
  for (let offset = 0; ; offset += most) {
    const page = await redis.zrevrangebyscore(key, last, '-inf', 'WITHSCORES', 'LIMIT', offset, most);
    const found = page.flatMap((id, i) => (i % 2 === 0 ? [{ id, failedAt: Number(page[i + 1]) }] : []));
    // Within a millisecond they stand by their ids.
    const behind = found.filter(({ id, failedAt }) => !after || failedAt < after.failedAt || isBelow(id, after.id));
    if (behind.length > 0 || found.length < most) return behind;
  }
}

/** Whether Redis orders an id before another one: by its bytes. */
const isBelow = (id: string, other: string) => Buffer.compare(Buffer.from(id), Buffer.from(other)) < 0;
