import { setTimeout as delay } from 'node:timers/promises';

interface Backoff {
  firstMs: number;
  longestMs: number;
}

/** Milliseconds to wait after the n-th failure in a row (from 1 on): they double, up to `longestMs`. */
export const backoffDelay = (failures: number, { firstMs, longestMs }: Backoff): number =>
  Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);

/**
 * Repeats `work` until it succeeds, with pauses that double.
 * @param waitAfter told of each error and of the pause that is due; returns the pause to make, or undefined if no
 *   repetition can heal the error, which is then thrown
 * @throws what `work` throws for good; the signal's reason once it is aborted
 */
export async function withBackoff<T>(
  work: () => Promise<T>,
  {
    signal,
    waitAfter,
    ...backoff
  }: Backoff & {
    signal: AbortSignal;
    waitAfter(error: unknown, waitMs: number): number | undefined;
  },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    let wait: number | undefined;
    try {
      return await work();
    } catch (error) {
      wait = waitAfter(error, backoffDelay(failures, backoff));
      if (wait === undefined) throw error;
    }
    await delay(wait, undefined, { signal });
  }
}
