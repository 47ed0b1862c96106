import { eachLimited, groupBy } from '@ruyi/flow';
import { execute, type RedisClient } from '@ruyi/redis';
import { readable } from '../damage.ts';
import { keys } from '../keys.ts';
import { shardOf } from '../shards.ts';
import type { Shards } from '../shardTags.ts';

const CALL_SIZE = 500;
const SHARDS_IN_FLIGHT = 8;

/** Users known by POST /user/token. */
export class Users {
  readonly #redis: RedisClient;
  readonly #shards: Shards;

  constructor(redis: RedisClient, shards: Shards) {
    this.#redis = redis;
    this.#shards = shards;
  }

  /** Registers a user; of the token only a hash is kept. */
  async register(user: { uid: string; tokenHash: string; deviceFlag: number; deviceLevel: number }): Promise<void> {
    const shard = shardOf(user.uid, this.#shards);
    const device = [`device:${user.deviceFlag}`, `${user.deviceLevel}:${user.tokenHash}`] as const;
    await readable(`user ${user.uid}`, () =>
      execute(
        this.#redis
          .multi()
          .hset(keys.user(shard, user.uid), ...device)
          .sadd(keys.users(shard), user.uid),
      ),
    );
  }

  /** All that a shard has; whoever is registered meanwhile may be among them. A page may repeat users of an earlier one. */
  async *all(shard: number): AsyncGenerator<string[]> {
    let cursor = '0';
    do {
      const tag = this.#shards.tags[shard] ?? '';
      const [next, uids] = await this.#redis.sscan(keys.users(tag), cursor, 'COUNT', 1000);
      yield uids;
      cursor = next;
    } while (cursor !== '0');
  }

  /** Those of the uids that were never registered. */
  async unknown(uids: string[]): Promise<Set<string>> {
    const unknown = new Set<string>();
    await eachLimited(
      groupBy(uids, (uid) => shardOf(uid, this.#shards)),
      SHARDS_IN_FLIGHT,
      async ([shard, group]) => {
        for (let i = 0; i < group.length; i += CALL_SIZE) {
          const part = group.slice(i, i + CALL_SIZE);
          const known = await this.#redis.smismember(keys.users(shard), ...part);
          part.forEach((uid, n) => {
            if (known[n] === 0) unknown.add(uid);
          });
        }
      },
    );
    return unknown;
  }
}
