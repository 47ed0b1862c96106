import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { DamagedError } from './damage.ts';
import { keys } from './keys.ts';

/**
 * What is known of a client_msg_no (invariant 2). `accepted`: an id and a time are given away, whether anything was
 * queued is unknown, so a retry queues it again with the same ones. `stored`: nothing more to do. `queued`: all jobs of
 * a batch are on their queues.
 */
export type IdemRecord =
  | { state: 'accepted'; id: number; ts: number; fingerprint: string }
  | { state: 'stored'; id: number; ts: number; seq: number }
  | { state: 'queued'; id: number; ts: number };

/** Where a client_msg_no counts: (from_uid, channel) for a channel, (endpoint, from_uid) otherwise. */
export function idemHash(scope: [string, string], clientMsgNo: string): string {
  return createHash('sha256')
    .update(JSON.stringify([...scope, clientMsgNo]))
    .digest('base64url')
    .slice(0, 22);
}

/** Start of the record that the store scripts write with a message; the seq follows. */
export const storedRecord = (id: number, ts: number): string => `S:${id}:${ts}:`;

/** The beginning of every record. */
const RECORD = /^[RSQ]:\d+:\d+(:|$)/;

/** @throws DamagedError */
function parse(text: string, key: string): IdemRecord {
  if (!RECORD.test(text)) throw new DamagedError('it begins with no state, id and time', key);
  const [state, id, ts, rest = ''] = text.split(':');
  const known = { id: Number(id), ts: Number(ts) };
  if (state === 'S') return { state: 'stored', ...known, seq: Number(rest) };
  if (state === 'Q') return { state: 'queued', ...known };
  return { state: 'accepted', ...known, fingerprint: rest };
}

export class Idempotency {
  readonly #redis: Redis;
  readonly #ttl: number;

  constructor(redis: Redis, ttlSeconds: number) {
    this.#redis = redis;
    this.#ttl = ttlSeconds;
  }

  /** Takes the record for this request; answers the earlier one where another request was first. */
  async claim(shard: number, hash: string, own: { id: number; ts: number; fingerprint?: string }) {
    const text = `R:${own.id}:${own.ts}:${own.fingerprint ?? ''}`;
    return this.#set(keys.idem(shard, hash), text);
  }

  /** The same for a message that is stored nowhere (no_persist): its first answer is all there is to keep. */
  async claimAnswer(shard: number, hash: string, own: { id: number; ts: number }) {
    return this.#set(keys.idem(shard, hash), `${storedRecord(own.id, own.ts)}0`);
  }

  async #set(key: string, text: string): Promise<IdemRecord | undefined> {
    const before = await this.#redis.set(key, text, 'EX', this.#ttl, 'NX', 'GET');
    return before === null ? undefined : parse(before, key);
  }

  /** All jobs of a batch are on their queues. The record lives on as long as it would have. */
  async markQueued(shard: number, hash: string, own: { id: number; ts: number }): Promise<void> {
    await this.#redis.set(keys.idem(shard, hash), `Q:${own.id}:${own.ts}`, 'KEEPTTL', 'XX');
  }

  /** A group command reached every subscriber. */
  async markStored(shard: number, hash: string, own: { id: number; ts: number }): Promise<void> {
    await this.#redis.set(keys.idem(shard, hash), `${storedRecord(own.id, own.ts)}0`, 'KEEPTTL', 'XX');
  }

  async read(shard: number, hash: string): Promise<IdemRecord | undefined> {
    const key = keys.idem(shard, hash);
    const text = await this.#redis.get(key);
    return text === null ? undefined : parse(text, key);
  }

  /** Unix time at which a record made now expires. */
  expiry(ts: number): number {
    return ts + this.#ttl;
  }
}
