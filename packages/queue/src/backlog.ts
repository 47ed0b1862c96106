import { every } from '@ruyi/flow';
import type { RedisClient } from '@ruyi/redis';
import type { Queue } from 'bullmq';
import { waitingJobs } from './bullmqInternals.ts';
import { LANE_KINDS, type LaneKind, recipientsInJob, setsOf } from './names.ts';
import type { Queues } from './queues.ts';

const REFRESH_MS = 250;
/** While nothing waits and nothing is queued here, only each fourth measurement is made: an idle installation costs little. */
const IDLE_ROUNDS = 4;
const SAMPLE = 50;

/** Recipients waiting in a queue, estimated: its length times the mean of sampled jobs, whose ids end in their recipients. */
export async function waitingRecipients(redis: RedisClient, queue: Pick<Queue, 'toKey'>): Promise<number> {
  const { count, ids } = await waitingJobs(redis, queue, SAMPLE);
  if (ids.length === 0) return 0;
  const mean = ids.reduce((sum, id) => sum + recipientsInJob(id), 0) / ids.length;
  return Math.ceil(count * mean);
}

/**
 * How many recipients wait on each kind of lane. It is measured in the background instead of per request. What this process
 * queues in between is added to the last measurement. It may be counted twice until the next one, but never not at all.
 */
export class Backlog {
  readonly #measured: Record<LaneKind, number> = { send: 0, fanout: 0 };
  /** admitted, but perhaps not yet where a measurement would see it */
  readonly #underway: Record<LaneKind, number> = { send: 0, fanout: 0 };
  /** queued since the last measurement began */
  readonly #queued: Record<LaneKind, number> = { send: 0, fanout: 0 };
  #idleRounds = -1;
  readonly #stop: () => Promise<void>;

  /** @param onError told of each measurement that failed, and how many did in a row; the last one counts meanwhile */
  constructor(redis: RedisClient, queues: Queues, onError: (error: unknown, inARow: number) => void) {
    this.#stop = every(REFRESH_MS, () => this.#measure(redis, queues), onError);
  }

  async #measure(redis: RedisClient, queues: Queues): Promise<void> {
    const isIdle = LANE_KINDS.every((kind) => this.waiting(kind) === 0);
    this.#idleRounds = isIdle ? this.#idleRounds + 1 : 0;
    if (this.#idleRounds % IDLE_ROUNDS !== 0) return;
    // While the number of lanes changes, jobs wait on those of two generations.
    const plan = await queues.advance();
    for (const kind of LANE_KINDS) {
      const before = this.#queued[kind];
      const lanes = setsOf(plan, kind).flatMap((set) =>
        Array.from({ length: set.lanes }, (_, lane) => queues.lane(kind, lane, set.generation)),
      );
      const waiting = await Promise.all(lanes.map((queue) => waitingRecipients(redis, queue)));
      this.#measured[kind] = waiting.reduce((sum, n) => sum + n, 0);
      this.#queued[kind] -= before;
    }
  }

  /** Recipients that wait, as far as this process knows. */
  waiting(kind: LaneKind): number {
    return this.#measured[kind] + this.#underway[kind] + this.#queued[kind];
  }

  /**
   * Counts recipients that are about to be queued. Every successful admit() must be followed by settle().
   * @returns false, and counts nothing, if that would exceed `most`
   */
  admit(kind: LaneKind, recipients: number, most: number): boolean {
    if (this.waiting(kind) + recipients > most) return false;
    this.#underway[kind] += recipients;
    return true;
  }

  /** What was admitted is on its queue by now, or never will be: the next measurement counts it. */
  settle(kind: LaneKind, recipients: number): void {
    this.#underway[kind] -= recipients;
    this.#queued[kind] += recipients;
  }

  async close(): Promise<void> {
    await this.#stop();
  }
}
