import { setTimeout as delay } from 'node:timers/promises';

/** Work is gathered up to this time before it is rested for, because a timer is no finer than a millisecond. */
const WORK_MS = 4;
/** Rest per work. Full memory is worse than slower sends. */
const REST = { usual: 4, hurried: 1 };

/** Spreads work over time, so that what others send to Redis finds it idle. */
export class Pace {
  readonly #signal: AbortSignal;
  readonly #beforeWork: () => Promise<void>;
  #worked = 0;
  isHurried = false;

  /**
   * @param signal ends a rest, and all work after it
   * @param beforeWork is called before each piece of work; if it fails, there is no more work
   */
  constructor(signal: AbortSignal, beforeWork: () => Promise<void>) {
    this.#signal = signal;
    this.#beforeWork = beforeWork;
  }

  /** Does a short piece of work, and rests if it is time. */
  async work<T>(piece: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    await this.#beforeWork();
    const from = performance.now();
    const result = await piece();
    this.#worked += performance.now() - from;
    if (this.#worked >= WORK_MS) {
      const rest = this.#worked * (this.isHurried ? REST.hurried : REST.usual);
      this.#worked = 0;
      await delay(rest, undefined, { signal: this.#signal });
    }
    return result;
  }
}
