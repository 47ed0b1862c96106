import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
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
  /** it listens on the same port as other children of this kind, and gets a part of the connections */
  sharesPort?: boolean;
}

type Stdio = ('ignore' | 'inherit' | 'ipc' | number)[];

const READY_DEADLINE_MS = 60_000;
/** bytes that are read from the end of a log */
const TAIL = 4096;

/** Forks one of the apps. */
export function launchChild(plan: ChildPlan): Launched {
  const log = openSync(plan.logFile, 'a');
  const stdio: Stdio = ['ignore', plan.logToTerminal ? 'inherit' : log, log, 'ipc'];
  const child = plan.sharesPort === true ? forkSharing(plan, stdio) : forkAlone(plan, stdio);
  closeSync(log);
  if (plan.nice !== undefined && child.pid !== undefined) lowerPriority(child.pid, plan.nice);
  const ready = detailsOf(plan, child);
  // A listener is added later, or never if the supervisor stops first.
  ready.catch(() => {});
  return { pid: child.pid ?? 0, ready, gone: whenGone(child), signal: (signal) => void child.kill(signal) };
}

/**
 * In a new session, so that the terminal's Ctrl-C reaches only the supervisor, which then stops its children in order.
 */
function forkAlone({ entry, env }: ChildPlan, stdio: Stdio): ChildProcess {
  return fork(entry, [], { env, execArgv: [], stdio, detached: true });
}

/**
 * The supervisor holds the port for all who share it, and each of them accepts by itself: a connection never waits for the
 * supervisor, nor for one of them that hangs. node:cluster cannot start a new session: a Ctrl-C reaches them twice, from the
 * terminal and from the supervisor, which is the same to them as once.
 */
function forkSharing({ entry, env }: ChildPlan, stdio: Stdio): ChildProcess {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: entry, args: [], execArgv: [], stdio });
  const worker = cluster.fork(env);
  // whenGone listens to the process itself.
  worker.on('error', () => {});
  return worker.process;
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
