import { setTimeout as delay } from 'node:timers/promises';
import { SearchUnavailableError } from '@ruyi/search';
import type { Logger } from '@ruyi/telemetry';

const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/** Repeats a call to the engine while it does not answer, for as long as it takes. */
export async function untilTaken<T>(call: () => Promise<T>, signal: AbortSignal, log: Logger): Promise<T> {
  for (let pause = FIRST_MS; ; pause = Math.min(pause * 2, LONGEST_MS)) {
    signal.throwIfAborted();
    let wait = pause;
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SearchUnavailableError)) throw error;
      wait = Math.max(pause, error.retryAfterMs ?? 0);
      log.warn({ err: error, retryInMs: wait }, 'search engine unavailable');
    }
    await delay(wait, undefined, { signal });
  }
}
