import type { Redis } from 'ioredis';

/** Keys of one step, and the cursor to go on from; `'0'` at the end. */
export interface ScannedKeys {
  keys: string[];
  next: string;
}

/**
 * Goes over the keys of the installation, about `count` per step, in the order in which the server holds them. A key that is
 * there from beginning to end is returned at least once. Every walk over keys is made with this.
 * @param from a `next` of an earlier scan of the same run of the server
 */
export async function* scanKeys(
  redis: Redis,
  { pattern, count, from = '0' }: { pattern: string; count: number; from?: string },
): AsyncGenerator<ScannedKeys> {
  let cursor = from;
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', count);
    cursor = next;
    yield { keys, next };
  } while (cursor !== '0');
}
