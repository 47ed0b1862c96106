import { CHANNEL_TYPE_PERSONAL, channelName, type MessageObject, SYSTEM_UID } from '@ruyi/contracts';
import { keys } from '../keys.ts';
import type { LogName } from '../logs/logs.ts';
import { shardOf } from '../shards.ts';
import type { ExportOptions } from './exportEverything.ts';
import { linesOfKey, newContext } from './exportKeys.ts';
import { framed, type Unreadable } from './frame.ts';
import type { Line, ThingLine } from './lines.ts';

const AT_ONCE = 500;

/**
 * One channel: its messages as a reader gets them, its last seq, info and subscribers. A copy of a broadcast becomes a
 * message of its own, because the other recipients are not exported; in one log no broadcast comes twice.
 * @throws CorruptError if its log is damaged
 */
export async function* exportChannel(options: ExportOptions, name: LogName): AsyncGenerator<Line> {
  const channel = channelName(name.channel_type, name.channel_id, name.login_uid);
  yield* framed(options, channel, async function* (unreadable) {
    yield* messages(options, name, channel);
    const seq = await options.store.logs.maxSeq(name);
    if (seq > 0) yield { kind: 'seq', channel, seq };
    if (name.channel_type !== CHANNEL_TYPE_PERSONAL) yield* infoAndSubscribers(options, channel, unreadable);
  });
}

async function* messages({ store, signal }: ExportOptions, name: LogName, channel: string): AsyncGenerator<ThingLine> {
  for (let start = 1, more = true; more; ) {
    signal.throwIfAborted();
    const page = await store.logs.read(name, { start, end: 0, limit: AT_ONCE, pullMode: 1 });
    for (const message of page.messages) yield messageLine(channel, message);
    start = (page.messages.at(-1)?.message_seq ?? start) + 1;
    more = page.more === 1 && page.messages.length > 0;
  }
}

const messageLine = (channel: string, message: MessageObject): ThingLine => ({
  kind: 'message',
  channel,
  seq: message.message_seq,
  message_id: message.message_id,
  timestamp: message.timestamp,
  from_uid: message.from_uid || SYSTEM_UID,
  client_msg_no: message.client_msg_no,
  payload: message.payload,
  ...(message.header.red_dot ? { red_dot: 1 } : {}),
  ...(message.setting ? { setting: message.setting } : {}),
  ...(message.expire ? { expire: message.expire } : {}),
  ...(message.topic ? { topic: message.topic } : {}),
  ...(message.stream_no ? { stream_no: message.stream_no } : {}),
});

async function* infoAndSubscribers(
  { redis, store }: ExportOptions,
  channel: string,
  unreadable: Unreadable,
): AsyncGenerator<ThingLine> {
  const context = await newContext(redis, store, unreadable);
  const info = keys.channel(shardOf(channel, store.layout.shards), channel);
  const subscribers = store.layout.shards.tags.map((shard) => keys.subscribers(shard, channel));
  for (const key of [info, ...subscribers]) {
    for await (const page of linesOfKey(context, key) ?? []) yield* page;
  }
}
