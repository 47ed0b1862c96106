/** The exit code of a command that Ctrl-C has ended. */
export const INTERRUPTED = 130;

/** What Ctrl-C, or the end of the terminal, does to a command: it ends it, but not what it has begun. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A signal that the first Ctrl-C aborts; the second ends the process at once. Close it when the work is done. */
export function onInterrupt(): { signal: AbortSignal; close(): void } {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(INTERRUPTED);
    abort.abort(new Interrupted('interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    signal: abort.signal,
    close() {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
