import { copyFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const LARGEST = 64 * 1024 * 1024;
const EVERY_MS = 60_000;

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
