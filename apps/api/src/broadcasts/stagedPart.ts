import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '@ruyi/contracts';
import { eachLimited } from '@ruyi/flow';
import type { Store, Upload } from '@ruyi/store';
import type { Admission } from '../ingress/admission.ts';

/** Uids that all uploads of this process hold together, about 40 MB of memory; and that each of them may always hold. */
const MOST_HELD = 400_000;
const LEAST_HELD = 2000;
/** Uids of one shard that are staged at once. */
const FULL_SHARD = 4000;
const SHARDS_IN_FLIGHT = 8;
const WAIT_FOR_MEMORY_MS = 30_000;
const LOOK_EVERY_MS = 250;

let uploads = 0;

interface ShardOfPart {
  /** not staged yet, each once */
  held: Set<string>;
  /** staged bytes */
  bytes: number;
  /** times something was staged: what is staged once has no repeats */
  times: number;
}

/** The recipients of a part while it is uploaded: held in memory for a moment, then staged in Redis, shard by shard. */
export class StagedPart {
  readonly #store: Store;
  readonly #admission: Admission;
  readonly #upload: Upload;
  readonly #shardFor: (uid: string) => number;
  readonly #shards = new Map<number, ShardOfPart>();
  #held = 0;
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
    const shard = this.#shards.get(number) ?? { held: new Set(), bytes: 0, times: 0 };
    if (shard.times === 0 && shard.held.size === 0) this.#shards.set(number, shard);
    const before = shard.held.size;
    if (shard.held.add(uid).size === before) this.duplicates++;
    else this.#held++;
  }

  /** Stages what is held if that is much. @throws OverloadedError if Redis has had no memory for too long */
  async relieve(): Promise<void> {
    const isFull = this.#held > Math.max(LEAST_HELD, MOST_HELD / uploads);
    const full = [...this.#shards].filter(([, { held }]) => held.size > 0 && (isFull || held.size >= FULL_SHARD));
    await this.#stage(full);
  }

  /** Stages the rest and drops repeats, so that the part can be committed. */
  async settle(): Promise<void> {
    await this.#stage([...this.#shards].filter(([, { held }]) => held.size > 0));
    await eachLimited(this.#shards, SHARDS_IN_FLIGHT, async ([number, { bytes, times }]) => {
      const repeats = await this.#store.recipientLists.settleStaged(number, this.#upload, { bytes, times });
      if (repeats === undefined) throw lost();
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
    for (const shard of this.#shards.values()) shard.held.clear();
  }

  async #stage(shards: [number, ShardOfPart][]): Promise<void> {
    if (shards.length === 0) return;
    await this.#untilThereIsMemory();
    await eachLimited(shards, SHARDS_IN_FLIGHT, async ([number, shard]) => {
      const packed = `${[...shard.held].join('\n')}\n`;
      this.#held -= shard.held.size;
      shard.held.clear();
      shard.bytes += Buffer.byteLength(packed);
      shard.times++;
      if ((await this.#store.recipientLists.stage(number, this.#upload, packed)) !== shard.bytes) throw lost();
    });
  }

  async #untilThereIsMemory(): Promise<void> {
    const until = performance.now() + WAIT_FOR_MEMORY_MS;
    while (this.#admission.isMemoryFull && performance.now() < until) await delay(LOOK_EVERY_MS);
    this.#admission.requireFreeMemory();
  }
}

const lost = () => new UnavailableError('Redis has forgotten a piece of this part, upload it again');
