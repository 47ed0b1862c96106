import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setPriority } from 'node:os';
import { busyPort, type Listening } from './ports.ts';
import { whenGone, whenReady } from './ready.ts';
import { StartError } from './startError.ts';
import type { Launched } from './supervised.ts';

export interface ChildPlan {
  name: string;
  /** the compiled main.js */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** takes stderr always, and stdout unless `logToTerminal` */
  logFile: string;
  logToTerminal: boolean;
  /** the nice value; background work must not slow sending */
  nice?: number;
  listening?: Listening;
}

const READY_DEADLINE_MS = 60_000;
/** bytes that are read from the end of a log */
const TAIL = 4096;

/**
 * Forks one of the apps in a new session. So the terminal's Ctrl-C reaches only the supervisor, which then stops its
 * children in order.
 */
export function launchChild(plan: ChildPlan): Launched {
  const log = openSync(plan.logFile, 'a');
  const child = fork(plan.entry, [], {
    env: plan.env,
    execArgv: [],
    stdio: ['ignore', plan.logToTerminal ? 'inherit' : log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  if (plan.nice !== undefined && child.pid !== undefined) lowerPriority(child.pid, plan.nice);
  const ready = detailsOf(plan, child);
  // A listener is added later, or never if the supervisor stops first.
  ready.catch(() => {});
  return { pid: child.pid ?? 0, ready, gone: whenGone(child), signal: (signal) => void child.kill(signal) };
}

function lowerPriority(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
  } catch {
    // The child has ended already, or the system forbids it. Neither is a reason to stop.
  }
}

/** @throws StartError with the reason of the child, or with the name of its log file if it gave none */
async function detailsOf(plan: ChildPlan, child: ChildProcess): Promise<Record<string, unknown>> {
  const { name, listening, logFile } = plan;
  const start = await whenReady(child, READY_DEADLINE_MS);
  switch (start.outcome) {
    case 'ready':
      return start.details;
    case 'refused':
      throw new StartError(start.message.includes('EADDRINUSE') && listening ? busyPort(listening) : start.message);
    case 'late':
      throw new StartError(`${name} was not ready within ${READY_DEADLINE_MS / 1000} s; see ${logFile}`);
    case 'ended': {
      const error = errorInLog(logFile);
      throw new StartError(
        `${name} ended before it was ready (${start.reason})${error ? `: ${error}` : ''}; see ${logFile}`,
      );
    }
  }
}

/** The last line of a log that looks like an uncaught error: `Error: Cannot find module …`. */
function errorInLog(file: string): string | undefined {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, TAIL));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const lines = tail.toString('utf8').split('\n');
    return lines.findLast((line) => /^\w*(Error|Exception)\b/.test(line));
  } finally {
    closeSync(fd);
  }
}
