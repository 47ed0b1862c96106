import { CHANNEL_TYPE_PERSONAL, channelName } from '@ruyi/contracts';
import { eachLimited, groupBy, together } from '@ruyi/flow';
import { loadScript, type RedisClient } from '@ruyi/redis';
import { DamagedError, readable } from '../damage.ts';
import { keys } from '../keys.ts';
import { shardOf } from '../shards.ts';
import type { Shard, Shards } from '../shardTags.ts';

const changeSubscribers = loadScript(import.meta.url, 'change-subscribers');
const readSubscribers = loadScript(import.meta.url, 'read-subscribers');
const countSubscribers = loadScript(import.meta.url, 'count-subscribers');
const freezeSubscribers = loadScript(import.meta.url, 'freeze-subscribers');

export interface ChannelInfo {
  large: number;
  ban: number;
  disband: number;
  send_ban: number;
  allow_stranger: number;
}

const INFO_FIELDS = ['large', 'ban', 'disband', 'send_ban', 'allow_stranger'] as const;
const CALL_SIZE = 500;
const SHARDS_IN_FLIGHT = 8;

/** A user whose list of groups is damaged, and why. */
interface Damage {
  uid: string;
  reason: string;
}

/** Channels and who subscribes to them. Subscribers live in their own shard, together with the list of their groups. */
export class Channels {
  readonly #redis: RedisClient;
  readonly #shards: Shards;

  constructor(redis: RedisClient, shards: Shards) {
    this.#redis = redis;
    this.#shards = shards;
  }

  #infoKey(channelType: number, channelId: string): string {
    // These requests name no second user, so the info of a personal channel belongs to the id as it was given.
    const name = `${channelType}:${channelId}`;
    return keys.channel(shardOf(name, this.#shards), name);
  }

  /** Creates the channel, or replaces its info. */
  async putInfo(channelType: number, channelId: string, info: ChannelInfo): Promise<void> {
    await this.#redis.hset(
      this.#infoKey(channelType, channelId),
      Object.fromEntries(INFO_FIELDS.map((field) => [field, info[field]])),
    );
  }

  /** Creates the channel if it is unknown. */
  async ensure(channelType: number, channelId: string): Promise<void> {
    await this.#redis.hsetnx(this.#infoKey(channelType, channelId), 'large', 0);
  }

  /** All zero for an unknown channel. */
  async info(channelType: number, channelId: string): Promise<ChannelInfo> {
    return readable(`channel ${channelType}:${channelId}`, () => this.#readInfo(channelType, channelId));
  }

  async #readInfo(channelType: number, channelId: string): Promise<ChannelInfo> {
    const stored = await this.#redis.hgetall(this.#infoKey(channelType, channelId));
    const value = (field: string) => {
      const flag = Number(stored[field] ?? 0);
      if (flag !== 0 && flag !== 1) throw new DamagedError(`${field} is neither 0 nor 1`);
      return flag;
    };
    return {
      large: value('large'),
      ban: value('ban'),
      disband: value('disband'),
      send_ban: value('send_ban'),
      allow_stranger: value('allow_stranger'),
    };
  }

  async addSubscribers(channelType: number, channelId: string, uids: string[]): Promise<void> {
    const channel = channelName(channelType, channelId);
    await this.#inShards(this.#byShard(uids), ([shard, added]) => this.#change(shard, channel, added, []));
  }

  async removeSubscribers(channelType: number, channelId: string, uids: string[]): Promise<void> {
    const channel = channelName(channelType, channelId);
    await this.#inShards(this.#byShard(uids), ([shard, gone]) => this.#change(shard, channel, [], gone));
  }

  /** Afterwards the channel has these subscribers and no others. */
  async replaceSubscribers(channelType: number, channelId: string, uids: string[]): Promise<void> {
    const channel = channelName(channelType, channelId);
    const byShard = this.#byShard(uids);
    await this.#inShards(this.#shards.tags, async (shard) => {
      const wanted = new Set(byShard.get(shard));
      const damaged: Damage[] = [];
      for (let after = ''; ; ) {
        const page = await readable(`channel ${channel}`, () => this.subscribersIn(shard, channel, after, CALL_SIZE));
        const gone = page.filter((uid) => !wanted.has(uid));
        damaged.push(...(await this.#change(shard, channel, [], gone)));
        const last = page.at(-1);
        if (last === undefined || page.length < CALL_SIZE) break;
        after = last;
      }
      return [...damaged, ...(await this.#change(shard, channel, [...wanted], []))];
    });
  }

  /** @throws CorruptError naming a user whose groups are damaged, once everybody else is added or removed */
  async #inShards<T>(shards: Iterable<T>, change: (shard: T) => Promise<Damage[]>): Promise<void> {
    const damaged: Damage[] = [];
    await eachLimited(shards, SHARDS_IN_FLIGHT, async (shard) => {
      damaged.push(...(await change(shard)));
    });
    const [first] = damaged;
    if (first) await readable(`user ${first.uid}`, () => Promise.reject(new DamagedError(first.reason)));
  }

  /** @returns users whose groups are damaged: nothing was changed for them */
  async #change(shard: Shard, channel: string, added: string[], removed: string[]): Promise<Damage[]> {
    const changes = [...added.map((uid) => ({ uid, add: true })), ...removed.map((uid) => ({ uid, add: false }))];
    const damaged: Damage[] = [];
    for (let i = 0; i < changes.length; i += CALL_SIZE) {
      const part = changes.slice(i, i + CALL_SIZE);
      const callKeys = [keys.subscribers(shard, channel), ...part.map(({ uid }) => keys.groups(shard, uid))];
      const args = [channel, part.filter(({ add }) => add).length, ...part.map(({ uid }) => uid)];
      const reply = await readable(`channel ${channel}`, () => changeSubscribers(this.#redis, callKeys, args));
      const named = Array.isArray(reply) ? reply.map(String) : [];
      for (let n = 0; n + 1 < named.length; n += 2) damaged.push({ uid: named[n] ?? '', reason: named[n + 1] ?? '' });
    }
    return damaged;
  }

  /** POST /channel/delete: subscribers and info go, the log stays. */
  async delete(channelType: number, channelId: string): Promise<void> {
    if (channelType !== CHANNEL_TYPE_PERSONAL) await this.replaceSubscribers(channelType, channelId, []);
    await this.#redis.del(this.#infoKey(channelType, channelId));
  }

  /**
   * A page of subscribers, by shard and uid. This order does not shift when others come or go, so a subscriber who stays
   * throughout is returned exactly once. The cursor is `<number of the shard>-<last uid>`, `''` at the end. A page costs what it returns,
   * plus one command per shard that has nothing left.
   */
  async subscribers(channelType: number, channelId: string, cursor: string, limit: number) {
    const channel = channelName(channelType, channelId);
    const [, from = '0', after = ''] = /^(\d+)-(.*)$/s.exec(cursor) ?? [];
    return readable(`channel ${channel}`, async () => {
      const subscribers: string[] = [];
      for (const [n, shard] of this.#shards.tags.entries()) {
        if (n < Number(from)) continue;
        const start = n === Number(from) ? after : '';
        subscribers.push(...(await this.subscribersIn(shard, channel, start, limit - subscribers.length)));
        if (subscribers.length === limit) return { subscribers, cursor: `${n}-${subscribers.at(-1)}` };
      }
      return { subscribers, cursor: '' };
    });
  }

  /** Subscribers of one shard after a uid, by the bytes of their uids; '' for the first ones. */
  async subscribersIn(shard: Shard, channel: string, after: string, most: number): Promise<string[]> {
    const reply = await readSubscribers(this.#redis, [keys.subscribers(shard, channel)], [after, most]);
    return Array.isArray(reply) ? reply.map(String) : [];
  }

  /** The number of subscribers of a channel. It costs one command per shard, whatever the channel. */
  async count(channel: string): Promise<number> {
    const counts = await readable(`channel ${channel}`, () =>
      together(
        ...this.#shards.tags.map((shard) => countSubscribers(this.#redis, [keys.subscribers(shard, channel)], [])),
      ),
    );
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  /** Names of the channels that a user subscribes to. */
  async groupsOf(uid: string): Promise<string[]> {
    return readable(`user ${uid}`, () => this.#redis.smembers(keys.groups(shardOf(uid, this.#shards), uid)));
  }

  /**
   * Keeps the subscribers of this moment for a group command; a second call with the same ref changes nothing.
   * @returns how many each shard has, always in the same order
   */
  async freeze(channel: string, ref: string, keepSeconds: number): Promise<{ shard: Shard; count: number }[]> {
    const frozen = this.#shards.tags.map((shard) => ({ shard, count: 0 }));
    await eachLimited(frozen, SHARDS_IN_FLIGHT, async (part) => {
      const frozenKeys = [keys.subscribers(part.shard, channel), keys.frozen(part.shard, ref)];
      part.count = Number(await freezeSubscribers(this.#redis, frozenKeys, [keepSeconds]));
    });
    return frozen;
  }

  async frozen(shard: Shard, ref: string, count: number): Promise<string[]> {
    return count === 0 ? [] : this.#redis.lrange(keys.frozen(shard, ref), 0, count - 1);
  }

  async unfreeze(ref: string): Promise<void> {
    await eachLimited(this.#shards.tags, SHARDS_IN_FLIGHT, async (shard) => {
      await this.#redis.del(keys.frozen(shard, ref));
    });
  }

  #byShard(uids: string[]): Map<Shard, string[]> {
    return groupBy(new Set(uids), (uid) => shardOf(uid, this.#shards));
  }
}
