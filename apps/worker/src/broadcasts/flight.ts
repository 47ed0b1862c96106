import type { Chunk } from '@ruyi/contracts';
import type { BroadcastJob } from '@ruyi/queue';
import { type BroadcastRecord, laneOf, type RecipientClaim } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';
import type { NextRecipients } from './shardCursors.ts';

/** A job that has not ended after this time may be gone: Redis may have forgotten it. */
const LOOK_AFTER_MS = 5000;

interface Flying {
  claim: RecipientClaim;
  chunks: number[];
  lane: number;
  /** when it was added, or looked for */
  at: number;
}

/** The jobs of a broadcast that have not ended yet. */
export class Flight {
  readonly #context: CoordinatorContext;
  readonly #record: BroadcastRecord;
  readonly #ref: string;
  readonly #flying = new Map<string, Flying>();

  private constructor(context: CoordinatorContext, record: BroadcastRecord, ref: string) {
    this.#context = context;
    this.#record = record;
    this.#ref = ref;
  }

  /** What an earlier coordinator left. Its jobs are added again, as the last of them may not be there. */
  static async of(context: CoordinatorContext, record: BroadcastRecord, ref: string): Promise<Flight> {
    const flight = new Flight(context, record, ref);
    for (const [id, claim] of await context.store.broadcasts.flight(record.no)) {
      flight.#note(id, claim, laneOf(claim.shard, context.queues.lanes));
    }
    await flight.land();
    for (const [id, flying] of flight.#flying) await flight.#add(id, flying);
    return flight;
  }

  get size(): number {
    return this.#flying.size;
  }

  onLane(lane: number): number {
    return [...this.#flying.values()].filter((flying) => flying.lane === lane).length;
  }

  /**
   * Claims recipients and adds their job. @returns 0, or how many milliseconds it is too early, or 'again' if the broadcast
   * does not run any more or has another coordinator
   */
  async take(token: string, lane: number, next: NextRecipients, rate: number): Promise<number | 'again'> {
    const { uids, ...claim } = next;
    const id = `${this.#ref}.${claim.shard}-${claim.chunk}.${claim.count}`;
    const outcome = await this.#context.store.broadcasts.claim(this.#record.no, token, id, claim, rate);
    if (outcome < 0) return 'again';
    if (outcome > 0) return outcome;
    await this.#add(id, this.#note(id, claim, lane), uids.join('\n'));
    return 0;
  }

  /** Looks which jobs have ended. @returns how many recipients they had */
  async land(): Promise<number> {
    if (this.#flying.size === 0) return 0;
    const { progress, broadcasts } = this.#context.store;
    const chunks = [...this.#flying.values()].flatMap((flying) => flying.chunks);
    const stored = await progress.stored(this.#ref, chunks);
    const landed = [...this.#flying].filter(([, flying]) => flying.chunks.every((chunk) => stored.has(chunk)));
    await broadcasts.landed(
      this.#record.no,
      landed.map(([id]) => id),
    );
    for (const [id] of landed) this.#flying.delete(id);
    await this.#lookForMissing();
    return landed.reduce((sum, [, { claim }]) => sum + claim.count, 0);
  }

  /** Adds jobs again that Redis has forgotten, or that somebody removed. */
  async #lookForMissing(): Promise<void> {
    const now = performance.now();
    for (const [id, flying] of this.#flying) {
      if (now - flying.at < LOOK_AFTER_MS) continue;
      flying.at = now;
      const queue = this.#context.queues.lane('fanout', flying.lane);
      const state = await queue.getJobState(id);
      if (state !== 'unknown' && state !== 'completed' && state !== 'failed') continue;
      if ((await this.#context.store.progress.stored(this.#ref, flying.chunks)).size === flying.chunks.length) continue;
      if (state !== 'unknown') await queue.remove(id);
      await this.#add(id, flying);
    }
  }

  #note(id: string, claim: RecipientClaim, lane: number): Flying {
    const numbers = Array.from({ length: Math.ceil(claim.count / claim.size) }, (_, i) => claim.chunk + i);
    const flying = { claim, chunks: numbers, lane, at: performance.now() };
    this.#flying.set(id, flying);
    return flying;
  }

  /** @param packed the uids, if they are at hand */
  async #add(id: string, { claim, lane }: Flying, packed?: string): Promise<void> {
    const { store, producer } = this.#context;
    const { no, spec } = this.#record;
    const { shard, offset, length, size, start, chunk } = claim;
    const uids = (packed ?? (await store.recipientLists.readExactly(shard, no, offset, length))).split('\n');
    const chunks: Chunk[] = [];
    for (let i = 0; i < uids.length; i += size) {
      chunks.push({ chunk: chunk + chunks.length, start: start + i, uids: uids.slice(i, i + size).join('\n') });
    }
    const cmd = spec.header.sync_once === 1 ? { cmd: 1 as const } : {};
    const data: BroadcastJob = { ref: this.#ref, from: spec.from, ...cmd, chunks };
    await producer.broadcast({ jobs: [{ lane, id, data }] });
  }
}
