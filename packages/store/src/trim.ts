import { isTransient, loadScript } from '@ruyi/redis';
import type { Redis } from 'ioredis';
import type { Bodies } from './bodies.ts';
import { isDamage } from './damage.ts';
import { referenceIn } from './entries.ts';
import { keys } from './keys.ts';

const dropInbox = loadScript(import.meta.url, 'drop-inbox');
const dropExpired = loadScript(import.meta.url, 'drop-expired');

type Target = { shard: number; channel: string } | { shard: number; uid: string };

/** Entries read at once: of the largest size they are 22 MB. */
const AT_ONCE = 64;

/**
 * Trims logs and inboxes whose oldest entries refer to bodies of broadcasts: counts the bodies down first, then drops
 * the entries. What refers to nothing is trimmed by the store scripts themselves.
 */
export class Trimmer {
  readonly #redis: Redis;
  readonly #bodies: Bodies;
  readonly #limits: { logRetention: number; inboxMax: number };
  #waiting: Target[] = [];
  /** commands that this process dropped, acknowledged or not, from inboxes over INBOX_MAX */
  dropped = 0;

  constructor(redis: Redis, bodies: Bodies, limits: { logRetention: number; inboxMax: number }) {
    this.#redis = redis;
    this.#bodies = bodies;
    this.#limits = limits;
  }

  /** Notes what a store script found over its bound; `flush` trims it when the job is done. */
  later(targets: Target[]): void {
    this.#waiting.push(...targets);
  }

  /** A crash before the end leaves them over their bound: the next append notes them again. */
  async flush(): Promise<void> {
    const targets = this.#waiting;
    this.#waiting = [];
    for (const target of targets) {
      try {
        if ('uid' in target) await this.#trimToMax(target.shard, target.uid);
        else await this.#trimLog(target.shard, target.channel);
      } catch (error) {
        // Damaged since it was appended to: it stays over its bound, and the job, which is stored, must not be repeated.
        if (!isDamage(error)) throw error;
      }
    }
  }

  async #trimLog(shard: number, channel: string): Promise<void> {
    const log = keys.log(shard, channel);
    if (this.#limits.logRetention === 0) return;
    for (;;) {
      const over = (await this.#redis.zcard(log)) - this.#limits.logRetention;
      if (over <= 0) return;
      const entries = await this.#redis.zrange(log, '0', String(Math.min(over, AT_ONCE) - 1));
      await this.#countDown(entries);
      await this.#redis.zrem(log, ...entries);
    }
  }

  async #trimToMax(shard: number, uid: string): Promise<void> {
    const newest = Number((await this.#redis.get(keys.inboxSeq(shard, uid))) ?? 0);
    this.dropped += await this.dropBelow(shard, uid, newest - this.#limits.inboxMax + 1);
  }

  /** Drops a user's commands with a seq below `below`. @returns how many */
  async dropBelow(shard: number, uid: string, below: number): Promise<number> {
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
      await this.#countDown(entries.map(String));
      counted = Number(first) + entries.length;
      dropped += entries.length;
    }
  }

  /**
   * Drops entries of a log that have expired, or whose body is gone. Redis' own clock decides. If it cannot be written to
   * now they stay: reads leave them out in any case.
   */
  async dropExpired(shard: number, channel: string, entries: { text: string; expiresAt: number }[]): Promise<void> {
    try {
      await this.#countDown(entries.map(({ text }) => text));
      const args = entries.flatMap(({ text, expiresAt }) => [text, expiresAt]);
      await dropExpired(this.#redis, [keys.seq(shard, channel), keys.log(shard, channel)], args);
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }

  async #countDown(entries: string[]): Promise<void> {
    await this.#bodies.markGone(entries.flatMap((entry) => referenceIn(entry) ?? []));
  }
}
