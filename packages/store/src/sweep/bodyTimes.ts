import type { RedisClient } from '@ruyi/redis';
import { LRUCache } from 'lru-cache';
import { isDamage } from '../damage.ts';
import { parseJson, referenceIn } from '../entries.ts';
import { keys } from '../keys.ts';

/** When the message of a broadcast was sent, and for how many seconds it lives (0: for ever). */
interface Times {
  ts: number;
  exp: number;
}

/** Of broadcasts; one takes about 100 bytes. */
const REMEMBERED = 50_000;

/** Times of broadcasts, which never change. */
export class BodyTimes {
  readonly #redis: RedisClient;
  readonly #known = new LRUCache<string, Times>({ max: REMEMBERED });

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Which of these references must go: `expired` if their message has expired or their body is gone, `age` if it is older
   * than `maxAge` seconds (0: never). A body that is damaged stays, and so does what refers to it.
   */
  async sort(entries: string[], now: number, maxAge: number): Promise<Record<'expired' | 'age', Set<string>>> {
    const sorted = { expired: new Set<string>(), age: new Set<string>() };
    const references = entries.flatMap((entry) => {
      const ref = referenceIn(entry)?.ref;
      return ref === undefined ? [] : [{ entry, ref }];
    });
    const times = await this.#read(new Set(references.map(({ ref }) => ref)));
    for (const { entry, ref } of references) {
      const found = times.get(ref);
      if (found === undefined) continue;
      if (found === 'gone' || (found.exp > 0 && found.ts + found.exp <= now)) sorted.expired.add(entry);
      else if (maxAge > 0 && found.ts + maxAge <= now) sorted.age.add(entry);
    }
    return sorted;
  }

  /** When the message of an entry was sent; undefined if that cannot be known. */
  async sentAt(entry: string): Promise<number | undefined> {
    const ref = referenceIn(entry)?.ref;
    if (ref === undefined) return Number(/^\[\d+,(\d+),/.exec(entry)?.[1] ?? Number.NaN) || undefined;
    const times = (await this.#read(new Set([ref]))).get(ref);
    return typeof times === 'object' ? times.ts : undefined;
  }

  async #read(refs: Set<string>): Promise<Map<string, Times | 'gone'>> {
    const found = new Map<string, Times | 'gone'>();
    await Promise.all(
      [...refs].map(async (ref) => {
        const times = this.#known.get(ref) ?? (await this.#ask(ref));
        if (times === undefined) return;
        found.set(ref, times);
        if (times !== 'gone') this.#known.set(ref, times);
      }),
    );
    return found;
  }

  async #ask(ref: string): Promise<Times | 'gone' | undefined> {
    try {
      const text = await this.#redis.hget(keys.body(ref), 'm');
      if (text !== null) return timesIn(parseJson(text));
      return (await this.#redis.exists(keys.body(ref))) === 0 ? 'gone' : undefined;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }
}

function timesIn(meta: unknown): Times | undefined {
  if (typeof meta !== 'object' || meta === null || !('ts' in meta) || typeof meta.ts !== 'number') return undefined;
  return { ts: meta.ts, exp: 'exp' in meta && typeof meta.exp === 'number' ? meta.exp : 0 };
}
