import { type BroadcastAnswer, type RuyiClient, RuyiError } from '@ruyi/client';
import type { ShownBroadcast } from './liveState.ts';

const MOST_KNOWN = 10_000;
/** No batch is ever in one of these. */
const OF_BROADCASTS: BroadcastAnswer['state'][] = ['open', 'scheduled', 'paused', 'cancelled'];

/**
 * Tells batches of sendbatch from broadcasts: they are listed alike, but cannot be paused, cancelled or retried (docs/api.md §4).
 * What a number is never changes, so each is asked about once.
 */
export class Batches {
  readonly #ruyi: RuyiClient;
  readonly #known = new Map<string, boolean>();

  constructor(ruyi: RuyiClient) {
    this.#ruyi = ruyi;
  }

  /** With what the page needs to know besides. */
  async shown(broadcast: BroadcastAnswer): Promise<ShownBroadcast> {
    return { ...broadcast, is_batch: await this.#isBatch(broadcast) };
  }

  async #isBatch({ broadcast_no, state }: BroadcastAnswer): Promise<boolean> {
    if (OF_BROADCASTS.includes(state)) return false;
    const known = this.#known.get(broadcast_no);
    if (known !== undefined) return known;
    const isBatch = await this.#ruyi.batchProgress({ batch_no: broadcast_no }).then(
      () => true,
      (error: unknown) => (error instanceof RuyiError && error.status === 404 ? false : undefined),
    );
    // It gave no answer. What cannot be known is shown without buttons, and asked again.
    if (isBatch === undefined) return true;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(broadcast_no, isBatch);
    return isBatch;
  }
}
