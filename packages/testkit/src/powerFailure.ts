import type { Cluster, Redis } from 'ioredis';

/** Everything that a Redis knew at a moment: key, its milliseconds to live or -1, and its value as DUMP gives it. */
export type Memory = { key: string; ttl: number; value: Buffer }[];

const LONGEST_PAUSE_MS = 10_000;

/** What a Redis knows now, all of it at one moment: nobody writes meanwhile. */
export async function memoryOf(client: Redis | Cluster): Promise<Memory> {
  await client.call('CLIENT', 'PAUSE', LONGEST_PAUSE_MS, 'WRITE');
  try {
    const read = async (key: string) => {
      const [ttl, value] = await Promise.all([client.pttl(key), client.dumpBuffer(key)]);
      return { key, ttl, value };
    };
    const all = await Promise.all((await client.keys('*')).map(read));
    // Some may have expired in this moment.
    return all.filter(({ value }) => value !== null);
  } finally {
    await client.call('CLIENT', 'UNPAUSE');
  }
}

/**
 * What a loss of power with `everysec` does: all connections are lost, and Redis is back as it was, without what was written
 * since. The client itself keeps its connection.
 */
export async function losePower(client: Redis | Cluster, memory: Memory): Promise<void> {
  const back = client.multi().flushall();
  // RESTORE keeps a key with 0 for ever.
  for (const { key, ttl, value } of memory) back.restore(key, ttl < 0 ? 0 : Math.max(1, ttl), value);
  const results = await back.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').exec();
  for (const [error] of results ?? []) if (error) throw error;
}
