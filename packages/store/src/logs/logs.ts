import {
  CHANNEL_TYPE_PERSONAL,
  channelName,
  MAX_SEQ,
  type MessageBody,
  type MessageObject,
  parseChannelName,
} from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { execute, type RedisClient } from '@ruyi/redis';
import type { Bodies } from '../broadcasts/bodies.ts';
import { DamagedError, isDamage, readable } from '../damage.ts';
import { firstIdOf, logChannelId, referenceIn, toMessage } from '../entries.ts';
import { keys } from '../keys.ts';
import { shardOf } from '../shards.ts';
import type { Shards } from '../shardTags.ts';
import type { Trimmer } from '../trimming/trimmer.ts';
import { LogReader, type ReadMessage } from './logReader.ts';
import type { RawEntry } from './readPage.ts';

/** An answer ends early after this much payload, but never before its first message (docs/api.md §1). */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** A search by id or client_msg_no ends after this many messages, or after reading this much payload. */
const SOUGHT = { messages: 10_000, bytes: 64 * 1024 * 1024 };

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

const logName = ({ channel_id, channel_type, login_uid }: LogName): string =>
  channelName(channel_type, channel_id, login_uid);

/** Reads channel logs. Damage is a CorruptError that names the channel. */
export class Logs {
  readonly #redis: RedisClient;
  readonly #reader: LogReader;
  readonly #shards: Shards;

  constructor(redis: RedisClient, bodies: Bodies, trimmer: Trimmer, shards: Shards) {
    this.#redis = redis;
    this.#reader = new LogReader(redis, bodies, trimmer, shards);
    this.#shards = shards;
  }

  /**
   * POST /channel/messagesync: messages of a range, ascending, and whether another readable one lies beyond them in the
   * pull direction. Expired and trimmed messages are left out before either is decided.
   */
  async read(name: LogName, range: LogRange): Promise<{ more: 0 | 1; messages: MessageObject[] }> {
    const channel = logName(name);
    const { stretch, upwards } = stretchOf(range);
    return readable(`channel ${channel}`, async () => {
      const found: MessageObject[] = [];
      const inOrder = () => (upwards ? found : found.reverse());
      let bytes = 0;
      for await (const message of this.#reader.messages(channel, stretch)) {
        bytes += message.body.payload.length;
        if (found.length === range.limit || (found.length > 0 && bytes > MAX_ANSWER_BYTES)) {
          return { more: 1, messages: inOrder() };
        }
        found.push(messageIn(channel, name.channel_type, message));
      }
      return { more: 0, messages: inOrder() };
    });
  }

  /** GET /channel/max_message_seq: the log's counter, or, if nothing was removed yet, the number of its entries. */
  async maxSeq(name: LogName): Promise<number> {
    const channel = logName(name);
    const shard = shardOf(channel, this.#shards);
    return readable(`channel ${channel}`, async () => {
      const atOnce = this.#redis.multi().get(keys.seq(shard, channel)).zcard(keys.log(shard, channel));
      const [counter, held] = await execute(atOnce);
      const seq = Number(counter ?? held);
      if (!Number.isInteger(seq) || seq < 0 || seq > MAX_SEQ) throw new DamagedError('its last message_seq is none');
      return seq;
    });
  }

  /** Messages by seq, in the order given, without those that cannot be read (any more). */
  async bySeqs(channel: string, seqs: number[]): Promise<MessageObject[]> {
    const { channelType } = parseChannelName(channel);
    const messages = await this.#allAt(channel, seqs);
    return messages.map((message) => messageIn(channel, channelType, message));
  }

  /** What is stored at these seqs, for the indexer; without what is gone or expired. */
  async bodiesAt(channel: string, seqs: number[]): Promise<{ seq: number; body: MessageBody }[]> {
    return this.#allAt(channel, seqs);
  }

  async #allAt(channel: string, seqs: number[]): Promise<ReadMessage[]> {
    return readable(`channel ${channel}`, async () => {
      const messages: ReadMessage[] = [];
      for await (const message of this.#reader.at(channel, seqs)) messages.push(message);
      return messages;
    });
  }

  /**
   * POST /messages: by seq, id or client_msg_no, united and ascending; the latter two in the newest 10,000 messages, or
   * fewer if those have more than 64 MiB of payload to be looked at.
   */
  async find(
    name: LogName,
    wanted: { seqs: number[]; ids: number[]; clientMsgNos: string[] },
  ): Promise<MessageObject[]> {
    const channel = logName(name);
    const found = new Map<number, MessageObject>();
    let bytes = 0;
    /** false if the answer is full */
    const keep = (message: ReadMessage): boolean => {
      if (found.has(message.seq)) return true;
      bytes += message.body.payload.length;
      if (bytes > MAX_ANSWER_BYTES && found.size > 0) return false;
      found.set(message.seq, messageIn(channel, name.channel_type, message));
      return true;
    };
    const ascending = () => [...found.values()].sort((a, b) => a.message_seq - b.message_seq);
    return readable(`channel ${channel}`, async () => {
      const seqs = [...new Set(wanted.seqs)].sort((a, b) => a - b);
      for await (const message of this.#reader.at(channel, seqs)) if (!keep(message)) return ascending();
      for await (const message of this.#seek(channel, wanted)) if (!keep(message)) return ascending();
      return ascending();
    });
  }

  /** Those of the newest messages that have one of the ids or client numbers. */
  async *#seek(channel: string, wanted: { ids: number[]; clientMsgNos: string[] }): AsyncGenerator<ReadMessage> {
    const ids = new Set(wanted.ids);
    const numbers = new Set(wanted.clientMsgNos.filter((no) => no !== ''));
    if (ids.size + numbers.size === 0) return;
    const stretch = { from: '+inf', to: '-inf', direction: 'down', most: SOUGHT.messages } as const;
    // An entry holds its id. The client number of a broadcast is in its body.
    const mayMatch = numbers.size > 0 ? undefined : (entry: RawEntry) => ids.has(idOf(entry));
    let bytes = 0;
    for await (const message of this.#reader.messages(channel, stretch, mayMatch)) {
      bytes += message.body.payload.length;
      if (ids.delete(message.body.id) || numbers.has(message.body.no)) yield message;
      if (bytes > SOUGHT.bytes || ids.size + numbers.size === 0) return;
    }
  }

  /**
   * The seqs that these recipients of a broadcast have it at, 0 if it is gone or the log is damaged; `from` and uids name
   * the logs.
   */
  async seqsOfReferences(refs: { ref: string; position: number; from: string; uid: string }[]): Promise<number[]> {
    const placed = refs.map(({ ref, position, from, uid }, i) => {
      const channel = channelName(CHANNEL_TYPE_PERSONAL, uid, from);
      return { i, shard: shardOf(channel, this.#shards), channel, member: `${ref}.${position}` };
    });
    const seqs: number[] = refs.map(() => 0);
    // One pipeline per shard: in a cluster a pipeline goes to one master.
    await Promise.all(
      [...groupBy(placed, ({ shard }) => shard)].map(async ([shard, ofShard]) => {
        const pipeline = this.#redis.pipeline();
        for (const { channel, member } of ofShard) pipeline.zscore(keys.log(shard, channel), member);
        const replies = (await pipeline.exec()) ?? [];
        replies.forEach(([error, score], n) => {
          if (error && !isDamage(error)) throw error;
          const { i = 0 } = ofShard[n] ?? {};
          if (!error) seqs[i] = Number(score ?? 0);
        });
      }),
    );
    return seqs;
  }
}

/** The part of a log that a request names. */
function stretchOf({ start, end, limit, pullMode }: LogRange) {
  const upwards = pullMode === 1 && (start > 0 || end > 0);
  const newest = start > 0 ? String(start) : '+inf';
  const stretch = upwards
    ? ({ from: String(start), to: end > 0 ? `(${end}` : '+inf', direction: 'up' } as const)
    : ({ from: newest, to: end > 0 ? `(${end}` : '-inf', direction: 'down' } as const);
  return { stretch: { ...stretch, most: Infinity, page: limit + 1 }, upwards };
}

function messageIn(channel: string, channelType: number, { seq, body }: ReadMessage): MessageObject {
  return toMessage(body, {
    seq,
    channelId: logChannelId(channel, channelType, body.from),
    channelType,
    command: false,
  });
}

/** The message_id of an entry, without parsing it. */
function idOf({ text }: RawEntry): number {
  const reference = referenceIn(text);
  return reference ? firstIdOf(reference.ref) + reference.position : Number(text.slice(1, text.indexOf(',')));
}
