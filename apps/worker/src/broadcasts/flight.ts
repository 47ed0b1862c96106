import type { Chunk } from '@ruyi/contracts';
import { type BroadcastJob, DEAD, type LaneOfPlan } from '@ruyi/queue';
import { type BroadcastRecord, chunkRecipients, chunkSize, keys, laneOf, type RecipientClaim } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';
import type { NextRecipients } from './shardCursors.ts';

/** A job that has not ended after this time may be gone: Redis may have forgotten it. */
const LOOK_AFTER_MS = 5000;

interface Flying {
  claims: RecipientClaim[];
  chunks: number[];
  /** where it was added; undefined until it is */
  lane?: LaneOfPlan;
  /** when it was added, or looked for */
  at: number;
}

/** The jobs of a broadcast that have not ended yet. */
export class Flight {
  readonly #context: CoordinatorContext;
  readonly #record: BroadcastRecord;
  readonly #ref: string;
  readonly #signal: AbortSignal;
  readonly #flying = new Map<string, Flying>();

  private constructor(context: CoordinatorContext, record: BroadcastRecord, ref: string, signal: AbortSignal) {
    this.#context = context;
    this.#record = record;
    this.#ref = ref;
    this.#signal = signal;
  }

  /**
   * What an earlier coordinator left. Its jobs are added again, as the last of them may not be there.
   * @param signal once it is aborted nothing more is claimed or added: what is in flight may not be known to Redis any more
   */
  static async of(
    context: CoordinatorContext,
    record: BroadcastRecord,
    ref: string,
    signal: AbortSignal,
  ): Promise<Flight> {
    const flight = new Flight(context, record, ref, signal);
    for (const [id, claims] of await context.store.broadcasts.flight(record.no)) flight.#note(id, claims);
    await flight.land();
    for (const [id, flying] of flight.#flying) await flight.#add(id, flying);
    return flight;
  }

  get size(): number {
    return this.#flying.size;
  }

  /** Jobs of this lane, as the lanes are now. */
  onLane(lane: number): number {
    const { lanes } = this.#context.queues;
    return [...this.#flying.values()].filter(({ claims }) => laneOf(firstShard(claims), lanes) === lane).length;
  }

  /**
   * Claims recipients and adds their job. @returns 0, or how many milliseconds it is too early, or 'again' if the broadcast
   * does not run any more or has another coordinator
   */
  async take(token: string, next: NextRecipients[], rate: number): Promise<number | 'again'> {
    const { broadcasts, replicas } = this.#context.store;
    const claims = next.map(({ uids: _, ...claim }) => claim);
    const [{ shard, chunk } = { shard: 0, chunk: 0 }] = claims;
    const id = `${this.#ref}.${shard}-${chunk}.${recipientsOf(claims)}`;
    this.#signal.throwIfAborted();
    const outcome = await broadcasts.claim(this.#record.no, token, id, claims, rate);
    if (outcome < 0) return 'again';
    if (outcome > 0) return outcome;
    // A master that dies now must not forget a claim whose job another one keeps.
    await replicas.confirm([keys.about(this.#record.no)]);
    const packed = next.map(({ uids }) => uids.join('\n'));
    await this.#add(id, this.#note(id, claims), packed);
    return 0;
  }

  /** Looks which jobs have ended. @returns how many recipients they had */
  async land(): Promise<number> {
    if (this.#flying.size === 0) return 0;
    const { progress, broadcasts } = this.#context.store;
    const chunks = [...this.#flying.values()].flatMap((flying) => flying.chunks);
    const stored = await progress.stored(this.#ref, chunks);
    const landed = [...this.#flying].filter(([, flying]) => flying.chunks.every((chunk) => stored.has(chunk)));
    this.#signal.throwIfAborted();
    await broadcasts.landed(
      this.#record.no,
      landed.map(([id]) => id),
    );
    for (const [id] of landed) this.#flying.delete(id);
    await this.#lookForMissing();
    return landed.reduce((sum, [, { claims }]) => sum + recipientsOf(claims), 0);
  }

  /** Adds jobs again that Redis has forgotten, or that somebody removed. */
  async #lookForMissing(): Promise<void> {
    const now = performance.now();
    for (const [id, flying] of this.#flying) {
      if (now - flying.at < LOOK_AFTER_MS) continue;
      flying.at = now;
      if (!flying.lane) continue;
      const queue = this.#context.queues.lane('fanout', flying.lane.lane, flying.lane.generation);
      const state = await queue.getJobState(id);
      if (state !== 'unknown' && state !== 'completed' && state !== 'failed') continue;
      if ((await this.#context.store.progress.stored(this.#ref, flying.chunks)).size === flying.chunks.length) continue;
      if (await this.#wasSetAside(id, flying)) continue;
      if (state !== 'unknown') await queue.remove(id);
      await this.#add(id, flying);
    }
  }

  /** If a job became a dead letter as a whole, all of its recipients have failed. */
  async #wasSetAside(id: string, { claims, chunks }: Flying): Promise<boolean> {
    const { queues, store } = this.#context;
    const letter = DEAD.schema.safeParse((await queues.dead.getJob(`dead-${id}-job`))?.data);
    if (!letter.success) return false;
    const job = await this.#jobOf(claims);
    const { reason } = letter.data;
    const failed = job.chunks.flatMap(chunkRecipients).map((recipient) => ({ ...recipient, reason }));
    const sizes = job.chunks.map((chunk, i) => ({ chunk: chunks[i] ?? chunk.chunk, size: chunkSize(chunk) }));
    // As handleLaneJob does, which may have died before.
    if (!job.cmd)
      await store.late.mark(
        this.#ref,
        failed.map(({ position }) => position),
      );
    await store.progress.chunksStored(this.#ref, sizes, failed);
    return true;
  }

  #note(id: string, claims: RecipientClaim[]): Flying {
    const chunks = claims.flatMap(({ chunk, count, size }) =>
      Array.from({ length: Math.ceil(count / size) }, (_, i) => chunk + i),
    );
    const flying = { claims, chunks, at: performance.now() };
    this.#flying.set(id, flying);
    return flying;
  }

  /** @param packed the uids of each claim, if they are at hand */
  async #add(id: string, flying: Flying, packed?: string[]): Promise<void> {
    const data = await this.#jobOf(flying.claims, packed);
    // If the lanes have changed since, its shards may have several lanes. Any of them will do: chunks are stored once.
    flying.lane = await this.#context.producer.broadcastToShard(
      { shard: firstShard(flying.claims), id, data },
      { guard: () => this.#signal.throwIfAborted() },
    );
  }

  async #jobOf(claims: RecipientClaim[], packed?: string[]): Promise<BroadcastJob> {
    const { no, spec } = this.#record;
    const { recipientLists } = this.#context.store;
    const read = ({ shard, offset, length }: RecipientClaim) => recipientLists.readExactly(shard, no, offset, length);
    const lists = packed ?? (await Promise.all(claims.map(read)));
    const chunks = claims.flatMap((claim, i) => chunksOf(claim, lists[i] ?? ''));
    const cmd = spec.header.sync_once === 1 ? { cmd: 1 as const } : {};
    return { ref: this.#ref, no, from: spec.from, ...cmd, chunks };
  }
}

const firstShard = (claims: RecipientClaim[]): number => claims[0]?.shard ?? 0;

const recipientsOf = (claims: RecipientClaim[]): number => claims.reduce((sum, { count }) => sum + count, 0);

function chunksOf({ chunk, start, size }: RecipientClaim, packed: string): Chunk[] {
  const uids = packed.split('\n');
  return Array.from({ length: Math.ceil(uids.length / size) }, (_, i) => ({
    chunk: chunk + i,
    start: start + i * size,
    uids: uids.slice(i * size, (i + 1) * size).join('\n'),
  }));
}
