import { eachLimited, inSlices } from '@ruyi/flow';
import { execute, loadScript, type RedisClient } from '@ruyi/redis';
import { deleteIfEqual } from '../deleteIfEqual.ts';
import { keys } from '../keys.ts';
import type { Shards } from '../shardTags.ts';
import { withoutRepeats } from './withoutRepeats.ts';

const mergeStaged = loadScript(import.meta.url, 'merge-staged');
const commitPart = loadScript(import.meta.url, 'commit-part');
const holdUpload = loadScript(import.meta.url, 'hold-upload');

/** An upload that does nothing for this long has lost its part to whoever asks next. */
const HOLD_MS = 3000;
/** What an upload that died has staged goes by itself after this time. */
const STAGED_SECONDS = 3600;
/** Staged lists that belong to a broadcast wait for its start at most, which an open broadcast reaches within 7 days. */
const COMMITTED_SECONDS = 30 * 86_400;
const SHARDS_IN_FLIGHT = 8;
const NEWLINE = 0x0a;

/** What is kept of an uploaded part. */
export interface PartRecord {
  /** of its bytes */
  digest: string;
  accepted: number;
  duplicates: number;
  invalid: number;
}

/** Names a part that is being uploaded. */
export interface Upload {
  no: string;
  part: number;
  /** unique for ever */
  token: string;
}

/**
 * The recipients of broadcasts: a packed string for each shard, a newline behind each uid. A part is staged beside it
 * while it is uploaded, committed in one step, then merged shard by shard. Merging moves what is staged in one step, so
 * whoever comes next can finish it.
 */
export class RecipientLists {
  readonly #redis: RedisClient;
  readonly #shards: Shards;

  constructor(redis: RedisClient, shards: Shards) {
    this.#redis = redis;
    this.#shards = shards;
  }

  /** Takes the part for this upload, or keeps it. @returns false if another upload has it */
  async hold({ no, part, token }: Upload): Promise<boolean> {
    return Number(await holdUpload(this.#redis, [keys.upload(no, part)], [token, HOLD_MS])) === 1;
  }

  /** Gives the part back. */
  async release({ no, part, token }: Upload): Promise<void> {
    // Another upload may have taken it meanwhile.
    await deleteIfEqual(this.#redis, [keys.upload(no, part)], [token]);
  }

  async partRecord(no: string, part: number): Promise<PartRecord | undefined> {
    const text = await this.#redis.hget(keys.parts(no), String(part));
    if (text === null) return undefined;
    const [digest = '', accepted = 0, duplicates = 0, invalid = 0] = text.split(':');
    return {
      digest,
      accepted: Number(accepted),
      duplicates: Number(duplicates),
      invalid: Number(invalid),
    };
  }

  /** Adds uids to what an upload has staged. @param packed a newline behind each @returns the bytes that are staged now */
  async stage(shard: number, { no, token }: Upload, packed: Buffer | string): Promise<number> {
    const key = this.#staged(shard, no, token);
    const [length] = await execute(this.#redis.multi().append(key, packed).expire(key, STAGED_SECONDS));
    return Number(length);
  }

  /**
   * Drops repeats from what is staged in a shard, and makes it last.
   * @param bytes that must be staged
   * @returns how many repeats there were; undefined if something of it is missing
   */
  async settleStaged(shard: number, { no, token }: Upload, bytes: number): Promise<number | undefined> {
    const key = this.#staged(shard, no, token);
    const staged = await this.#redis.getBuffer(key);
    if (staged === null || staged.length !== bytes) return undefined;
    const { packed, repeats } = await inSlices(staged.length, withoutRepeats(staged));
    if (repeats > 0) await this.#redis.set(key, packed, 'EX', COMMITTED_SECONDS);
    else if ((await this.#redis.expire(key, COMMITTED_SECONDS)) === 0) return undefined;
    return repeats;
  }

  /** Stages all that a part has in a shard, without repeats, and makes it last. @returns how many repeats there were */
  async stageWhole(shard: number, { no, token }: Upload, all: Buffer): Promise<number> {
    const { packed, repeats } = await inSlices(all.length, withoutRepeats(all));
    await this.#redis.set(this.#staged(shard, no, token), packed, 'EX', COMMITTED_SECONDS);
    return repeats;
  }

  /**
   * Removes what an upload has staged. Not if its part was committed after all, and only the answer was lost: then it belongs
   * to the broadcast, and whoever merges it needs it.
   */
  async dropStaged(shards: Iterable<number>, { no, part, token }: Upload): Promise<void> {
    if ((await this.#redis.hget(keys.merging(no), String(part))) === token) return;
    await eachLimited(shards, SHARDS_IN_FLIGHT, async (shard) => {
      await this.#redis.del(this.#staged(shard, no, token));
    });
  }

  /**
   * Makes the part belong to the broadcast. @returns 'ok'; 'lost' if the upload does not have the part any more; 'gone' if
   * there is no such broadcast; else the state, if that is not open
   */
  async commit({ no, part, token }: Upload, { digest, accepted, duplicates, invalid }: PartRecord): Promise<string> {
    const callKeys = [keys.about(no), keys.parts(no), keys.merging(no), keys.upload(no, part)];
    const record = `${digest}:${accepted}:${duplicates}:${invalid}`;
    return String(await commitPart(this.#redis, callKeys, [token, part, record, accepted, duplicates, invalid]));
  }

  /** Merges a committed part into the lists of the broadcast. */
  async merge({ no, part, token }: Upload, shards: Iterable<number> = this.#all()): Promise<void> {
    await eachLimited(shards, SHARDS_IN_FLIGHT, async (shard) => {
      await mergeStaged(this.#redis, [this.#list(shard, no), this.#staged(shard, no, token)]);
    });
    await this.#redis.hdel(keys.merging(no), String(part));
  }

  /** The same for a part whose upload may have died before it had merged it. */
  async mergePart(no: string, part: number): Promise<void> {
    const token = await this.#redis.hget(keys.merging(no), String(part));
    if (token !== null) await this.merge({ no, part, token });
  }

  /** Merges the committed parts whose uploads died before they had merged them. */
  async mergeAll(no: string): Promise<void> {
    for (const [part, token] of Object.entries(await this.#redis.hgetall(keys.merging(no)))) {
      await this.merge({ no, part: Number(part), token });
    }
  }

  /** The keys that its recipients lie in. */
  listKeys(no: string): string[] {
    return this.#all().map((shard) => this.#list(shard, no));
  }

  /** Adds recipients of a shard that were not uploaded: an audience. */
  async append(shard: number, no: string, packed: string): Promise<void> {
    await this.#redis.append(this.#list(shard, no), packed);
  }

  /**
   * Leaves each recipient of a shard once. Memory for one shard is all that it needs. A list that was removed meanwhile stays so.
   * @returns how many they are
   */
  async settle(shard: number, no: string): Promise<number> {
    const key = this.#list(shard, no);
    const list = await this.#redis.getBuffer(key);
    if (list === null) return 0;
    const { packed, count, repeats } = await inSlices(list.length, withoutRepeats(list));
    if (repeats > 0) await this.#redis.set(key, packed, 'XX');
    return count;
  }

  /** @returns as many uids from a byte on as were asked for, and the bytes that they take */
  async read(shard: number, no: string, offset: number, count: number): Promise<{ uids: string[]; length: number }> {
    const key = this.#list(shard, no);
    let window = 32 * count;
    for (;;) {
      const bytes = await this.#redis.getrangeBuffer(key, offset, offset + window - 1);
      const end = endOf(bytes, count);
      if (end > 0) return { uids: bytes.toString('utf8', 0, end - 1).split('\n'), length: end };
      if (bytes.length < window) throw new Error(`recipients of broadcast ${no} are missing in shard ${shard}`);
      window *= 4;
    }
  }

  /** @returns the uids in these bytes of a list */
  async readExactly(shard: number, no: string, offset: number, length: number): Promise<string> {
    const bytes = await this.#redis.getrangeBuffer(this.#list(shard, no), offset, offset + length - 2);
    return bytes.toString('utf8');
  }

  /** @param signal once it is aborted nothing more is removed */
  async remove(no: string, signal?: AbortSignal): Promise<void> {
    const merging = Object.values(await this.#redis.hgetall(keys.merging(no)));
    await eachLimited(this.#all(), SHARDS_IN_FLIGHT, async (shard) => {
      signal?.throwIfAborted();
      await this.#redis.del(this.#list(shard, no), ...merging.map((token) => this.#staged(shard, no, token)));
    });
  }

  #list(shard: number, no: string): string {
    return keys.recipients(this.#shards.tags[shard] ?? '', no);
  }

  #staged(shard: number, no: string, token: string): string {
    return keys.staged(this.#shards.tags[shard] ?? '', no, token);
  }

  #all(): number[] {
    return Array.from({ length: this.#shards.count }, (_, shard) => shard);
  }
}

/** The byte behind the newline of the `count`th uid; 0 if there are fewer. */
function endOf(bytes: Buffer, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) return 0;
    at = newline + 1;
  }
  return at;
}
