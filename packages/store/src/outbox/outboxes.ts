import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';
import type { Shard, Shards } from '../shardTags.ts';
import { type OutboxStatus, outboxStatus } from './handOvers.ts';
import { markText, parseReference, type Reference, timeOf } from './reference.ts';

const lookOutbox = loadScript(import.meta.url, 'look-outbox');
const pushOutbox = loadScript(import.meta.url, 'push-outbox');
const readOutbox = loadScript(import.meta.url, 'read-outbox');
const trimOutbox = loadScript(import.meta.url, 'trim-outbox');
const takeMark = loadScript(import.meta.url, 'take-mark');

/** As much as a micro-batch of the API. */
const PAGE = { references: 512, bytes: 1024 * 1024 };
/** What the chunks of a job count for: their documents hold the body twice. */
const BYTES_OF_CHUNKS = 256 * 1024;

/** The oldest references of an outbox. */
export interface OutboxPage {
  shard: Shard;
  references: Reference[];
  /** how many were ever trimmed before these; '' if whoever wrote them told of them, so that nobody has looked */
  trimmed: string;
  /** the text of the first one */
  first: string;
  /** the text of the last one */
  last: string;
}

/** What waits in all outboxes. */
export interface OutboxReading {
  /** messages, and jobs of broadcasts */
  references: number;
  /** messages, and recipients of broadcasts */
  recipients: number;
  /** milliseconds, when the oldest was stored; undefined if nothing waits */
  oldestAt: number | undefined;
}

/**
 * The outboxes of all shards: references to stored messages that are not in the search index yet. Whoever stores appends
 * them (append-messages.lua, push-outbox.lua), the indexer reads them and trims what is durable in the engine.
 */
export class Outboxes {
  readonly #redis: RedisClient;
  readonly #shards: Shards;

  constructor(redis: RedisClient, shards: Shards) {
    this.#redis = redis;
    this.#shards = shards;
  }

  /**
   * Appends references.
   * @param more recipients of these references beyond one each
   * @param how.mark left instead if `isFull`
   */
  async push(
    shard: Shard,
    references: string[],
    more: number,
    { mark, isFull }: { mark: string; isFull: boolean },
  ): Promise<OutboxStatus> {
    const args = [mark, isFull ? 1 : 0, more, ...references];
    return outboxStatus(await pushOutbox(this.#redis, keysOf(shard), args));
  }

  /** @returns undefined if the outbox is empty */
  async read(shard: Shard): Promise<OutboxPage | undefined> {
    const ifDamaged = markText(Date.now(), 'the outbox was no list');
    const args = [PAGE.references, PAGE.bytes, BYTES_OF_CHUNKS, ifDamaged];
    const reply = await readOutbox(this.#redis, keysOf(shard), args);
    const [trimmed = '0', ...texts] = Array.isArray(reply) ? reply.map(String) : [];
    return pageOf(shard, trimmed, texts);
  }

  /**
   * Removes a page. The command is sent in the same turn.
   * @returns how many references are left; undefined if nothing was removed, because somebody else was at it
   */
  async trim({ shard, trimmed, first, last, references }: OutboxPage): Promise<number | undefined> {
    const more = references.reduce((sum, one) => sum + (one.kind === 'chunks' ? one.recipients - 1 : 0), 0);
    const left = Number(await trimOutbox(this.#redis, keysOf(shard), [trimmed, references.length, last, more, first]));
    return left < 0 ? undefined : left;
  }

  /** Takes a mark away that this process has left, once the rebuild is requested. */
  async takeMark(shard: Shard, mark: string): Promise<void> {
    await takeMark(this.#redis, [keys.outbox(shard)], [mark]);
  }

  /** The numbers of the shards that have references waiting. */
  async waitingShards(): Promise<number[]> {
    const looks = await this.#look();
    return looks.flatMap(({ references }, number) => (references > 0 ? [number] : []));
  }

  /** How many recipients wait in all of them. */
  async recipients(): Promise<number> {
    return (await this.reading()).recipients;
  }

  async reading(): Promise<OutboxReading> {
    const looks = await this.#look();
    const times = looks.flatMap(({ oldestAt }) => (oldestAt === undefined ? [] : [oldestAt]));
    return {
      references: looks.reduce((sum, { references }) => sum + references, 0),
      recipients: looks.reduce((sum, { recipients }) => sum + recipients, 0),
      oldestAt: times.length === 0 ? undefined : Math.min(...times),
    };
  }

  #look(): Promise<OutboxReading[]> {
    return Promise.all(
      this.#shards.tags.map(async (shard) => {
        const reply = await lookOutbox(this.#redis, keysOf(shard));
        const [length, more, first] = Array.isArray(reply) ? reply : [];
        const references = Number(length);
        // Counts that are damaged are put right when the outbox is read.
        return { references, recipients: references + (Number(more) || 0), oldestAt: timeOf(String(first)) };
      }),
    );
  }
}

const pageOf = (shard: Shard, trimmed: string, texts: string[]): OutboxPage | undefined => {
  const [first, last] = [texts.at(0), texts.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { shard, trimmed, first, last, references: texts.map(parseReference) };
};

/**
 * A page as whoever wrote it tells of it: the first references of an outbox that was empty. It saves a look before they are
 * indexed. Whether they are still there is found out when they are trimmed.
 */
export const toldPage = (shard: Shard, references: string[]): OutboxPage | undefined => pageOf(shard, '', references);

const keysOf = (shard: Shard): string[] => [keys.outbox(shard), keys.outboxCounts(shard)];
