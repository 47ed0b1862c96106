import { withBackoff } from '@ruyi/flow';
import { SearchUnavailableError } from '@ruyi/search';
import type { Logger } from '@ruyi/telemetry';

/** Repeats a call to the engine until the engine answers, however long that takes. @param onAway told of each failure */
export const untilTaken = <T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  log: Logger,
  onAway: () => void = () => {},
): Promise<T> =>
  withBackoff(call, {
    firstMs: 200,
    longestMs: 10_000,
    signal,
    waitAfter: (error, waitMs) => {
      if (!(error instanceof SearchUnavailableError)) return undefined;
      const retryInMs = Math.max(waitMs, error.retryAfterMs ?? 0);
      onAway();
      log.warn({ err: error, retryInMs }, 'search engine unavailable');
      return retryInMs;
    },
  });
