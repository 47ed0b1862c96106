import { isTransient, loadScript, type RedisClient } from '@ruyi/redis';
import type { Place } from '../append/place.ts';
import type { Bodies } from '../broadcasts/bodies.ts';
import { isDamage } from '../damage.ts';
import { referenceIn } from '../entries.ts';
import { keys } from '../keys.ts';
import type { Shard } from '../shardTags.ts';

const dropInbox = loadScript(import.meta.url, 'drop-inbox');
const dropExpired = loadScript(import.meta.url, 'drop-expired');

/** Entries read at once: of the largest size they are 22 MB. */
const AT_ONCE = 64;

/**
 * Trims logs and inboxes whose oldest entries refer to bodies of broadcasts: counts the bodies down first, then drops
 * the entries. What refers to nothing is trimmed by the store scripts themselves.
 */
export class Trimmer {
  readonly #redis: RedisClient;
  readonly #bodies: Bodies;
  readonly #limits: { logRetention: number; inboxMax: number };
  #waiting: Place[] = [];
  /** commands that this process dropped, acknowledged or not, from inboxes over INBOX_MAX */
  dropped = 0;

  constructor(redis: RedisClient, bodies: Bodies, limits: { logRetention: number; inboxMax: number }) {
    this.#redis = redis;
    this.#bodies = bodies;
    this.#limits = limits;
  }

  /** Notes what a store script found over its bound; `flush` trims it when the job is done. */
  later(places: Place[]): void {
    this.#waiting.push(...places);
  }

  /** After a crash they stay over their bound until the next append notes them again. */
  async flush(): Promise<void> {
    const places = this.#waiting;
    this.#waiting = [];
    for (const place of places) {
      try {
        if ('uid' in place) await this.#trimToMax(place.shard, place.uid);
        else await this.#trimLog(place.shard, place.channel);
      } catch (error) {
        // It was damaged after the append. It stays over its bound; the job is stored and must not be repeated for this.
        if (!isDamage(error)) throw error;
      }
    }
  }

  async #trimLog(shard: Shard, channel: string): Promise<void> {
    const log = keys.log(shard, channel);
    if (this.#limits.logRetention === 0) return;
    for (;;) {
      const over = (await this.#redis.zcard(log)) - this.#limits.logRetention;
      if (over <= 0) return;
      const entries = await this.#redis.zrange(log, '0', String(Math.min(over, AT_ONCE) - 1));
      await this.countDown(entries);
      await this.#redis.zrem(log, ...entries);
    }
  }

  async #trimToMax(shard: Shard, uid: string): Promise<void> {
    const newest = Number((await this.#redis.get(keys.inboxSeq(shard, uid))) ?? 0);
    const dropped = await this.dropBelow(shard, uid, newest - this.#limits.inboxMax + 1);
    this.dropped += dropped;
  }

  /** Drops a user's commands with a seq below `below`. @returns how many */
  async dropBelow(shard: Shard, uid: string, below: number): Promise<number> {
    let counted = 0;
    let dropped = 0;
    for (;;) {
      const reply = await dropInbox(
        this.#redis,
        [keys.inboxSeq(shard, uid), keys.inbox(shard, uid)],
        [below, counted, AT_ONCE],
      );
      const [first, entries] = Array.isArray(reply) ? reply : [];
      if (!Array.isArray(entries) || entries.length === 0) return dropped;
      await this.countDown(entries.map(String));
      counted = Number(first) + entries.length;
      dropped += entries.length;
    }
  }

  /**
   * Drops entries of a log that have expired by Redis' clock, or whose body is gone. If Redis takes no writes now, they stay;
   * reads leave them out anyway.
   */
  async dropExpired(shard: Shard, channel: string, entries: { text: string; expiresAt: number }[]): Promise<void> {
    try {
      await this.#dropFromLogs(shard, [{ channel, entries }]);
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }

  /** Drops these entries of some logs of a shard. @returns how many of each were there */
  dropEntries(shard: Shard, logs: { channel: string; entries: string[] }[]): Promise<number[]> {
    const drop = logs.map(({ channel, entries }) => ({
      channel,
      entries: entries.map((text) => ({ text, expiresAt: 0 })),
    }));
    return this.#dropFromLogs(shard, drop);
  }

  async #dropFromLogs(
    shard: Shard,
    logs: { channel: string; entries: { text: string; expiresAt: number }[] }[],
  ): Promise<number[]> {
    await this.countDown(logs.flatMap(({ entries }) => entries.map(({ text }) => text)));
    const logKeys = logs.flatMap(({ channel }) => [keys.seq(shard, channel), keys.log(shard, channel)]);
    const args = logs.flatMap(({ entries }) => [
      entries.length,
      ...entries.flatMap(({ text, expiresAt }) => [text, expiresAt]),
    ]);
    const reply = await dropExpired(this.#redis, logKeys, args);
    return Array.isArray(reply) ? reply.map(Number) : [];
  }

  /** Counts down the bodies that these entries refer to. To be called before the entries go. */
  async countDown(entries: string[]): Promise<void> {
    await this.#bodies.markGone(entries.flatMap((entry) => referenceIn(entry) ?? []));
  }
}
