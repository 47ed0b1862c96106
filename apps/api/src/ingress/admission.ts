import { OverloadedError } from '@ruyi/contracts';
import { every } from '@ruyi/flow';
import type { Backlog, LaneKind } from '@ruyi/queue';
import { redisMemory } from '@ruyi/redis';
import type { Redis } from 'ioredis';

const MEMORY_EVERY_MS = 1000;
const MEMORY_SHARE = 0.8;

/** Decides whether more may be queued; at a bound the answer is 429 and nothing was queued (invariant 10). */
export class Admission {
  readonly #backlog: Backlog;
  readonly #most: Record<LaneKind, number>;
  readonly #stop: () => Promise<void>;
  #memoryFull = false;

  /** @param onError told of each look at Redis' memory that failed, and how many did in a row */
  constructor(
    redis: Redis,
    backlog: Backlog,
    most: Record<LaneKind, number>,
    onError: (error: unknown, inARow: number) => void,
  ) {
    this.#backlog = backlog;
    this.#most = most;
    const look = async () => {
      const { used, allowed } = await redisMemory(redis);
      this.#memoryFull = allowed > 0 && used > allowed * MEMORY_SHARE;
    };
    this.#stop = every(MEMORY_EVERY_MS, look, onError);
  }

  /** Writes are answered 429 now, because Redis uses more of its memory than may be used. */
  get isMemoryFull(): boolean {
    return this.#memoryFull;
  }

  /**
   * Asked before anything is written that stays; not before what frees memory (removing, deleting, acknowledging).
   * @throws OverloadedError where Redis is nearly full
   */
  requireFreeMemory(): void {
    if (!this.#memoryFull) return;
    throw new OverloadedError(`Redis uses more than ${MEMORY_SHARE * 100} % of its memory, try again later`, 5);
  }

  /**
   * Runs `queue`, which queues so many recipients, if there is memory and that many may still wait; none always may.
   * @throws OverloadedError before it runs
   */
  async whileQueueing<T>(kind: LaneKind, recipients: number, queue: () => Promise<T>): Promise<T> {
    this.requireFreeMemory();
    if (recipients === 0) return queue();
    if (!this.#backlog.admit(kind, recipients, this.#most[kind])) {
      const what = kind === 'send' ? 'single messages' : 'recipients of broadcasts';
      throw new OverloadedError(`${this.#most[kind]} ${what} may wait at once, try again later`, 2);
    }
    try {
      return await queue();
    } finally {
      this.#backlog.settle(kind, recipients);
    }
  }

  async close(): Promise<void> {
    await this.#stop();
  }
}
