import type { Redis } from 'ioredis';

/** What Redis should be set to and is not: each a line for the log. */
export async function reviewRedis(redis: Redis): Promise<string[]> {
  const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
  const [, appendonly] = (await redis.config('GET', 'appendonly')) as string[];
  const warnings: string[] = [];
  if (policy !== 'noeviction') warnings.push(`maxmemory-policy is ${policy}: Redis may drop messages, set noeviction`);
  if (appendonly !== 'yes') warnings.push('appendonly is off: a restart of Redis loses messages, set appendonly yes');
  return warnings;
}

/** Memory used and allowed, in bytes; `allowed` 0 without a bound. */
export async function redisMemory(redis: Redis): Promise<{ used: number; allowed: number }> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), allowed: field('maxmemory') };
}

/**
 * Names the run of the server, which ends with its process. A cursor of one run leads nowhere in another: keys stand in an
 * order of its own there.
 */
export async function serverRun(redis: Redis): Promise<string> {
  const [, run = ''] = /^run_id:(\w+)/m.exec(await redis.info('server')) ?? [];
  return run;
}

/** Seconds by Redis' clock, which is the same for every process. */
export const serverClock = async (redis: Redis): Promise<number> => (await serverTime(redis)).seconds;

/** The same with the microseconds of that second. */
export async function serverTime(redis: Redis): Promise<{ seconds: number; microseconds: number }> {
  const [seconds, microseconds] = await redis.time();
  return { seconds: Number(seconds), microseconds: Number(microseconds) };
}
