import { type ChildProcess, fork } from 'node:child_process';
import { readReport, StartError, whenReady } from '@ruyi/process';
import { endAtExit, signalGroup } from './atExit.ts';
import { waitFor } from './waitFor.ts';

export interface ProcessOptions {
  /** arguments of the program */
  args?: string[];
  /** arguments of node, e.g. ['--conditions=ruyi-source'] */
  execArgv?: string[];
  cwd?: string;
  /** resolve at once instead of waiting for `{ready:true}` over IPC */
  waitForReady?: boolean;
  deadlineMs?: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface TestProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** its details from `{ready:true, …}` */
  readonly details: Record<string, unknown>;
  /** stdout and stderr so far, in the order in which they arrived */
  readonly output: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: Promise<Exit>;
  /** Signals this process (SIGTERM by default). Resolves when it is gone, or at once if the signal does not end it. */
  kill(signal?: NodeJS.Signals): Promise<Exit | undefined>;
  /** Ends its drain: signals it again and again, because what follows its first signal too soon is the same one to it. */
  endDrain(): Promise<Exit>;
}

const HARMLESS: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'];

/**
 * Starts a Node program (`apps/api/dist/main.js`) and waits until it reports `{ready:true}` over IPC. Its environment
 * is PATH, HOME and `env`; it inherits nothing else. The program and everything it starts are killed when the test
 * process ends.
 * @throws StartError if it reports `{ready:false,message}`, ends before it is ready, or is not ready at the deadline (60 s)
 */
export async function startProcess(
  entry: string,
  env: Record<string, string> = {},
  { args = [], execArgv = [], cwd, waitForReady = true, deadlineMs = 60_000 }: ProcessOptions = {},
): Promise<TestProcess> {
  const child = fork(entry, args, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    execArgv,
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  const started = wrap(child);
  if (!waitForReady) return started;
  const start = await whenReady(child, deadlineMs);
  if (start.outcome === 'ready') return started;
  signalGroup(started.pid, 'SIGKILL');
  if (start.outcome === 'refused') throw new StartError(start.message);
  const what =
    start.outcome === 'late' ? `was not ready within ${deadlineMs} ms` : `ended (${start.reason}) before it was ready`;
  // After its exit the output is complete. A process that never started has no output.
  if (started.pid > 0) await started.exit;
  throw new StartError(`${entry} ${what}:\n${started.output}`);
}

function wrap(child: ChildProcess): TestProcess {
  const written = { all: '', stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      written.all += text;
      written[stream] += text;
    });
  }
  const details: Record<string, unknown> = {};
  child.on('message', (message: unknown) => {
    Object.assign(details, readReport(message));
  });
  const pid = child.pid ?? 0;
  const ended = endAtExit(pid);
  // 'close' follows 'exit' when the output is complete. A grandchild that holds the pipe must not delay it for ever.
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended();
      // This process may have stood still for so long: what lies in the pipes is read first.
      setTimeout(() => setImmediate(() => resolve({ code, signal })), 500).unref();
      child.once('close', () => resolve({ code, signal }));
    });
  });
  return {
    pid,
    child,
    details,
    exit,
    get output() {
      return written.all;
    },
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    async kill(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return HARMLESS.includes(signal) ? undefined : exit;
    },
    async endDrain() {
      const isGone = () => child.exitCode !== null || child.signalCode !== null || !child.kill('SIGTERM');
      await waitFor(isGone, { what: 'the drain to end' });
      return exit;
    },
  };
}
