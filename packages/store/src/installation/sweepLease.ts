import { loadScript, type RedisClient } from '@ruyi/redis';
import { deleteIfEqual } from '../deleteIfEqual.ts';
import { keys } from '../keys.ts';

const holdSweep = loadScript(import.meta.url, 'hold-sweep');

/** A worker that says nothing for so long is replaced by another one. */
const HELD_MS = 4000;

/** Which worker sweeps: one for the whole installation. */
export class SweepLease {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Claims the sweep for a worker, or keeps it; to be repeated every second. @returns false if another one has it */
  async hold(name: string): Promise<boolean> {
    return (await holdSweep(this.#redis, [keys.sweeper], [name, HELD_MS])) === 1;
  }

  /** Another worker may sweep at once. */
  async release(name: string): Promise<void> {
    await deleteIfEqual(this.#redis, [keys.sweeper], [name]);
  }
}
