import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { masterOf, mastersOf, placementOf } from './nodes.ts';

/** What a Redis should be set to and is not: each a line for the log. In a cluster every master is asked. */
export async function reviewRedis(redis: RedisClient): Promise<string[]> {
  const masters = await mastersOf(redis);
  const reviews = masters.map(async (master) =>
    (await reviewOne(master.redis)).map((line) => (master.name === '' ? line : `${master.name}: ${line}`)),
  );
  return (await Promise.all(reviews)).flat();
}

async function reviewOne(redis: Redis): Promise<string[]> {
  const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
  const [, appendonly] = (await redis.config('GET', 'appendonly')) as string[];
  const warnings: string[] = [];
  if (policy !== 'noeviction') warnings.push(`maxmemory-policy is ${policy}: Redis may drop messages, set noeviction`);
  if (appendonly !== 'yes') warnings.push('appendonly is off: a restart of Redis loses messages, set appendonly yes');
  return warnings;
}

/**
 * Memory used and allowed, in bytes; `allowed` 0 without a bound. In a cluster that of the fullest master: writes to its
 * slots are refused first, and a broadcast has recipients on every one.
 */
export async function redisMemory(redis: RedisClient): Promise<{ used: number; allowed: number }> {
  const masters = await mastersOf(redis);
  const memories = await Promise.all(masters.map((master) => memoryOf(master.redis)));
  const share = ({ used, allowed }: { used: number; allowed: number }) => (allowed > 0 ? used / allowed : 0);
  return memories.reduce((a, b) => (share(b) > share(a) || (share(b) === share(a) && b.used > a.used) ? b : a));
}

async function memoryOf(redis: Redis): Promise<{ used: number; allowed: number }> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), allowed: field('maxmemory') };
}

/**
 * Names the run of the server, which ends with its process. A cursor of one run leads nowhere in another: keys stand in an
 * order of its own there. In a cluster: the runs of all masters, and which slots each of them has.
 */
export async function serverRun(redis: RedisClient): Promise<string> {
  const masters = await mastersOf(redis);
  const runs = await Promise.all(
    masters.map(async (master) => /^run_id:(\w+)/m.exec(await master.redis.info('server'))?.[1] ?? ''),
  );
  return [...runs, placementOf(redis)].filter((part) => part !== '').join('-');
}

/** Seconds by the clock of one Redis, the same for every process: in a cluster that of the master of `key`. */
export async function serverClock(redis: RedisClient, key: string): Promise<number> {
  const master = await masterOf(redis, key);
  const [seconds] = await master.redis.time();
  return Number(seconds);
}
