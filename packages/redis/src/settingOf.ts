import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { mastersOf } from './nodes.ts';

/** A setting of Redis; undefined if it refuses CONFIG, as managed services do. */
export async function settingOf(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await redis.config('GET', name)) as string[];
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
}

/** The same of each master. */
export async function settingOfNodes(redis: RedisClient, name: string): Promise<(string | undefined)[]> {
  return Promise.all((await mastersOf(redis)).map((master) => settingOf(master.redis, name)));
}
