import { every } from '@ruyi/flow';

const SECOND_MS = 1000;

/** Reads once a second while somebody listens, once for all who do, and not at all while nobody does. */
export class SharedReading<T> {
  readonly #read: () => Promise<T>;
  readonly #everyMs: number;
  readonly #onError: (error: unknown, inARow: number) => void;
  readonly #listeners = new Set<(value: T) => void>();
  #latest: T | undefined;
  #stop: (() => Promise<void>) | undefined;

  /** @param everyMs for what takes longer to read */
  constructor(read: () => Promise<T>, onError: (error: unknown, inARow: number) => void, everyMs: number = SECOND_MS) {
    this.#read = read;
    this.#everyMs = everyMs;
    this.#onError = onError;
  }

  get isRead(): boolean {
    return this.#stop !== undefined;
  }

  /** Who comes while others listen is given the latest value at once. @returns ends it */
  listen(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    if (this.#latest !== undefined) listener(this.#latest);
    this.#stop ??= every(this.#everyMs, () => this.#tell(), this.#onError);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) void this.close();
    };
  }

  /** Reads at once, for those who have just changed something. */
  async refresh(): Promise<void> {
    if (this.isRead) await this.#tell().catch((error: unknown) => this.#onError(error, 1));
  }

  async close(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    this.#latest = undefined;
    await stop?.();
  }

  async #tell(): Promise<void> {
    const value = await this.#read();
    if (!this.isRead) return;
    this.#latest = value;
    for (const listener of this.#listeners) listener(value);
  }
}
