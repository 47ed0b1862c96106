import { Readiness, type ServingCheck } from './readiness.ts';
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
  /** what /readyz looks at while the app runs */
  check?: ServingCheck;
  /** how long it serves on after SIGTERM, for load balancers to notice that it is not ready any more; 0 by default */
  drainSeconds?: number;
}

export interface App {
  /** begins the line about an unexpected error: `<name> cannot start: …` */
  name: string;
  /** besides StartError, the errors whose message is the line for the operator */
  expected: ErrorClass[];
  /** @param readiness is `starting` until this resolves, then `ready`, and `draining` after a signal */
  start(readiness: Readiness): Promise<StartedApp>;
}

const DEADLINE_MS = 9_000;
/** npm and supervisors pass a signal on that the process has got already: what comes so soon is the same one. */
export const SAME_SIGNAL_MS = 1000;

const ENDS = ['SIGTERM', 'SIGINT', 'disconnect'];

/**
 * The life of an app's process. It reports that it is ready, or in one line why it cannot start (exit 1). SIGTERM,
 * SIGINT, or the end of its parent close what was opened. Before it is ready, these end it at once with 0, because it
 * serves nothing yet.
 */
export async function runApp({ name, expected, start }: App): Promise<void> {
  const readiness = new Readiness();
  // As the first process of a container it would otherwise ignore signals: the kernel drops what has no handler there.
  const endAtOnce = () => process.exit(0);
  for (const event of ENDS) process.on(event, endAtOnce);
  try {
    const started = await start(readiness);
    closeOnSignal(started, readiness);
    for (const event of ENDS) process.off(event, endAtOnce);
    readiness.begin(started.check);
    reportReady(started.details);
    started.log.info(started.details ?? {}, 'ready');
  } catch (error) {
    failStart(lineFor(error, expected, `${name} cannot start`));
  }
}

/**
 * On SIGTERM or SIGINT it drains, closes what was opened, the last one first, and exits with 0. 9 s after the drain it
 * logs which resource does not close and exits with 1, so that the process is gone within 10 s. A second signal ends the
 * drain and changes nothing else. An uncaught error ends the process with 1: its supervisor starts a clean one.
 */
function closeOnSignal({ log, opened, drainSeconds = 0 }: StartedApp, readiness: Readiness): void {
  let endDrain: ((reason: string) => void) | undefined;
  const stop = async (reason: string) => {
    if (endDrain !== undefined) return endDrain(reason);
    readiness.drain();
    const drained = drain(drainSeconds, reason);
    endDrain = drained.end;
    log.info({ reason, ...(drainSeconds > 0 ? { drainSeconds } : {}) }, 'stopping');
    await drained.over;
    await closeAll(log, opened);
    log.info({}, 'stopped');
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // If the supervisor dies, the IPC channel closes. Nothing may be left running then.
  process.on('disconnect', () => void stop(SUPERVISOR_GONE));
  process.on('unhandledRejection', (err) => {
    log.fatal({ err }, 'unhandled rejection');
    process.exit(1);
  });
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'uncaught exception');
    process.exit(1);
  });
}

const SUPERVISOR_GONE = 'supervisor gone';

/** The time after a signal in which everything is served as before. `end` is told of each further signal. */
function drain(seconds: number, reason: string) {
  const since = performance.now();
  let finish = () => {};
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  // Without a supervisor nobody would stop what is left after a while, and a new one wants the port now.
  const timer = setTimeout(finish, reason === SUPERVISOR_GONE ? 0 : seconds * 1000);
  const end = (next: string) => {
    if (next !== SUPERVISOR_GONE && performance.now() - since < SAME_SIGNAL_MS) return;
    clearTimeout(timer);
    finish();
  };
  return { over, end };
}

async function closeAll(log: Log, opened: Closable[]): Promise<void> {
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
}
