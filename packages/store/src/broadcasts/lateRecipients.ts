import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const markLate = loadScript(import.meta.url, 'mark-late');

/** Less than the 7,999 values that Lua can unpack, and a short call. */
const CALL_SIZE = 1000;

/**
 * Recipients of a broadcast whom its first try could not serve. The search document of their chunk is made without them, and
 * documents never change, so each of them gets their own document once the message is stored after all. The mark stays
 * when they are served, because a rebuild of the index must make the same documents.
 */
export class LateRecipients {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Call this before their chunk counts as stored, and before a retry stores them. */
  async mark(ref: string, positions: number[]): Promise<void> {
    for (let i = 0; i < positions.length; i += CALL_SIZE) {
      const some = positions.slice(i, i + CALL_SIZE);
      await markLate(this.#redis, [keys.body(ref), keys.late(ref)], some);
    }
  }

  /** Those of these positions that are late, ascending. */
  async among(ref: string, positions: number[]): Promise<number[]> {
    if (positions.length === 0) return [];
    const ascending = positions.toSorted((a, b) => a - b);
    const first = (ascending[0] ?? 0) >> 3;
    const bytes = await this.#redis.getrangeBuffer(keys.late(ref), first, (ascending.at(-1) ?? 0) >> 3);
    return ascending.filter((position) => ((bytes[(position >> 3) - first] ?? 0) & (128 >> (position & 7))) !== 0);
  }
}
