import { setTimeout as delay } from 'node:timers/promises';
import { isTransient } from './redis.ts';

const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 1000;

/**
 * Repeats `work` while Redis cannot serve, for as long as it takes: a lane job that fails would go to the tail of its
 * queue and break the order (invariant 3). Ends early when `signal` aborts, and at once for an error that repetition
 * does not heal.
 */
export async function untilServed<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let wait = FIRST_DELAY_MS; ; wait = Math.min(wait * 2, LONGEST_DELAY_MS)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    await delay(wait, undefined, { signal });
  }
}

/** The results of several pieces of work at once; the first error is thrown when all of them have ended. */
export async function together<T extends readonly Promise<unknown>[]>(
  ...works: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** Runs `work` on each item, at most `width` at a time; the first error is thrown when all that was begun has ended. */
export async function eachLimited<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const runner = async () => {
    for (let next = rest.next(); !next.done && errors.length === 0; next = rest.next()) {
      try {
        await work(next.value);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, runner));
  if (errors.length > 0) throw errors[0];
}
