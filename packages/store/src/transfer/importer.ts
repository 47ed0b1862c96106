import { parseChannelName } from '@ruyi/contracts';
import { groupBy, together } from '@ruyi/flow';
import { execute, loadScript, type RedisClient } from '@ruyi/redis';
import { CALL_SIZE } from '../append/appendContext.ts';
import { encodeEntry, firstIdOf } from '../entries.ts';
import { keys } from '../keys.ts';
import { shardOf } from '../shards.ts';
import type { Shards } from '../shardTags.ts';
import type { Store } from '../store.ts';
import { finishImport } from './beginImport.ts';
import { bodyOf, type ThingLine } from './lines.ts';

const importLog = loadScript(import.meta.url, 'import-log');
const importInbox = loadScript(import.meta.url, 'import-inbox');

type LineOf<Kind extends ThingLine['kind']> = Extract<ThingLine, { kind: Kind }>;
type LogLine = LineOf<'message' | 'entry'>;
type InboxLine = LineOf<'command' | 'command_entry'>;
type Call = () => Promise<unknown>;

/** Stores the lines of an export. Every line may be stored again: nothing is doubled, and nothing newer is lost. */
export class Importer {
  readonly #redis: RedisClient;
  readonly #store: Store;
  readonly #shards: Shards;
  /** of the installation that was exported */
  readonly #formerShards: number;
  /** seconds of Redis' clock when the import began */
  readonly #now: number;
  /** greater than every message id so far */
  #nextId = 0;
  /** idempotency records that were left out, because this installation has another number of shards */
  leftOut = 0;

  constructor(redis: RedisClient, store: Store, { formerShards, now }: { formerShards: number; now: number }) {
    this.#redis = redis;
    this.#store = store;
    this.#shards = store.layout.shards;
    this.#formerShards = formerShards;
    this.#now = now;
  }

  /** Stores some lines; call it again only when it has resolved. The caller bounds how many and how large they are. */
  async store(lines: ThingLine[]): Promise<void> {
    const calls: { place: object | string; call: Call }[] = [];
    for (let i = 0; i < lines.length; ) {
      const run = runAt(lines, i);
      const [first] = run;
      if (first === undefined) break;
      calls.push({ place: isOrdered(first) ? first.uid : first, call: this.#callFor(first, run) });
      i += run.length;
    }
    const inTurn = async (some: typeof calls) => {
      for (const { call } of some) await call();
    };
    await together(...[...groupBy(calls, ({ place }) => place).values()].map(inTurn));
  }

  /** Ends the import. @param nextId greater than every id that the other installation gave */
  async finish(nextId: number): Promise<void> {
    await finishImport(this.#redis, this.#store, Math.max(this.#nextId, nextId));
  }

  #callFor(first: ThingLine, run: ThingLine[]): Call {
    if (isLogLine(first)) return this.#toLog(first.channel, run.filter(isLogLine));
    if (isInboxLine(first)) return this.#toInbox(first.uid, first.seq, run.filter(isInboxLine));
    return this.#one(first);
  }

  #toLog(channel: string, lines: LogLine[]): Call {
    const shard = shardOf(channel, this.#shards);
    const args = lines.flatMap((line) => [line.seq, this.#entryOf(line)]);
    return () => importLog(this.#redis, [keys.seq(shard, channel), keys.log(shard, channel)], [0, ...args]);
  }

  #toInbox(uid: string, first: number, lines: InboxLine[]): Call {
    const shard = shardOf(uid, this.#shards);
    const args = lines.map((line) => this.#entryOf(line));
    return () => importInbox(this.#redis, [keys.inboxSeq(shard, uid), keys.inbox(shard, uid)], [first, ...args]);
  }

  #entryOf(line: LogLine | InboxLine): string {
    if (line.kind === 'entry' || line.kind === 'command_entry') return `${line.body}.${line.position}`;
    this.#noteId(line.message_id);
    return encodeEntry(bodyOf(line), line.kind === 'command' ? line.to : undefined);
  }

  #noteId(id: number): void {
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  #one(line: Exclude<ThingLine, LogLine | InboxLine>): Call {
    const redis = this.#redis;
    switch (line.kind) {
      case 'seq': {
        const shard = shardOf(line.channel, this.#shards);
        return () => importLog(redis, [keys.seq(shard, line.channel), keys.log(shard, line.channel)], [line.seq]);
      }
      case 'inbox_seq':
        return this.#toInbox(line.uid, line.seq + 1, []);
      case 'cursor':
        return () => redis.set(keys.cursor(shardOf(line.uid, this.#shards), line.uid), line.seq);
      case 'channel':
        return () => redis.hset(keys.channel(shardOf(line.channel, this.#shards), line.channel), line.info);
      case 'subscribers': {
        const { channelType, channelId } = parseChannelName(line.channel);
        return () => this.#store.channels.addSubscribers(channelType, channelId, line.uids);
      }
      case 'user': {
        const shard = shardOf(line.uid, this.#shards);
        const both = redis.multi().hset(keys.user(shard, line.uid), line.devices).sadd(keys.users(shard), line.uid);
        return () => execute(both);
      }
      case 'body':
        return this.#body(line);
      case 'progress':
        return this.#progress(line);
      case 'idempotency':
        return this.#idempotency(line);
    }
  }

  #body(line: LineOf<'body'>): Call {
    const { ref, shared, payload, recipients, gone, late, expires_at } = line;
    this.#noteId(firstIdOf(ref) + recipients);
    if (this.#isOver(expires_at)) return nothing;
    const all = this.#redis.multi().hset(keys.body(ref), { m: JSON.stringify(shared), p: payload, n: recipients });
    for (const [key, bitmap] of [
      [keys.gone(ref), gone],
      [keys.late(ref), late],
    ] as const) {
      if (bitmap !== undefined) all.set(key, Buffer.from(bitmap, 'base64'));
    }
    if (expires_at !== undefined) for (const key of [keys.body(ref), keys.late(ref)]) all.pexpireat(key, expires_at);
    return () => execute(all);
  }

  #progress({ ref, fields, expires_at }: LineOf<'progress'>): Call {
    if (this.#isOver(expires_at)) return nothing;
    // A rebuild leaves out what was stored after it began. The clock of this Redis may be behind that of the other one.
    const known = Object.entries(fields).map(([field, value]) => {
      const [size, seconds] = value.split(':');
      return [field, /^s\d/.test(field) ? `${size}:${Math.min(Number(seconds), this.#now)}` : value];
    });
    const all = this.#redis.multi().hset(keys.progress(ref), Object.fromEntries(known));
    if (expires_at !== undefined) all.pexpireat(keys.progress(ref), expires_at);
    return () => execute(all);
  }

  #idempotency({ shard, hash, record, expires_at }: LineOf<'idempotency'>): Call {
    // Its shard follows from the channel or user, of which only a hash is kept. The same number may have another tag here.
    const tag = this.#shards.count === this.#formerShards ? this.#shards.tags[shard] : undefined;
    if (tag === undefined) {
      this.leftOut++;
      return nothing;
    }
    if (this.#isOver(expires_at)) return nothing;
    return () => this.#redis.set(keys.idem(tag, hash), record, 'PXAT', expires_at);
  }

  #isOver = (expiresAt: number | undefined): boolean => expiresAt !== undefined && expiresAt <= this.#now * 1000;
}

const nothing: Call = async () => {};
const isLogLine = (line: ThingLine): line is LogLine => line.kind === 'message' || line.kind === 'entry';
const isInboxLine = (line: ThingLine): line is InboxLine => line.kind === 'command' || line.kind === 'command_entry';

/** An inbox drops what is before a gap, and a cluster that sends calls on to another node may change their order. */
const isOrdered = (line: ThingLine): line is InboxLine | LineOf<'inbox_seq'> =>
  isInboxLine(line) || line.kind === 'inbox_seq';

/** The lines from `start` on that one call can store: those of one log, or of one inbox without a gap; of others one. */
function runAt(lines: ThingLine[], start: number): ThingLine[] {
  let end = start + 1;
  while (end < lines.length && end < start + CALL_SIZE && belongsTo(lines[end], lines[end - 1])) end++;
  return lines.slice(start, end);
}

function belongsTo(line: ThingLine | undefined, before: ThingLine | undefined): boolean {
  if (!line || !before) return false;
  if (isLogLine(line)) return isLogLine(before) && line.channel === before.channel;
  return isInboxLine(line) && isInboxLine(before) && line.uid === before.uid && line.seq === before.seq + 1;
}
