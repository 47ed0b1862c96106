import { RuyiError } from './errors.ts';

const FIRST_MS = 100;
const LONGEST_MS = 2000;

/**
 * What a repeat can heal. It is safe for every endpoint: a send carries its key, and all others may be repeated. `timeout` (408)
 * left nothing behind; `busy` is an upload of this part whose connection broke and which the API has not noticed yet.
 */
const HEALS = ['unreachable', 'overloaded', 'unavailable', 'timeout', 'busy'];

/**
 * The pause before the next try, in milliseconds, or undefined if no repeat can help. Pauses double; none is shorter than the
 * API asks for. They are random in part, because many clients who were refused at once must not come back at once.
 * @param failures in a row, from 1 on
 */
export function pauseAfter(error: unknown, failures: number, random: () => number = Math.random): number | undefined {
  if (!(error instanceof RuyiError) || !HEALS.includes(error.code)) return undefined;
  const backoff = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), LONGEST_MS) * (0.5 + random() / 2);
  const asked = (error.retryAfterSeconds ?? 0) * 1000 * (1 + random() / 2);
  return Math.max(backoff, asked);
}

/** @throws the signal's reason once it is aborted */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
