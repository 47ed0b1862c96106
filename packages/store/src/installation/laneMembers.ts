import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';
import type { LaneSet } from './lanePlan.ts';

const shareLanes = loadScript(import.meta.url, 'share-lanes');

/** Longer than any worker is silent. It lets go of the owners of lanes that are no more. */
const KEEP_MS = 3_600_000;

/** Lanes of one kind. */
export interface LanesOfKind extends LaneSet {
  kind: string;
}

/** The worker processes that share the lanes, by Redis' clock, and which lane belongs to whom. */
export class LaneMembers {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Says that a worker lives; repeat it more often than `silentMs`. The lanes of each kind are shared evenly.
   * @param silentMs after so long without a sign of life a worker counts as gone
   * @returns the lanes that are to be worked by it, a list per kind
   */
  async share(name: string, silentMs: number, kinds: LanesOfKind[]): Promise<number[][]> {
    const owners = kinds.map(({ kind, generation }) => keys.laneOwners(kind, generation));
    const args = [name, silentMs, KEEP_MS, ...kinds.map(({ lanes }) => lanes)];
    const reply = await shareLanes(this.#redis, [keys.workers, ...owners], args);
    const lists = Array.isArray(reply) ? reply : [];
    return kinds.map((_, i) => (Array.isArray(lists[i]) ? lists[i].map(Number) : []));
  }

  /** The worker of each lane; one that was killed is named until its lanes move. */
  async owners({ kind, generation }: LanesOfKind): Promise<Map<number, string>> {
    const owners = await this.#redis.hgetall(keys.laneOwners(kind, generation));
    return new Map(Object.entries(owners).map(([lane, worker]) => [Number(lane), worker]));
  }

  async leave(name: string): Promise<void> {
    await this.#redis.zrem(keys.workers, name);
  }
}
