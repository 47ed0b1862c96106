import { failStart, reportReady } from './ready.ts';
import { type ErrorClass, lineFor } from './startError.ts';

/** A resource that a process has opened and must close. */
export interface Closable {
  name: string;
  close(): Promise<unknown> | unknown;
}

/** The part of packages/telemetry's logger that is used here. */
interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
}

export interface StartedApp {
  log: Log;
  /** in the order in which it was opened */
  opened: Closable[];
  /** where it serves; reported to the parent and logged */
  details?: Record<string, unknown>;
}

export interface App {
  /** begins the line about an unexpected error: `<name> cannot start: …` */
  name: string;
  /** besides StartError, the errors whose message is the line for the operator */
  expected: ErrorClass[];
  start(): Promise<StartedApp>;
}

const DEADLINE_MS = 9_000;

const ENDS = ['SIGTERM', 'SIGINT', 'disconnect'];

/**
 * The life of an app's process. It reports that it is ready, or in one line why it cannot start (exit 1). SIGTERM,
 * SIGINT, or the end of its parent close what was opened. Before it is ready, these end it at once with 0, because it
 * serves nothing yet.
 */
export async function runApp({ name, expected, start }: App): Promise<void> {
  // As the first process of a container it would otherwise ignore signals: the kernel drops what has no handler there.
  const endAtOnce = () => process.exit(0);
  for (const event of ENDS) process.on(event, endAtOnce);
  try {
    const { log, opened, details = {} } = await start();
    closeOnSignal(log, opened);
    for (const event of ENDS) process.off(event, endAtOnce);
    reportReady(details);
    log.info(details, 'ready');
  } catch (error) {
    failStart(lineFor(error, expected, `${name} cannot start`));
  }
}

/**
 * On SIGTERM or SIGINT it closes what was opened, the last one first, and exits with 0. After 9 s it logs which
 * resource does not close and exits with 1, so that the process is gone within 10 s. A second signal changes nothing.
 * An uncaught error ends the process with 1: its supervisor starts a clean one.
 */
function closeOnSignal(log: Log, opened: Closable[]): void {
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
    log.info({}, 'stopped');
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // If the supervisor dies, the IPC channel closes. Nothing may be left running then.
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
