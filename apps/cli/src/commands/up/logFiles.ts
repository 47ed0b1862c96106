import { closeSync, copyFileSync, fstatSync, openSync, readdirSync, readSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const LARGEST = 64 * 1024 * 1024;
const EVERY_MS = 60_000;
const TAIL = 4096;

/** The last line of a log that looks like an uncaught error: `Error: Cannot find module …`. */
export function errorInLog(file: string): string | undefined {
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

/** Logs must not fill the disk: one that has grown past 64 MiB becomes `<name>.1`, in place of the one before. */
export function boundLogs(folders: string[]): () => void {
  const timer = setInterval(() => {
    for (const folder of folders) {
      try {
        for (const file of readdirSync(folder).filter((name) => name.endsWith('.log'))) bound(join(folder, file));
      } catch {
        // No such folder (REDIS_URL is set), or a full disk: the next round may do better.
      }
    }
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Its writers append and keep it open, so it is copied and emptied, not renamed. */
function bound(file: string): void {
  if (statSync(file).size < LARGEST) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
}
