import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { mastersOf } from './nodes.ts';

/** Up to this length a log of references stays compact: 20 bytes per reference instead of 125 to 139 (docs/performance.md). */
const LISTPACK_ENTRIES = 512;
/** The longest reference has 22 bytes. */
const LISTPACK_VALUE = 64;

/** What keeps Redis from storing logs compactly: each a line for the log. Nothing where CONFIG is not allowed. */
export async function reviewListpack(redis: RedisClient): Promise<string[]> {
  const reviews = (await mastersOf(redis)).map(async (master) =>
    (await reviewOne(master.redis)).map((line) => (master.name === '' ? line : `${master.name}: ${line}`)),
  );
  return (await Promise.all(reviews)).flat();
}

async function reviewOne(redis: Redis): Promise<string[]> {
  const warnings: string[] = [];
  for (const [name, least] of [
    ['zset-max-listpack-entries', LISTPACK_ENTRIES],
    ['zset-max-listpack-value', LISTPACK_VALUE],
  ] as const) {
    const found = await settingOf(redis, name);
    if (found === undefined || Number(found) >= least) continue;
    warnings.push(`${name} is ${found}: logs of many broadcasts take up to six times the memory, set ${name} ${least}`);
  }
  return warnings;
}

async function settingOf(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await redis.config('GET', name)) as string[];
    return value;
  } catch (error) {
    // Managed services refuse CONFIG.
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
}
