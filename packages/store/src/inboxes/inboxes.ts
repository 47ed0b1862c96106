import { CHANNEL_TYPE_PERSONAL, type MessageObject, parseChannelName, SYSTEM_UID } from '@ruyi/contracts';
import { loadScript, type RedisClient } from '@ruyi/redis';
import { Bodies, type Broadcast } from '../broadcasts/bodies.ts';
import { readable } from '../damage.ts';
import { decodeEntry, type Entry, isExpired, toMessage } from '../entries.ts';
import { keys } from '../keys.ts';
import { MAX_ANSWER_BYTES } from '../logs/logs.ts';
import { shardOf } from '../shards.ts';
import type { Shards } from '../shardTags.ts';
import type { Trimmer } from '../trimming/trimmer.ts';

const readInbox = loadScript(import.meta.url, 'read-inbox');
const acknowledgeScript = loadScript(import.meta.url, 'acknowledge');

/** Bounds of one read, and how many bodies are read together. */
const PAGE = { commands: 128, bytes: 1024 * 1024 };
const BODIES_AT_ONCE = 16;

/** Command inboxes: reads and acknowledgements. */
export class Inboxes {
  readonly #redis: RedisClient;
  readonly #bodies: Bodies;
  readonly #trimmer: Trimmer;
  readonly #shards: Shards;
  readonly #keep: number;

  constructor(redis: RedisClient, bodies: Bodies, trimmer: Trimmer, settings: { shards: Shards; inboxKeep: number }) {
    this.#redis = redis;
    this.#bodies = bodies;
    this.#trimmer = trimmer;
    this.#shards = settings.shards;
    this.#keep = settings.inboxKeep;
  }

  /** POST /message/sync: commands ascending, after `messageSeq`, or after the cursor if that is 0 or too large. */
  async read(uid: string, messageSeq: number, limit: number): Promise<MessageObject[]> {
    const shard = shardOf(uid, this.#shards);
    const inboxKeys = [keys.cursor(shard, uid), keys.inboxSeq(shard, uid), keys.inbox(shard, uid)];
    return readable(`user ${uid}`, async () => {
      const found: MessageObject[] = [];
      let bytes = 0;
      for (let after = messageSeq; found.length < limit; ) {
        const most = Math.min(PAGE.commands, limit - found.length);
        const reply = await readInbox(this.#redis, inboxKeys, [after, most, PAGE.bytes]);
        const [first, page, isEnd, now] = Array.isArray(reply) ? reply : [];
        if (!Array.isArray(page) || page.length === 0) break;
        const seq = Number(first);
        // Past the end the script starts again at the cursor, so this would repeat commands that were read already.
        if (after > messageSeq && seq !== after + 1) break;
        for (let i = 0; i < page.length; i += BODIES_AT_ONCE) {
          const texts = page.slice(i, i + BODIES_AT_ONCE).map(String);
          for (const message of await this.#decode(uid, { first: seq + i, texts, now: Number(now) })) {
            bytes += message.payload.length;
            if (bytes > MAX_ANSWER_BYTES && found.length > 0) return found;
            found.push(message);
          }
        }
        after = seq + page.length - 1;
        if (isEnd === 1) break;
      }
      return found;
    });
  }

  /** The key that `acknowledge` writes. */
  cursorKey(uid: string): string {
    return keys.cursor(shardOf(uid, this.#shards), uid);
  }

  /**
   * Commands as they are stored, for an export: those after a seq, 0 for the oldest that are left. Past the end, or if others
   * acknowledge meanwhile, it may return commands from before `after`.
   */
  async stretch(uid: string, after: number): Promise<{ first: number; texts: string[]; isEnd: boolean }> {
    const shard = shardOf(uid, this.#shards);
    const inboxKeys = [keys.cursor(shard, uid), keys.inboxSeq(shard, uid), keys.inbox(shard, uid)];
    // To the script 0 means the cursor.
    const reply = await readInbox(this.#redis, inboxKeys, [after || -1, PAGE.commands, PAGE.bytes]);
    const [first, page, isEnd] = Array.isArray(reply) ? reply : [];
    return { first: Number(first), texts: Array.isArray(page) ? page.map(String) : [], isEnd: isEnd === 1 };
  }

  /** POST /message/syncack */
  async acknowledge(uid: string, lastMessageSeq: number): Promise<void> {
    if (lastMessageSeq === 0) return;
    const shard = shardOf(uid, this.#shards);
    const inboxKeys = [keys.cursor(shard, uid), keys.inboxSeq(shard, uid), keys.inbox(shard, uid)];
    await readable(`user ${uid}`, async () => {
      const below = await acknowledgeScript(this.#redis, inboxKeys, [lastMessageSeq, this.#keep]);
      if (typeof below === 'number' && below > 0) await this.#trimmer.dropBelow(shard, uid, below);
    });
  }

  async #decode(
    uid: string,
    { first, texts, now }: { first: number; texts: string[]; now: number },
  ): Promise<MessageObject[]> {
    const entries = texts.map(decodeEntry);
    const bodies = await this.#bodies.read(entries.flatMap((entry) => (entry.kind === 'reference' ? [entry.ref] : [])));
    return entries.flatMap((entry, i) => {
      const broadcast = entry.kind === 'reference' ? bodies.get(entry.ref) : undefined;
      const body = entry.kind === 'inline' ? entry.body : broadcast && Bodies.bodyAt(broadcast, entry.position);
      if (!body || isExpired(body, now)) return [];
      return [toMessage(body, { seq: first + i, command: true, ...channelOf(uid, entry, broadcast) })];
    });
  }
}

/**
 * The channel that a command shows (docs/api.md §1): the peer of a personal one, seen from the inbox's owner; or the
 * group.
 */
function channelOf(uid: string, entry: Entry, broadcast: Broadcast | undefined) {
  if (broadcast?.ch !== undefined) return parseChannelName(broadcast.ch);
  const from = entry.kind === 'inline' ? entry.body.from : (broadcast?.body.from ?? SYSTEM_UID);
  const peer = entry.kind === 'inline' && entry.to !== undefined && uid === from ? entry.to : from;
  return { channelId: peer, channelType: CHANNEL_TYPE_PERSONAL };
}
