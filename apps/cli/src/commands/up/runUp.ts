import { ConfigError } from '@ruyi/config';
import { failStart, lineFor, reportReady } from '@ruyi/process';
import { umaskOfData } from './dataDir.ts';
import { type AppName, up } from './up.ts';

/**
 * The process around `up`: signals stop it (a second one changes nothing), a reason not to start is one line on stderr
 * and exit 1, everything else ends with 0.
 */
export async function runUp(env: NodeJS.ProcessEnv, entries: Record<AppName, string>): Promise<never> {
  process.umask(umaskOfData);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) say('stopping …');
      stop.abort();
    });
  }
  // Started by another program over IPC (a test): without it nothing is left running.
  process.on('disconnect', () => stop.abort());
  // A terminal or pipe that has gone away is no reason to fall over.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    await up({ env, entries, say, onReady: reportReady, signal: stop.signal });
  } catch (error) {
    failStart(lineFor(error, [ConfigError], 'Ruyi cannot start'));
  }
  say('stopped');
  process.exit(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
