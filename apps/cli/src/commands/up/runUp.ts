import { ConfigError } from '@ruyi/config';
import { failStart, lineFor, reportReady, SAME_SIGNAL_MS } from '@ruyi/process';
import { RedisRefusal } from '@ruyi/redis';
import { umaskOfData } from './dataDir.ts';
import { type AppName, up } from './up.ts';

/**
 * The process around `up`. Signals stop it; another one, a second later or more, ends the drain (DRAIN_SECONDS). If it cannot start, it prints one line on
 * stderr and exits with 1. Otherwise it exits with 0.
 */
export async function runUp(env: NodeJS.ProcessEnv, entries: Record<AppName, string>): Promise<never> {
  process.umask(umaskOfData);
  const [stop, hurry] = [new AbortController(), new AbortController()];
  let since = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // scripts/start.mjs ends this process at a signal, until here.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stop.signal.aborted) {
        if (performance.now() - since > SAME_SIGNAL_MS) hurry.abort();
        return;
      }
      since = performance.now();
      say('stopping …');
      stop.abort();
    });
  }
  // If a program started it over IPC (a test does), the end of that program stops it too.
  process.on('disconnect', () => stop.abort());
  // A closed terminal or pipe must not crash the process.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    await up({ env, entries, say, onReady: reportReady, signal: stop.signal, hurry: hurry.signal });
  } catch (error) {
    failStart(lineFor(error, [ConfigError, RedisRefusal], 'Ruyi cannot start'));
  }
  say('stopped');
  process.exit(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
