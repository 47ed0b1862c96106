import type { BroadcastState } from '@ruyi/contracts';
import { loadScript, type RedisClient } from '@ruyi/redis';
import { firstIdOf } from '../entries.ts';
import { keys } from '../keys.ts';

const listBroadcast = loadScript(import.meta.url, 'list-broadcast');
const noteState = loadScript(import.meta.url, 'note-state');

/** Which broadcasts there are: those of docs/api.md §4, and large batches beside them. */
export class BroadcastList {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Lists a new broadcast as open. @returns false if `most` are open already */
  async add(no: string, most: number): Promise<boolean> {
    const callKeys = [keys.broadcastStates, keys.openBroadcasts, keys.broadcasts];
    return Number(await listBroadcast(this.#redis, callKeys, [no, firstIdOf(no), most])) === 1;
  }

  /** Lists a batch, and drops those that were created before `since`, in milliseconds. */
  async addBatch(ref: string, since: number): Promise<void> {
    const oldest = since * 2048;
    await this.#redis.zadd(keys.listedBatches, firstIdOf(ref), ref);
    await this.#redis.zremrangebyscore(keys.listedBatches, '-inf', `(${oldest}`);
  }

  async openCount(): Promise<number> {
    return this.#redis.scard(keys.openBroadcasts);
  }

  /** The state of a listed broadcast changed. @param finishedAt seconds, 0 if it has not ended */
  async note(no: string, state: BroadcastState, finishedAt: number): Promise<void> {
    const callKeys = [keys.broadcastStates, keys.openBroadcasts, keys.finishedBroadcasts];
    await noteState(this.#redis, callKeys, [no, state, finishedAt]);
  }

  /** The state of each listed broadcast, as far as it was noted. */
  async states(): Promise<Map<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(keys.broadcastStates)));
  }

  /** Broadcasts and batches created before one of them, newest first. @param before '' for the newest */
  async page(before: string, most: number): Promise<{ no: string; isBatch: boolean }[]> {
    const highest = before === '' ? '+inf' : `(${firstIdOf(before)}`;
    const read = (key: string) => this.#redis.zrange(key, highest, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, most);
    const [broadcasts, batches] = await Promise.all([read(keys.broadcasts), read(keys.listedBatches)]);
    const all = [...broadcasts.map((no) => ({ no, isBatch: false })), ...batches.map((no) => ({ no, isBatch: true }))];
    return all.sort((a, b) => firstIdOf(b.no) - firstIdOf(a.no)).slice(0, most);
  }

  /** Those that ended before a moment in seconds. */
  async finishedBefore(seconds: number): Promise<string[]> {
    return this.#redis.zrange(keys.finishedBroadcasts, '-inf', `(${seconds}`, 'BYSCORE', 'LIMIT', 0, 1000);
  }

  async remove(no: string): Promise<void> {
    await this.#redis
      .multi()
      .hdel(keys.broadcastStates, no)
      .srem(keys.openBroadcasts, no)
      .zrem(keys.broadcasts, no)
      .zrem(keys.finishedBroadcasts, no)
      .exec();
  }

  async removeBatch(ref: string): Promise<void> {
    await this.#redis.zrem(keys.listedBatches, ref);
  }

  /** Whether the caller is the one to look after all broadcasts for this long. */
  async tend(milliseconds: number): Promise<boolean> {
    return (await this.#redis.set(keys.tended, '1', 'PX', milliseconds, 'NX')) === 'OK';
  }
}
