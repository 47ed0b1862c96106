import { execute, type RedisClient } from '@ruyi/redis';
import { DamagedError, isDamage } from '../damage.ts';
import { decodeEntry, type Entry, parseJson } from '../entries.ts';
import { keys, parseBroadcastKey, parseShardKey } from '../keys.ts';
import type { Shard } from '../shardTags.ts';
import type { Store } from '../store.ts';
import { EMPTY_COMMAND } from '../sweep/sweepInboxes.ts';
import type { Unreadable } from './frame.ts';
import { saidOf, type ThingLine } from './lines.ts';

const SUBSCRIBERS_AT_ONCE = 500;
const FIELDS_AT_ONCE = 500;

/** Pages of the lines of one key. */
type Pages = AsyncGenerator<ThingLine[]>;

interface Context {
  redis: RedisClient;
  store: Store;
  /** the number of each shard */
  numbers: Map<Shard, number>;
  /** milliseconds by Redis' clock */
  now(): number;
  unreadable: Unreadable;
}

export async function newContext(redis: RedisClient, store: Store, unreadable: Unreadable): Promise<Context> {
  const [began, start] = [(await store.clock()) * 1000, performance.now()];
  const numbers = new Map(store.layout.shards.tags.map((tag, n) => [tag, n]));
  return { redis, store, numbers, now: () => Math.round(began + performance.now() - start), unreadable };
}

/** Reads a key into lines. @returns undefined for a key whose lines another one has, and for one that is not exported */
export function linesOfKey(context: Context, key: string): Pages | undefined {
  const ofBroadcast = parseBroadcastKey(key);
  if (ofBroadcast !== undefined) return OF_BROADCASTS[ofBroadcast.part]?.(context, ofBroadcast.ref);
  const { shard = '', kind = '', name } = parseShardKey(key) ?? {};
  return context.numbers.has(shard) && name !== undefined ? OF_SHARDS[kind]?.(context, shard, name) : undefined;
}

const OF_SHARDS: Record<string, (context: Context, shard: Shard, name: string) => Pages> = {
  seq: lastSeqOfLog,
  in: inbox,
  inseq: emptiedInbox,
  sub: subscribers,
  chan: channelInfo,
  user,
  idem: idempotency,
};
const OF_BROADCASTS: Record<string, (context: Context, ref: string) => Pages> = { body, progress };

async function* lastSeqOfLog({ redis }: Context, shard: Shard, channel: string): Pages {
  const seq = wholeNumber(await redis.get(keys.seq(shard, channel)));
  if (seq > 0) yield [{ kind: 'seq', channel, seq }];
}

async function* inbox({ redis, store, unreadable }: Context, shard: Shard, uid: string): Pages {
  // The cursor first: read later, it could be beyond the last command that is read.
  const cursor = wholeNumber(await redis.get(keys.cursor(shard, uid)));
  for (let after = 0, isEnd = false; !isEnd; ) {
    const page = await store.inboxes.stretch(uid, after);
    // What was acknowledged meanwhile is gone, and with it perhaps everything.
    if (page.texts.length === 0 || page.first <= after) break;
    const lines: ThingLine[] = [];
    for (const [i, text] of page.texts.entries()) {
      const seq = page.first + i;
      try {
        lines.push(inboxLine(uid, seq, decodeEntry(text)));
      } catch (error) {
        if (!isDamage(error)) throw error;
        unreadable(`user ${uid}`, `message_seq ${seq}: ${error.message}`);
        // An inbox has no gaps, so something must keep its place.
        lines.push(inboxLine(uid, seq, decodeEntry(EMPTY_COMMAND)));
      }
    }
    yield lines;
    after = page.first + page.texts.length - 1;
    isEnd = page.isEnd;
  }
  if (cursor > 0) yield [{ kind: 'cursor', uid, seq: cursor }];
}

const inboxLine = (uid: string, seq: number, entry: Entry): ThingLine =>
  entry.kind === 'inline'
    ? { kind: 'command', uid, seq, ...saidOf(entry.body), ...(entry.to === undefined ? {} : { to: entry.to }) }
    : { kind: 'command_entry', uid, seq, body: entry.ref, position: entry.position };

/** The counter of an inbox that holds nothing any more; of every other one the lines of its commands tell the last seq. */
async function* emptiedInbox({ redis }: Context, shard: Shard, uid: string): Pages {
  const [holds, last, acknowledged] = await execute(
    redis.multi().exists(keys.inbox(shard, uid)).get(keys.inboxSeq(shard, uid)).get(keys.cursor(shard, uid)),
  );
  if (holds === 1) return;
  const [seq, cursor] = [wholeNumber(last), wholeNumber(acknowledged)];
  if (seq > 0) yield [{ kind: 'inbox_seq', uid, seq }];
  if (cursor > 0) yield [{ kind: 'cursor', uid, seq: cursor }];
}

async function* subscribers({ store }: Context, shard: Shard, channel: string): Pages {
  for (let after = ''; ; ) {
    const uids = await store.channels.subscribersIn(shard, channel, after, SUBSCRIBERS_AT_ONCE);
    const last = uids.at(-1);
    if (last === undefined) return;
    yield [{ kind: 'subscribers', channel, uids }];
    after = last;
  }
}

async function* channelInfo({ redis }: Context, shard: Shard, channel: string): Pages {
  const info = await redis.hgetall(keys.channel(shard, channel));
  if (Object.keys(info).length > 0) yield [{ kind: 'channel', channel, info }];
}

async function* user({ redis }: Context, shard: Shard, uid: string): Pages {
  const devices = await redis.hgetall(keys.user(shard, uid));
  if (Object.keys(devices).length > 0) yield [{ kind: 'user', uid, devices }];
}

async function* idempotency({ redis, numbers, now }: Context, tag: Shard, hash: string): Pages {
  const key = keys.idem(tag, hash);
  const [record, life] = await execute(redis.multi().get(key).pttl(key));
  const shard = numbers.get(tag);
  if (shard === undefined || typeof record !== 'string' || Number(life) <= 0) return;
  yield [{ kind: 'idempotency', shard, hash, record, expires_at: now() + Number(life) }];
}

async function* body({ redis, now }: Context, ref: string): Pages {
  const key = keys.body(ref);
  const [stored, gone, late, life] = await execute(
    redis.multi().hmget(key, 'm', 'p', 'n').getBuffer(keys.gone(ref)).getBuffer(keys.late(ref)).pttl(key),
  );
  const [meta, payload, recipients] = Array.isArray(stored) ? stored : [];
  if (typeof meta !== 'string' || typeof payload !== 'string') return;
  yield [
    {
      kind: 'body',
      ref,
      shared: objectIn(meta),
      payload,
      recipients: wholeNumber(recipients),
      ...(Buffer.isBuffer(gone) ? { gone: gone.toString('base64') } : {}),
      ...(Buffer.isBuffer(late) ? { late: late.toString('base64') } : {}),
      ...(Number(life) > 0 ? { expires_at: now() + Number(life) } : {}),
    },
  ];
}

async function* progress({ redis, now }: Context, ref: string): Pages {
  const key = keys.progress(ref);
  const life = await redis.pttl(key);
  const expiry = life > 0 ? { expires_at: now() + life } : {};
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(key, cursor, 'COUNT', FIELDS_AT_ONCE);
    cursor = next;
    const fields: Record<string, string> = {};
    for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
    if (flat.length > 0) yield [{ kind: 'progress', ref, fields, ...expiry }];
  } while (cursor !== '0');
}

/** @throws DamagedError */
function wholeNumber(text: unknown): number {
  const number = Number(text ?? 0);
  if (!Number.isSafeInteger(number) || number < 0) throw new DamagedError('it is no whole number');
  return number;
}

/** @throws DamagedError */
function objectIn(text: string): Record<string, unknown> {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DamagedError('it is no object');
  return Object.fromEntries(Object.entries(value));
}
