import { randomUUID } from 'node:crypto';
import type { RedisClient } from '@ruyi/redis';
import { deleteIfEqual } from '../deleteIfEqual.ts';
import { keys } from '../keys.ts';

const HOLD_SECONDS = 30;

export interface RebuildRequest {
  id: string;
  reason: string;
  /** into a new index that replaces the old one in the end; otherwise into the one that serves */
  fresh: boolean;
}

/** How far a rebuild is. Logs are read first, then broadcasts, whose recipients were found in the logs. */
export interface RebuildProgress {
  id: string;
  logs: number;
  logsRead: number;
  broadcasts: number;
  broadcastsRead: number;
  documents: number;
}

/**
 * Requests to rebuild the search index from Redis because it misses something. They come from workers that could not queue
 * for the indexer (INDEX_BACKLOG), from an indexer that lost its index, and from operators (`ruyi reindex`). One indexer at
 * a time does it.
 */
export class Rebuilds {
  readonly #redis: RedisClient;
  readonly #ownId = randomUUID();

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Notes which engine holds the index.
   * @returns whether this is the installation's first index: nothing can be missing in it
   */
  async noteEngine(name: string): Promise<boolean> {
    return (await this.#redis.hsetnx(keys.meta, 'index', name)) === 1;
  }

  /** An earlier request that is not done yet is merged into this one. */
  async request(reason: string, { fresh = false } = {}): Promise<void> {
    const earlier = await this.requested();
    const request: RebuildRequest = { id: randomUUID(), reason, fresh: fresh || (earlier?.fresh ?? false) };
    await this.#redis.set(keys.rebuild, JSON.stringify(request));
  }

  async requested(): Promise<RebuildRequest | undefined> {
    const text = await this.#redis.get(keys.rebuild);
    return text === null ? undefined : JSON.parse(text);
  }

  /** What was asked for last; undefined if nothing is, or if another process is at it. */
  async take(): Promise<RebuildRequest | undefined> {
    const request = await this.requested();
    if (request === undefined) return undefined;
    const held = await this.#redis.set(keys.rebuilder, this.#ownId, 'EX', HOLD_SECONDS, 'NX');
    return held === null ? undefined : request;
  }

  /** Call this every few seconds while the rebuild runs. */
  async hold(progress: RebuildProgress): Promise<void> {
    await this.#redis.set(keys.rebuilder, this.#ownId, 'EX', HOLD_SECONDS);
    await this.#redis.set(keys.rebuildProgress, JSON.stringify(progress));
  }

  /** Progress of the last rebuild, also after its end. */
  async progress(): Promise<RebuildProgress | undefined> {
    const text = await this.#redis.get(keys.rebuildProgress);
    return text === null ? undefined : JSON.parse(text);
  }

  /** Ends the rebuild, and with `done` also the request, unless it was made again meanwhile. */
  async release(done?: RebuildRequest): Promise<void> {
    if (done !== undefined) await deleteIfEqual(this.#redis, [keys.rebuild], [JSON.stringify(done)]);
    await deleteIfEqual(this.#redis, [keys.rebuilder], [this.#ownId]);
  }
}
