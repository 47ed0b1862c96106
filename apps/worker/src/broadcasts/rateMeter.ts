import type { Store } from '@ruyi/store';

const WINDOW_MS = 3000;
const NOTE_EVERY_MS = 1000;

/** Measures how many recipients of a broadcast are stored a second, and notes it for whoever asks. */
export class RateMeter {
  readonly #store: Store;
  readonly #no: string;
  readonly #began = performance.now();
  #landed: { at: number; recipients: number }[] = [];
  #notedAt = 0;

  constructor(store: Store, no: string) {
    this.#store = store;
    this.#no = no;
  }

  async add(recipients: number): Promise<void> {
    const now = performance.now();
    if (recipients > 0) this.#landed.push({ at: now, recipients });
    if (now - this.#notedAt < NOTE_EVERY_MS) return;
    this.#notedAt = now;
    this.#landed = this.#landed.filter(({ at }) => at > now - WINDOW_MS);
    const seconds = Math.max(0.1, Math.min(WINDOW_MS, now - this.#began) / 1000);
    const rate = this.#landed.reduce((sum, { recipients }) => sum + recipients, 0) / seconds;
    await this.#store.broadcasts.noteRate(this.#no, Math.round(rate), await this.#store.now());
  }
}
