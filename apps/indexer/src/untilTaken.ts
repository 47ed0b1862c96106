import { withBackoff } from '@ruyi/flow';
import { SearchUnavailableError } from '@ruyi/search';
import type { Logger } from '@ruyi/telemetry';

/** Repeats a call to the engine until the engine answers, however long that takes. */
export const untilTaken = <T>(call: () => Promise<T>, signal: AbortSignal, log: Logger): Promise<T> =>
  withBackoff(call, {
    firstMs: 200,
    longestMs: 10_000,
    signal,
    waitAfter: (error, waitMs) => {
      if (!(error instanceof SearchUnavailableError)) return undefined;
      const retryInMs = Math.max(waitMs, error.retryAfterMs ?? 0);
      log.warn({ err: error, retryInMs }, 'search engine unavailable');
      return retryInMs;
    },
  });
