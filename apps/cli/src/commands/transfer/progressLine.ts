const EVERY_MS = 250;

/** A line on stderr that is rewritten a few times a second; nothing if stderr is no terminal. */
export function progressLine(): { show(text: () => string): void; end(): void } {
  let last = 0;
  return {
    show(text) {
      if (!process.stderr.isTTY || performance.now() - last < EVERY_MS) return;
      last = performance.now();
      process.stderr.write(`\r\x1b[K${text()}`);
    },
    end() {
      if (last > 0) process.stderr.write('\r\x1b[K');
    },
  };
}

/** `12 messages, 1 channel`, in the order in which they are given. */
export const listOf = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([kind, count]) => `${count.toLocaleString('en')} ${kind}`)
    .join(', ') || 'nothing';
