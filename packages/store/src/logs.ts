import { CHANNEL_TYPE_PERSONAL, channelName, type MessageBody, type MessageObject } from '@ruyi/contracts';
import type { Redis } from 'ioredis';
import { Bodies, execute } from './bodies.ts';
import { isDamage } from './damage.ts';
import { decodeEntry, isExpired, logChannelId, toMessage } from './entries.ts';
import { keys } from './keys.ts';
import { shardOf } from './shards.ts';

/** An answer stops early after so much payload, never before one message (§1). */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const PAGE = 128;
const SEARCHED_BY_ID = 10_000;

/** A channel as a request names it. */
export interface LogName {
  channel_id: string;
  channel_type: number;
  login_uid?: string | undefined;
}

export interface LogRange {
  /** inclusive; 0 is open */
  start: number;
  /** exclusive; 0 is open */
  end: number;
  limit: number;
  /** 1 towards newer messages, 0 towards older ones */
  pullMode: 0 | 1;
}

export const logName = ({ channel_id, channel_type, login_uid }: LogName): string =>
  channelName(channel_type, channel_id, login_uid);

/** Reads of channel logs. */
export class Logs {
  readonly #redis: Redis;
  readonly #bodies: Bodies;
  readonly #shards: number;

  constructor(redis: Redis, bodies: Bodies, shards: number) {
    this.#redis = redis;
    this.#bodies = bodies;
    this.#shards = shards;
  }

  /**
   * POST /channel/messagesync: messages of a range, ascending, and whether another readable one lies beyond them in the
   * pull direction. Expired and trimmed messages are left out before either is decided.
   */
  async read(name: LogName, range: LogRange): Promise<{ more: 0 | 1; messages: MessageObject[] }> {
    const channel = logName(name);
    const key = keys.log(shardOf(channel, this.#shards), channel);
    const upwards = range.pullMode === 1 && (range.start > 0 || range.end > 0);
    // A bound that is open, or exclusive, in the words of ZRANGE.
    const newest = upwards
      ? range.end > 0
        ? `(${range.end}`
        : '+inf'
      : range.start > 0
        ? String(range.start)
        : '+inf';
    const oldest = upwards ? String(range.start) : range.end > 0 ? `(${range.end}` : '-inf';
    const found: MessageObject[] = [];
    let bytes = 0;
    let from = upwards ? oldest : newest;
    for (;;) {
      const count = Math.min(PAGE, range.limit + 1 - found.length);
      const page = upwards
        ? await this.#redis.zrange(key, from, newest, 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
        : await this.#redis.zrange(key, from, oldest, 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES');
      for (const message of await this.#decode(channel, name.channel_type, page)) {
        bytes += message.payload.length;
        if (found.length === range.limit || (found.length > 0 && bytes > MAX_ANSWER_BYTES)) {
          return { more: 1, messages: upwards ? found : found.reverse() };
        }
        found.push(message);
      }
      const last = page.at(-1);
      if (last === undefined || page.length / 2 < count) break;
      from = `(${last}`;
    }
    return { more: 0, messages: upwards ? found : found.reverse() };
  }

  /** GET /channel/max_message_seq: the log's counter, or, where nothing was removed yet, what it holds. */
  async maxSeq(name: LogName): Promise<number> {
    const channel = logName(name);
    const shard = shardOf(channel, this.#shards);
    const atOnce = this.#redis.multi().get(keys.seq(shard, channel)).zcard(keys.log(shard, channel));
    const [counter, held] = await execute(atOnce);
    return Number(counter ?? held);
  }

  /** Messages by seq, in the order given, without those that cannot be read (any more). */
  async bySeqs(channel: string, channelType: number, seqs: number[]): Promise<MessageObject[]> {
    return this.#decode(channel, channelType, await this.#pageAt(channel, seqs));
  }

  /** What is stored at these seqs, for the indexer; without what is gone or expired. */
  async bodiesAt(channel: string, seqs: number[]): Promise<{ seq: number; body: MessageBody }[]> {
    return this.#bodiesOf(await this.#pageAt(channel, seqs));
  }

  async #pageAt(channel: string, seqs: number[]): Promise<string[]> {
    const key = keys.log(shardOf(channel, this.#shards), channel);
    const pipeline = this.#redis.pipeline();
    for (const seq of seqs) pipeline.zrange(key, String(seq), String(seq), 'BYSCORE', 'WITHSCORES');
    return (await execute(pipeline)).flat().map(String);
  }

  /** POST /messages: by seq, id or client_msg_no, united and ascending; the latter two in the newest 10,000 messages. */
  async find(
    name: LogName,
    wanted: { seqs: number[]; ids: number[]; clientMsgNos: string[] },
  ): Promise<MessageObject[]> {
    const channel = logName(name);
    const found = new Map<number, MessageObject>();
    let bytes = 0;
    const isFull = () => bytes > MAX_ANSWER_BYTES && found.size > 0;
    const seqs = [...new Set(wanted.seqs)].sort((a, b) => a - b);
    for (let i = 0; i < seqs.length && !isFull(); i += PAGE) {
      for (const message of await this.bySeqs(channel, name.channel_type, seqs.slice(i, i + PAGE))) {
        bytes += message.payload.length;
        if (isFull()) break;
        found.set(message.message_seq, message);
      }
    }
    const ids = new Set(wanted.ids);
    const numbers = new Set(wanted.clientMsgNos.filter((no) => no !== ''));
    const key = keys.log(shardOf(channel, this.#shards), channel);
    for (let from = '+inf', seen = 0; ids.size + numbers.size > 0 && seen < SEARCHED_BY_ID && !isFull(); seen += PAGE) {
      const page = await this.#redis.zrange(key, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, PAGE, 'WITHSCORES');
      for (const message of await this.#decode(channel, name.channel_type, page)) {
        if (!ids.has(message.message_id) && !numbers.has(message.client_msg_no)) continue;
        ids.delete(message.message_id);
        if (found.has(message.message_seq)) continue;
        bytes += message.payload.length;
        if (isFull()) break;
        found.set(message.message_seq, message);
      }
      if (page.length < 2 * PAGE) break;
      from = `(${page.at(-1)}`;
    }
    return [...found.values()].sort((a, b) => a.message_seq - b.message_seq);
  }

  /**
   * The seqs that these recipients of a broadcast have it at, 0 if it is gone or the log is damaged; `from` and uids name
   * the logs.
   */
  async seqsOfReferences(refs: { ref: string; at: number; from: string; uid: string }[]): Promise<number[]> {
    const pipeline = this.#redis.pipeline();
    for (const { ref, at, from, uid } of refs) {
      const channel = channelName(CHANNEL_TYPE_PERSONAL, uid, from);
      pipeline.zscore(keys.log(shardOf(channel, this.#shards), channel), `${ref}.${at}`);
    }
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, score]) => {
      if (error && !isDamage(error)) throw error;
      return error ? 0 : Number(score ?? 0);
    });
  }

  /** Readable messages of a page `entry, seq, entry, seq, …`, in its order. */
  async #decode(channel: string, channelType: number, page: string[]): Promise<MessageObject[]> {
    return (await this.#bodiesOf(page)).map(({ seq, body }) => {
      const channelId = logChannelId(channel, channelType, body.from);
      return toMessage(body, { seq, channelId, channelType, command: false });
    });
  }

  async #bodiesOf(page: string[]): Promise<{ seq: number; body: MessageBody }[]> {
    const now = Math.floor(Date.now() / 1000);
    const entries: { seq: number; entry: ReturnType<typeof decodeEntry> }[] = [];
    for (let i = 0; i + 1 < page.length; i += 2) {
      entries.push({ entry: decodeEntry(page[i] ?? ''), seq: Number(page[i + 1]) });
    }
    const refs = entries.flatMap(({ entry }) => (entry.kind === 'reference' ? [entry.ref] : []));
    const bodies = await this.#bodies.read(refs);
    return entries.flatMap(({ entry, seq }) => {
      const broadcast = entry.kind === 'reference' ? bodies.get(entry.ref) : undefined;
      const body = entry.kind === 'inline' ? entry.body : broadcast && Bodies.bodyAt(broadcast, entry.at);
      return body && !isExpired(body, now) ? [{ seq, body }] : [];
    });
  }
}
