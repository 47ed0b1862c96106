import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { errorInLog } from './logFiles.ts';
import { busyPort, type Listening } from './ports.ts';
import { StartError } from './startError.ts';
import type { Launched } from './supervised.ts';

export interface ChildPlan {
  name: string;
  /** the compiled main.js */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** stderr always goes there, stdout too unless `logToTerminal` */
  logFile: string;
  logToTerminal: boolean;
  /** raises the nice value: what runs in the background must not slow sending */
  nice?: number;
  listening?: Listening;
}

const READY_DEADLINE_MS = 60_000;

/**
 * Forks one of the apps. It leads a session of its own, so the terminal's Ctrl-C reaches only the supervisor, which then
 * stops the children in order.
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
  const gone = whenGone(child);
  const ready = whenReady(plan, child, gone);
  // Its listener comes later, or never when the supervisor stops meanwhile.
  ready.catch(() => {});
  return { pid: child.pid ?? 0, ready, gone, signal: (signal) => void child.kill(signal) };
}

function lowerPriority(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
  } catch {
    // It has ended already, or this system does not let us; both are no reason to stop.
  }
}

export function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
  });
}

/** The other half of reportReady and failStart in packages/telemetry. */
function whenReady(plan: ChildPlan, child: ChildProcess, gone: Promise<string>): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const fail = (line: string) => {
      clearTimeout(timer);
      reject(new StartError(line));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`${plan.name} was not ready within ${READY_DEADLINE_MS / 1000} s; see ${plan.logFile}`);
    }, READY_DEADLINE_MS);
    child.on('message', (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('ready' in message)) return;
      if (message.ready === true) {
        clearTimeout(timer);
        resolve({ ...message });
      } else {
        const reason = 'message' in message ? String(message.message) : `${plan.name} cannot start`;
        fail(reason.includes('EADDRINUSE') && plan.listening ? busyPort(plan.listening) : reason);
      }
    });
    void gone.then((reason) => {
      const error = errorInLog(plan.logFile);
      fail(`${plan.name} ended before it was ready (${reason})${error ? `: ${error}` : ''}; see ${plan.logFile}`);
    });
  });
}
