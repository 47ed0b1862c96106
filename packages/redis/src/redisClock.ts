import type { RedisClient } from './client.ts';
import { serverTime } from './server.ts';

/** A measurement is repeated this long after the last one, while its time is still used. */
const REFRESH_MS = 1000;
/** After this it is not used any more: two quartz clocks may be a millisecond apart by then. */
const STALE_MS = 10_000;
/** A step back by less than this is a measurement that was off, so the clock stands still; a larger one is followed. */
const FOLLOWED_STEP_MS = 10_000;

/** Times in milliseconds. */
interface Measurement {
  /** Redis' clock minus the local monotonic one */
  offset: number;
  /** by the local clock */
  at: number;
}

/**
 * Redis' clock without a round trip per question. It is Redis' answer to TIME, half the round trip ago, carried on by this
 * process's monotonic clock, so a wrong wall clock on this machine changes nothing. Asking refreshes the measurement in
 * the background, at most once per second; there is no timer to stop.
 */
export class RedisClock {
  readonly #redis: RedisClient;
  readonly #local: () => number;
  #measurement: Measurement | undefined;
  #measuring: Promise<Measurement> | undefined;
  #latest = 0;

  /** @param local a clock that never goes back, in milliseconds */
  constructor(redis: RedisClient, local: () => number = () => performance.now()) {
    this.#redis = redis;
    this.#local = local;
  }

  /**
   * Whole seconds since 1970. They do not go back, unless the clock of Redis was set back by more than ten seconds.
   * Known at once, unless Redis was not asked for ten seconds.
   */
  seconds(): number | Promise<number> {
    const measurement = this.#fresh();
    return measurement === undefined ? this.#measure().then((measured) => this.#at(measured)) : this.#at(measurement);
  }

  #at({ offset }: Measurement): number {
    const now = this.#local() + offset;
    const isJitter = now < this.#latest && now > this.#latest - FOLLOWED_STEP_MS;
    if (!isJitter) this.#latest = now;
    return Math.floor(this.#latest / 1000);
  }

  /** The last measurement if it may still be used; starts the next one if it is due. */
  #fresh(): Measurement | undefined {
    const age = this.#measurement === undefined ? STALE_MS : this.#local() - this.#measurement.at;
    if (age >= STALE_MS) return undefined;
    // If Redis is away the caller's own commands say so. This one may fail in silence.
    if (age >= REFRESH_MS) this.#measure().catch(() => {});
    return this.#measurement;
  }

  #measure(): Promise<Measurement> {
    this.#measuring ??= this.#ask().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #ask(): Promise<Measurement> {
    const asked = this.#local();
    const { seconds, microseconds } = await serverTime(this.#redis);
    const at = this.#local();
    const offset = seconds * 1000 + microseconds / 1000 - (asked + at) / 2;
    this.#measurement = { offset, at };
    return this.#measurement;
  }
}
