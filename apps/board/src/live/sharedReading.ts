import { every } from '@ruyi/flow';

const EVERY_MS = 1000;

/**
 * Reads once a second while somebody listens, once for all who do, and not at all while nobody does.
 */
export class SharedReading<T> {
  readonly #read: () => Promise<T>;
  readonly #onError: (error: unknown, inARow: number) => void;
  readonly #listeners = new Set<(value: T) => void>();
  #latest: T | undefined;
  #stop: (() => Promise<void>) | undefined;

  constructor(read: () => Promise<T>, onError: (error: unknown, inARow: number) => void) {
    this.#read = read;
    this.#onError = onError;
  }

  get isRead(): boolean {
    return this.#stop !== undefined;
  }

  /** Who comes while others listen is given the latest value at once. @returns ends it */
  listen(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    if (this.#latest !== undefined) listener(this.#latest);
    this.#stop ??= every(EVERY_MS, () => this.#tell(), this.#onError);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) void this.close();
    };
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
