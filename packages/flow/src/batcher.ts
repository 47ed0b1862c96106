import { Gate } from './gate.ts';

interface Waiting<T, R> {
  item: T;
  size: number;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/**
 * Gathers items while a call is in flight and sends them with the next one. At low load an item does not wait; under load a
 * call carries many.
 */
export class Batcher<T, R = void> {
  readonly #send: (items: T[]) => Promise<R>;
  readonly #most: { items: number; size: number };
  readonly #gate: Gate;
  #waiting: Waiting<T, R>[] = [];
  #sending: Promise<void> | undefined;

  /**
   * @param most items per call, and their total size in the unit that `add` is given
   * @param gate shared with other batchers: items gather here while they call
   */
  constructor(most: { items: number; size: number }, send: (items: T[]) => Promise<R>, gate = new Gate(1)) {
    this.#gate = gate;
    this.#most = most;
    this.#send = send;
  }

  /** Resolves with the result of the call that carried the item; rejects if that call does. */
  add(item: T, size: number): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, size, resolve, reject });
      this.#sending ??= this.#run();
    });
  }

  /** Resolves when everything added so far is sent. */
  async drained(): Promise<void> {
    await this.#sending;
  }

  async #run(): Promise<void> {
    // Items that arrive in the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#gate.run(async () => {
        const batch = this.#take();
        try {
          const result = await this.#send(batch.map(({ item }) => item));
          for (const { resolve } of batch) resolve(result);
        } catch (error) {
          for (const { reject } of batch) reject(error);
        }
      });
    }
    // In the same turn as the last check of #waiting: a caller that adds again at once must not find a run that has ended.
    this.#sending = undefined;
  }

  #take(): Waiting<T, R>[] {
    let size = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      size += waiting.size;
      if (count > 0 && (count === this.#most.items || size > this.#most.size)) break;
      count++;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return batch;
  }
}
