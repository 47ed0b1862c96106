import { withBackoff } from '@ruyi/flow';
import { isTransient } from './failures.ts';

/**
 * Repeats `work` while Redis cannot serve, for as long as it takes: a lane job that fails would go to the tail of its
 * queue and break the order (invariant 3). Ends early when `signal` aborts, and at once for an error that no repetition
 * fixes.
 */
export const untilServed = <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> =>
  withBackoff(work, {
    firstMs: 20,
    longestMs: 1000,
    signal,
    waitAfter: (error, waitMs) => (isTransient(error) ? waitMs : undefined),
  });
