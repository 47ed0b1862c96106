import type { ChildProcess } from 'node:child_process';

/** What a process reports over IPC to its parent: that it serves and where, or why it cannot. */
export type Report = { ready: true; [detail: string]: unknown } | { ready: false; message: string };

/** How a start went. `reason` is a signal's name or `exit code <n>`. */
export type Start =
  | { outcome: 'ready'; details: Record<string, unknown> }
  | { outcome: 'refused'; message: string }
  | { outcome: 'ended'; reason: string }
  | { outcome: 'late' };

/** Reports to the parent, if there is one, that this process serves, and where. */
export function reportReady(details: Record<string, unknown> = {}): void {
  send({ ready: true, ...details });
}

/** Reports in one line, to the parent and on stderr, why this process cannot start, and exits with 1. */
export function failStart(message: string): never {
  send({ ready: false, message });
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function send(report: Report): void {
  process.send?.(report);
}

/** @returns undefined if the message is not a report */
export function readReport(message: unknown): Report | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message)) return undefined;
  if (message.ready === true) return { ...message, ready: true };
  return { ready: false, message: 'message' in message ? String(message.message) : 'it does not say why' };
}

/** Waits for the report of a child with an IPC channel, and kills it at the deadline. Never rejects. */
export function whenReady(child: ChildProcess, deadlineMs: number): Promise<Start> {
  return new Promise((resolve) => {
    const end = (start: Start) => {
      clearTimeout(timer);
      resolve(start);
    };
    const timer = setTimeout(() => {
      end({ outcome: 'late' });
      child.kill('SIGKILL');
    }, deadlineMs);
    child.on('message', (message: unknown) => {
      const report = readReport(message);
      if (report === undefined) return;
      end(report.ready ? { outcome: 'ready', details: report } : { outcome: 'refused', message: report.message });
    });
    void whenGone(child).then((reason) => end({ outcome: 'ended', reason }));
  });
}

/** Resolves with a readable reason when the process has ended or could not be started. Never rejects. */
export function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
  });
}
