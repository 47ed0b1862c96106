import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const joinWorkers = loadScript(import.meta.url, 'join-workers');

/** The worker processes that share the lanes, by Redis' clock. */
export class LaneMembers {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Says that a worker lives; repeat it more often than `silentMs`.
   * @param silentMs after so long without a sign of life a worker counts as gone
   * @returns the names of all that live, in the same order for everyone
   */
  async join(name: string, silentMs: number): Promise<string[]> {
    const reply = await joinWorkers(this.#redis, [keys.workers], [name, silentMs]);
    return Array.isArray(reply) ? reply.map(String) : [];
  }

  async leave(name: string): Promise<void> {
    await this.#redis.zrem(keys.workers, name);
  }
}
