import { createHash, type Hash } from 'node:crypto';
import type { RedisClient } from '@ruyi/redis';
import { DamagedError } from './damage.ts';
import { keys } from './keys.ts';
import type { Shard } from './shardTags.ts';

/** What a request was given when it was first seen, and a digest of it. */
interface Known {
  id: number;
  /** seconds, taken at ingress */
  ts: number;
  /** of the request, 22 characters; '' if the record was written by a version that kept none: it equals every other */
  digest: string;
}

/**
 * What is known of a client_msg_no (invariant 2).
 * - `accepted`: it has an id and a time. Whether anything was queued is unknown, so a retry queues it again with the same ones.
 * - `stored`: nothing is left to do.
 * - `queued`: all jobs of a batch are on their queues.
 */
export type IdemRecord = Known &
  (
    | {
        state: 'accepted';
        /** of a group command, as they were counted first: the name of its job must not change */
        recipients: number;
        /** of a batch that a version without digests accepted: names its recipients */
        fingerprint?: string;
      }
    | { state: 'stored'; seq: number }
    | { state: 'queued' }
  );

/** What a request claims for its client_msg_no. */
export type Claim = Known & { recipients?: number };

/** The first 16 bytes of a digest as text, free of ':'. */
export const shortDigest = (hash: Hash): string => hash.digest('base64url').slice(0, 22);

/** The same of a text's SHA-256. */
export const digestOf = (text: string): string => shortDigest(createHash('sha256').update(text));

/** The scope within which a client_msg_no is unique: (from_uid, channel) for a channel, (endpoint, from_uid) otherwise. */
export const idemHash = (scope: [string, string], clientMsgNo: string): string =>
  digestOf(JSON.stringify([...scope, clientMsgNo]));

/** Whether two requests with one client_msg_no are the same one (docs/api.md §2, Idempotency). */
export const isSameRequest = (one: string, other: string): boolean => one === '' || other === '' || one === other;

/**
 * A record is `<state>:<id>:<ts>:<digest>:<number>`; earlier versions left out the digest and its colon. The store scripts
 * read only the state, and append the seq to the start of the record that they are given.
 */
const startOf = (state: 'R' | 'S' | 'Q', { id, ts, digest }: Known) => `${state}:${id}:${ts}:${digest}:`;

/** Start of the record that the store scripts write with a message; the seq follows. */
export const storedRecord = (message: Known): string => startOf('S', message);

/** The beginning of every record. */
const RECORD = /^[RSQ]:\d+:\d+(:|$)/;

/** @throws DamagedError */
function parse(text: string, key: string): IdemRecord {
  if (!RECORD.test(text)) throw new DamagedError('it begins with no state, id and time', key);
  const fields = text.split(':');
  const [state, id, ts, ...rest] = fields;
  const isFormer = fields.length < 5;
  const [digest = '', last = ''] = isFormer ? ['', ...rest] : rest;
  const known: Known = { id: Number(id), ts: Number(ts), digest };
  if (state === 'S') return { state: 'stored', ...known, seq: Number(last) };
  if (state === 'Q') return { state: 'queued', ...known };
  if (isFormer) return { state: 'accepted', ...known, recipients: 1, ...(last === '' ? {} : { fingerprint: last }) };
  return { state: 'accepted', ...known, recipients: Number(last) };
}

export class Idempotency {
  readonly #redis: RedisClient;
  readonly #ttl: number;

  constructor(redis: RedisClient, ttlSeconds: number) {
    this.#redis = redis;
    this.#ttl = ttlSeconds;
  }

  /** Claims the record for this request. @returns the earlier record if another request was first */
  async claim(shard: Shard, hash: string, request: Claim): Promise<IdemRecord | undefined> {
    return this.#set(keys.idem(shard, hash), `${startOf('R', request)}${request.recipients ?? 1}`);
  }

  /** The same for a message that is stored nowhere (no_persist): its first answer is all there is to keep. */
  async claimAnswer(shard: Shard, hash: string, request: Claim): Promise<IdemRecord | undefined> {
    return this.#set(keys.idem(shard, hash), `${storedRecord(request)}0`);
  }

  async #set(key: string, text: string): Promise<IdemRecord | undefined> {
    const before = await this.#redis.set(key, text, 'EX', this.#ttl, 'NX', 'GET');
    return before === null ? undefined : parse(before, key);
  }

  /** All jobs of a batch are on their queues. The record lives on as long as it would have. */
  async markQueued(shard: Shard, hash: string, request: Known): Promise<void> {
    await this.#redis.set(keys.idem(shard, hash), startOf('Q', request), 'KEEPTTL', 'XX');
  }

  /** A group command reached every subscriber. */
  async markStored(shard: Shard, hash: string, request: Known): Promise<void> {
    await this.#redis.set(keys.idem(shard, hash), `${storedRecord(request)}0`, 'KEEPTTL', 'XX');
  }

  async read(shard: Shard, hash: string): Promise<IdemRecord | undefined> {
    const key = keys.idem(shard, hash);
    const text = await this.#redis.get(key);
    return text === null ? undefined : parse(text, key);
  }
}
