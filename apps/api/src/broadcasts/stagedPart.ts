import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '@ruyi/contracts';
import { eachLimited, Gate } from '@ruyi/flow';
import type { Store, Upload } from '@ruyi/store';
import type { Admission } from '../ingress/admission.ts';
import { HeldLines } from './heldLines.ts';

/** Bytes that all uploads of this process hold together; and that each of them may always hold. */
const MOST_HELD = 32 * 1024 * 1024;
const LEAST_HELD = 32 * 1024;
/** Bytes of one shard that are staged at once. */
const FULL_SHARD = 32 * 1024;
const SHARDS_IN_FLIGHT = 8;
/** By bytes: of a very long part a single shard is as much as all uploads may hold. */
const settling = new Gate(MOST_HELD);
const WAIT_FOR_MEMORY_MS = 30_000;
const LOOK_EVERY_MS = 250;

let uploads = 0;

interface ShardOfPart {
  /** not staged yet */
  held: HeldLines;
  /** staged bytes */
  bytes: number;
}

/** The recipients of a part while it is uploaded: held in memory for a moment, then staged in Redis, shard by shard. */
export class StagedPart {
  readonly #store: Store;
  readonly #admission: Admission;
  readonly #upload: Upload;
  readonly #shardFor: (uid: string) => number;
  readonly #shards = new Map<number, ShardOfPart>();
  #held = 0;
  /** complete when the part is settled */
  duplicates = 0;

  constructor(store: Store, admission: Admission, upload: Upload, shardFor: (uid: string) => number) {
    this.#store = store;
    this.#admission = admission;
    this.#upload = upload;
    this.#shardFor = shardFor;
    uploads++;
  }

  /** Holds a uid. */
  add(uid: string): void {
    const number = this.#shardFor(uid);
    let shard = this.#shards.get(number);
    if (!shard) {
      shard = { held: new HeldLines(), bytes: 0 };
      this.#shards.set(number, shard);
    }
    const before = shard.held.length;
    shard.held.add(uid);
    this.#held += shard.held.length - before;
  }

  /** Stages what is held if that is much. @throws OverloadedError if Redis has had no memory for too long */
  async relieve(): Promise<void> {
    const isFull = this.#held > Math.max(LEAST_HELD, MOST_HELD / uploads);
    const full = [...this.#shards].filter(([, { held }]) => held.length > 0 && (isFull || held.length >= FULL_SHARD));
    await this.#eachWithMemory(full, (number, shard) => this.#stage(number, shard));
  }

  /** Stages the rest and drops repeats, so that the part can be committed. */
  async settle(): Promise<void> {
    await this.#eachWithMemory([...this.#shards], async (number, shard) => {
      const repeats = await settling.run(() => this.#settle(number, shard), shard.bytes + shard.held.length);
      this.duplicates += repeats;
    });
  }

  /** The shards that this part has recipients in. */
  get shards(): number[] {
    return [...this.#shards.keys()];
  }

  /** Removes what is staged. */
  async drop(): Promise<void> {
    await this.#store.recipientLists.dropStaged(this.#shards.keys(), this.#upload);
  }

  /** To be called once, whatever became of the part. */
  close(): void {
    uploads--;
    for (const { held } of this.#shards.values()) held.take();
  }

  /** @returns how many repeats there were */
  async #settle(number: number, shard: ShardOfPart): Promise<number> {
    const { recipientLists } = this.#store;
    if (shard.bytes === 0) return recipientLists.stageWhole(number, this.#upload, this.#take(shard));
    if (shard.held.length > 0) await this.#stage(number, shard);
    const repeats = await recipientLists.settleStaged(number, this.#upload, shard.bytes);
    if (repeats === undefined) throw lost();
    return repeats;
  }

  async #stage(number: number, shard: ShardOfPart): Promise<void> {
    const packed = this.#take(shard);
    shard.bytes += packed.length;
    if ((await this.#store.recipientLists.stage(number, this.#upload, packed)) !== shard.bytes) throw lost();
  }

  #take({ held }: ShardOfPart): Buffer {
    this.#held -= held.length;
    return held.take();
  }

  async #eachWithMemory(
    shards: [number, ShardOfPart][],
    work: (number: number, shard: ShardOfPart) => Promise<void>,
  ): Promise<void> {
    if (shards.length === 0) return;
    await this.#untilThereIsMemory();
    await eachLimited(shards, SHARDS_IN_FLIGHT, ([number, shard]) => work(number, shard));
  }

  async #untilThereIsMemory(): Promise<void> {
    const until = performance.now() + WAIT_FOR_MEMORY_MS;
    while (this.#admission.isMemoryFull && performance.now() < until) await delay(LOOK_EVERY_MS);
    this.#admission.requireFreeMemory();
  }
}

const lost = () => new UnavailableError('Redis has forgotten a piece of this part, upload it again');
