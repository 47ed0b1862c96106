import type { MessageBody } from '@ruyi/contracts';
import { execute, type RedisClient } from '@ruyi/redis';
import { Bodies } from '../broadcasts/bodies.ts';
import { DamagedError } from '../damage.ts';
import { decodeEntry, isExpired } from '../entries.ts';
import { keys } from '../keys.ts';
import { shardOf } from '../shards.ts';
import type { Shards } from '../shardTags.ts';
import type { Trimmer } from '../trimming/trimmer.ts';
import { entriesOf, type RawEntry, readPage } from './readPage.ts';

/** Bounds of one read, because its answer is in memory whole and parsed in one turn of the event loop. */
const PAGE = { entries: 128, bytes: 1024 * 1024 };
/** Entries whose bodies are read together; each may refer to another one of the largest size. */
const BODIES_AT_ONCE = 16;

/** A message that can be read. */
export interface ReadMessage {
  seq: number;
  body: MessageBody;
}

/** Which part of a log, in the words of ZRANGE: `100`, `(100`, `+inf`. */
export interface Stretch {
  from: string;
  to: string;
  direction: 'up' | 'down';
  /** entries, readable or not */
  most: number;
  /** entries of the first page, if fewer than usual are likely to do */
  page?: number;
}

/** Reads entries of logs in pages that are bounded by bytes, and what they refer to. */
export class LogReader {
  readonly #redis: RedisClient;
  readonly #bodies: Bodies;
  readonly #trimmer: Trimmer;
  readonly #shards: Shards;

  constructor(redis: RedisClient, bodies: Bodies, trimmer: Trimmer, shards: Shards) {
    this.#redis = redis;
    this.#bodies = bodies;
    this.#trimmer = trimmer;
    this.#shards = shards;
  }

  /**
   * The readable messages of a stretch, one after the other; it stops reading when the caller does. Expired messages on the
   * way are dropped from the log, so each of them costs one read instead of one per request.
   * @param wanted leaves entries out before their bodies are read
   * @throws DamagedError naming the message
   */
  async *messages(
    channel: string,
    stretch: Stretch,
    wanted?: (entry: RawEntry) => boolean,
  ): AsyncGenerator<ReadMessage> {
    for await (const { entries, now } of this.#pages(channel, stretch)) {
      const expired: { text: string; expiresAt: number }[] = [];
      try {
        const some = wanted ? entries.filter(wanted) : entries;
        for (let i = 0; i < some.length; i += BODIES_AT_ONCE) {
          yield* await this.#readable(some.slice(i, i + BODIES_AT_ONCE), now, expired);
        }
      } finally {
        if (expired.length > 0) await this.#trimmer.dropExpired(shardOf(channel, this.#shards), channel, expired);
      }
    }
  }

  /** The readable messages at these seqs, in the order given. */
  async *at(channel: string, seqs: number[]): AsyncGenerator<ReadMessage> {
    const key = keys.log(shardOf(channel, this.#shards), channel);
    for (let i = 0; i < seqs.length; i += BODIES_AT_ONCE) {
      const pipeline = this.#redis.pipeline();
      pipeline.time();
      for (const seq of seqs.slice(i, i + BODIES_AT_ONCE)) {
        pipeline.zrange(key, String(seq), String(seq), 'BYSCORE', 'WITHSCORES');
      }
      const [time, ...pages] = await execute(pipeline);
      const [now] = Array.isArray(time) ? time : [];
      yield* await this.#readable(entriesOf(pages.flat()), Number(now), []);
    }
  }

  async *#pages(channel: string, { from, to, direction, most, page: first = PAGE.entries }: Stretch) {
    const key = keys.log(shardOf(channel, this.#shards), channel);
    let start = from;
    let count = Math.min(first, PAGE.entries);
    for (let left = most; left > 0; count = PAGE.entries) {
      const bounds = { from: start, to, direction, entries: Math.min(left, count), bytes: PAGE.bytes };
      const { entries, isEnd, now } = await readPage(this.#redis, key, bounds);
      const last = entries.at(-1);
      if (last) yield { entries, now };
      if (last === undefined || isEnd) return;
      start = `(${last.seq}`;
      left -= entries.length;
    }
  }

  async #readable(
    entries: RawEntry[],
    now: number,
    expired: { text: string; expiresAt: number }[],
  ): Promise<ReadMessage[]> {
    const decoded = entries.map((raw) => ({ raw, entry: decodedOf(raw) }));
    const refs = decoded.flatMap(({ entry }) => (entry.kind === 'reference' ? [entry.ref] : []));
    const bodies = await this.#bodies.read(refs);
    return decoded.flatMap(({ raw: { text, seq }, entry }) => {
      const broadcast = entry.kind === 'reference' ? bodies.get(entry.ref) : undefined;
      const body = entry.kind === 'inline' ? entry.body : broadcast && Bodies.bodyAt(broadcast, entry.position);
      if (body && !isExpired(body, now)) return [{ seq, body }];
      expired.push({ text, expiresAt: body ? body.ts + (body.exp ?? 0) : 0 });
      return [];
    });
  }
}

function decodedOf({ text, seq }: RawEntry) {
  try {
    return decodeEntry(text);
  } catch (error) {
    if (error instanceof DamagedError) throw new DamagedError(`message_seq ${seq}: ${error.message}`);
    throw error;
  }
}
