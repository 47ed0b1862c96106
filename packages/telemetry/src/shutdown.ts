import type { Logger } from './log.ts';

/** Something that a process has opened and must close. */
export interface Closable {
  name: string;
  close(): Promise<unknown> | unknown;
}

const DEADLINE_MS = 9_000;

/**
 * On SIGTERM or SIGINT closes what was opened, the last first, and exits 0; what does not close within 9 s is named and
 * left behind (exit 1), so that the process is gone within 10 s. A second signal changes nothing. A defect that nobody
 * caught ends the process with 1: its supervisor starts a clean one.
 */
export function runUntilSignal(log: Logger, opened: Closable[]): void {
  let closing = false;
  const stop = async (reason: string) => {
    if (closing) return;
    closing = true;
    log.info({ reason }, 'stopping');
    let current = '';
    const timer = setTimeout(() => {
      log.error({ waitingFor: current }, 'did not close in time');
      process.exit(1);
    }, DEADLINE_MS);
    for (const { name, close } of opened.toReversed()) {
      current = name;
      try {
        await close();
      } catch (err) {
        log.warn({ err, name }, 'close failed');
      }
    }
    clearTimeout(timer);
    log.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // A supervisor that dies closes the IPC channel: nothing may be left running.
  process.on('disconnect', () => void stop('supervisor gone'));
  process.on('unhandledRejection', (err) => {
    log.fatal({ err }, 'unhandled rejection');
    process.exit(1);
  });
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'uncaught exception');
    process.exit(1);
  });
}

/** Tells a supervising parent, if there is one, that this process serves, and where. */
export function reportReady(details: Record<string, unknown> = {}): void {
  process.send?.({ ready: true, ...details });
}

/** Tells why this process cannot start, in one line, and ends it. */
export function failStart(message: string): never {
  process.send?.({ ready: false, message });
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
