import { OverloadedError } from '@ruyi/contracts';
import { every } from '@ruyi/flow';
import type { Backlog, LaneKind } from '@ruyi/queue';
import { isNearlyFull, type RedisClient, redisMemory } from '@ruyi/redis';

const MEMORY_EVERY_MS = 1000;

/** Decides whether more may be queued. At a bound it throws, and nothing was queued (invariant 10). */
export class Admission {
  readonly #backlog: Backlog;
  readonly #most: Record<LaneKind, number>;
  readonly #stop: () => Promise<void>;
  #memoryFull = false;

  /** @param onError is told of each measurement of Redis' memory that failed, and how many failed in a row */
  constructor(
    redis: RedisClient,
    backlog: Backlog,
    most: Record<LaneKind, number>,
    onError: (error: unknown, inARow: number) => void,
  ) {
    this.#backlog = backlog;
    this.#most = most;
    const measure = async () => {
      this.#memoryFull = isNearlyFull(await redisMemory(redis));
    };
    this.#stop = every(MEMORY_EVERY_MS, measure, onError);
  }

  /** whether Redis uses more than 80 % of its memory, so that writes are refused */
  get isMemoryFull(): boolean {
    return this.#memoryFull;
  }

  /**
   * To be called before anything is written that stays, but not before what frees memory: removing, deleting,
   * acknowledging.
   * @throws OverloadedError if Redis is nearly full
   */
  requireFreeMemory(): void {
    if (!this.#memoryFull) return;
    throw new OverloadedError('Redis uses more than 80 % of its memory, try again later', 5);
  }

  /**
   * Lets in what is going to queue this many recipients, if there is memory and the backlog has room for them. No recipients
   * always fit. Every enter must be followed by one leave.
   * @throws OverloadedError, and then nothing is let in
   */
  enter(kind: LaneKind, recipients: number): void {
    this.requireFreeMemory();
    if (recipients === 0) return;
    if (!this.#backlog.admit(kind, recipients, this.#most[kind])) {
      const what = kind === 'send' ? 'single messages' : 'recipients of broadcasts';
      throw new OverloadedError(`${this.#most[kind]} ${what} may wait at once, try again later`, 2);
    }
  }

  /** What was let in is on its queue by now, or never will be. */
  leave(kind: LaneKind, recipients: number): void {
    if (recipients > 0) this.#backlog.settle(kind, recipients);
  }

  async close(): Promise<void> {
    await this.#stop();
  }
}
