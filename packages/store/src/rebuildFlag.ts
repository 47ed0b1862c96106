import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keys } from './keys.ts';

const HOLD_SECONDS = 30;
const RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/**
 * "The search index misses something, rebuild it from Redis": set by workers that could not queue for the indexer
 * (INDEX_BACKLOG), by an indexer that lost its file, by an operator. One indexer at a time does it.
 */
export class RebuildFlag {
  readonly #redis: Redis;
  readonly #own = randomUUID();

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async request(reason: string): Promise<void> {
    await this.#redis.set(keys.rebuild, `${reason} ${randomUUID()}`);
  }

  /** What was asked for last; undefined where nothing is, or where another process is at it. */
  async take(): Promise<string | undefined> {
    const requested = await this.#redis.get(keys.rebuild);
    if (requested === null) return undefined;
    const held = await this.#redis.set(keys.rebuilder, this.#own, 'EX', HOLD_SECONDS, 'NX');
    return held === null ? undefined : requested;
  }

  /** To be called every few seconds while the rebuild runs. */
  async hold(): Promise<void> {
    await this.#redis.set(keys.rebuilder, this.#own, 'EX', HOLD_SECONDS);
  }

  /** Ends the rebuild; with `done` also the request, unless it was made again meanwhile. */
  async release(done?: string): Promise<void> {
    if (done !== undefined) await this.#redis.eval(RELEASE, 1, keys.rebuild, done);
    await this.#redis.eval(RELEASE, 1, keys.rebuilder, this.#own);
  }
}
