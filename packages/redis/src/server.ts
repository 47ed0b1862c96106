import type { RedisClient } from './client.ts';

/** What Redis should be set to and is not: each a line for the log. */
export async function reviewRedis(redis: RedisClient): Promise<string[]> {
  const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
  const [, appendonly] = (await redis.config('GET', 'appendonly')) as string[];
  const warnings: string[] = [];
  if (policy !== 'noeviction') warnings.push(`maxmemory-policy is ${policy}: Redis may drop messages, set noeviction`);
  if (appendonly !== 'yes') warnings.push('appendonly is off: a restart of Redis loses messages, set appendonly yes');
  return warnings;
}

/** Memory used and allowed, in bytes; `allowed` 0 without a bound. */
export async function redisMemory(redis: RedisClient): Promise<{ used: number; allowed: number }> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), allowed: field('maxmemory') };
}

/**
 * Names the run of the server, which ends with its process. A cursor of one run leads nowhere in another: keys stand in an
 * order of its own there.
 */
export async function serverRun(redis: RedisClient): Promise<string> {
  const [, run = ''] = /^run_id:(\w+)/m.exec(await redis.info('server')) ?? [];
  return run;
}

/** Seconds by Redis' clock, which is the same for every process. */
export async function serverClock(redis: RedisClient): Promise<number> {
  const [seconds] = await redis.time();
  return Number(seconds);
}
