import type { Cluster, Redis } from 'ioredis';

/** Everything that a Redis knew at a moment: key, its milliseconds to live or -1, and its value as DUMP gives it. */
export type Memory = [key: Buffer, ttl: number, value: Buffer][];

const REMEMBER = `
local all = {}
for i, key in ipairs(redis.call('KEYS', '*')) do
  all[i] = { key, redis.call('PTTL', key), redis.call('DUMP', key) }
end
return all`;

/** What a Redis knows now, all of it at one moment. */
export const memoryOf = async (client: Redis | Cluster): Promise<Memory> =>
  (await client.callBuffer('EVAL', REMEMBER, 0)) as Memory;

/**
 * What a loss of power with `everysec` does: all connections are lost, and Redis is back as it was, without what was written
 * since. The client itself keeps its connection.
 */
export async function losePower(client: Redis | Cluster, memory: Memory): Promise<void> {
  const back = client.multi().flushall();
  // RESTORE keeps a key with 0 for ever.
  for (const [key, ttl, value] of memory) back.restore(key, ttl < 0 ? 0 : Math.max(1, ttl), value);
  const results = await back.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').exec();
  for (const [error] of results ?? []) if (error) throw error;
}
