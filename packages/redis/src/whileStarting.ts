import { shownAddress } from '@ruyi/config';
import { withBackoff } from '@ruyi/flow';
import { addressOf } from './connectionOptions.ts';
import { isTransient } from './failures.ts';
import { type ProbeSettings, probeRedis } from './probe.ts';
import { NotServing, refusalOf, shortReason } from './reasons.ts';
import type { Finding } from './server.ts';

export interface Starting {
  settings: ProbeSettings;
  /** takes lines for the operator */
  log: Record<Finding['level'], (line: string) => void>;
  /** ends the waiting; without it only the end of the process does */
  signal?: AbortSignal;
}

const SAY_EVERY_MS = 10_000;

/**
 * Waits until Redis can serve, with one line every 10 s while it cannot, and says what the operator should know of it.
 * Call it before any other connection is opened, because those would log every attempt.
 * @throws RedisRefusal if Redis cannot be used as it is
 */
export async function reachRedis(starting: Starting): Promise<void> {
  const findings = await whileStarting(() => probeRedis(starting.settings), starting);
  for (const { level, line } of findings) starting.log[level](line);
}

/**
 * Runs a step of a start, again and again while Redis cannot serve: a process that waits is better than one that is
 * restarted every minute.
 * @throws RedisRefusal for what no waiting heals; the signal's reason once it is aborted
 */
export function whileStarting<T>(
  work: () => Promise<T>,
  { settings, log, signal = new AbortController().signal }: Starting,
): Promise<T> {
  const address = addressOf(settings);
  let said = Number.NEGATIVE_INFINITY;
  const step = async () => {
    try {
      return await work();
    } catch (error) {
      throw refusalOf(error, address) ?? error;
    }
  };
  return withBackoff(step, {
    firstMs: 100,
    longestMs: 1000,
    signal,
    waitAfter(error, waitMs) {
      if (!(error instanceof NotServing) && !isTransient(error)) return undefined;
      if (performance.now() - said >= SAY_EVERY_MS) {
        said = performance.now();
        log.warn(`waiting for Redis at ${shownAddress(address)}: ${shortReason(error)}`);
      }
      return waitMs;
    },
  });
}
