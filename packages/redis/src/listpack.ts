import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { mastersOf } from './nodes.ts';
import type { Problem } from './problems.ts';
import { settingOf } from './settingOf.ts';

/** Up to this length a log of references stays compact: 20 bytes per reference instead of 125 to 139 (docs/performance.md). */
const LISTPACK_ENTRIES = 512;
/** The longest reference has 22 bytes. */
const LISTPACK_VALUE = 64;

/** What keeps Redis from storing logs compactly. Nothing where CONFIG is not allowed. */
export async function reviewListpack(redis: RedisClient): Promise<Problem[]> {
  const reviews = (await mastersOf(redis)).map(async ({ name, redis: master }) =>
    (await reviewOne(master)).map(({ message, fix }) => ({
      message: name === '' ? message : `${name}: ${message}`,
      fix,
    })),
  );
  return (await Promise.all(reviews)).flat();
}

async function reviewOne(redis: Redis): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [name, least] of [
    ['zset-max-listpack-entries', LISTPACK_ENTRIES],
    ['zset-max-listpack-value', LISTPACK_VALUE],
  ] as const) {
    const found = await settingOf(redis, name);
    if (found === undefined || Number(found) >= least) continue;
    const message = `${name} is ${found}: logs of many broadcasts take up to six times the memory`;
    problems.push({ message, fix: `set ${name} ${least}` });
  }
  return problems;
}
