import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const holdIndex = loadScript(import.meta.url, 'hold-index');

/** How long an indexer holds the index after its last word; it renews it every second. */
const HELD_MS = 4000;

/** What the owner tells about itself. */
export interface IndexHolder {
  name: string;
  host: string;
  /** where its index lies, on its machine */
  directory: string;
}

/** The embedded index has one owner: the documents of an installation must not be spread over two indexes. */
export class IndexOwner {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Claims the index, or keeps it; to be repeated every second.
   * @param indexId of the index that this indexer writes, kept as that of the installation
   * @returns the present owner if it is another one
   */
  async hold(holder: IndexHolder, indexId: string): Promise<IndexHolder | undefined> {
    const args = [holder.name, JSON.stringify(holder), indexId, HELD_MS];
    const reply = await holdIndex(this.#redis, [keys.indexOwner, keys.meta], args);
    return reply === 1 ? undefined : JSON.parse(String(reply));
  }

  async release(name: string): Promise<void> {
    const held = await this.#redis.get(keys.indexOwner);
    if (held !== null && JSON.parse(held).name === name) await this.#redis.del(keys.indexOwner);
  }

  /** The id of the index that the last owner wrote; undefined if there was none. */
  async indexId(): Promise<string | undefined> {
    return (await this.#redis.hget(keys.meta, 'index-id')) ?? undefined;
  }
}
