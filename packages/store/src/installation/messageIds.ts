import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const leaseIds = loadScript(import.meta.url, 'lease-ids');

const BLOCK = 1024;
/** Ids roughly follow time, so an old block is thrown away. */
const BLOCK_LIFE_MS = 1000;

/** Leases message ids: unique for ever, below 2^53, following Redis' clock (invariant 7). */
export class MessageIds {
  readonly #redis: RedisClient;
  #next = 0;
  #end = 0;
  #leasedAt = 0;
  #leasing: Promise<void> | undefined;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Leases a contiguous block of `count` ids. @returns the first one */
  async block(count: number): Promise<number> {
    return Number(await leaseIds(this.#redis, [keys.ids, keys.idsRun], [count]));
  }

  /** One id, from a block that is leased for many: at once, unless a new block is needed. */
  one(): number | Promise<number> {
    return this.#fromBlock() ?? this.#afterLease();
  }

  #fromBlock(): number | undefined {
    const isUsable = this.#next < this.#end && performance.now() - this.#leasedAt < BLOCK_LIFE_MS;
    return isUsable ? this.#next++ : undefined;
  }

  async #afterLease(): Promise<number> {
    for (;;) {
      const id = this.#fromBlock();
      if (id !== undefined) return id;
      this.#leasing ??= this.#lease().finally(() => {
        this.#leasing = undefined;
      });
      await this.#leasing;
    }
  }

  async #lease(): Promise<void> {
    const first = await this.block(BLOCK);
    this.#next = first;
    this.#end = first + BLOCK;
    this.#leasedAt = performance.now();
  }
}
