import { copyFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const LARGEST = 64 * 1024 * 1024;
const EVERY_MS = 60_000;

/** Keeps logs from filling the disk: one larger than 64 MiB becomes `<name>.1` and replaces the previous one. */
export function boundLogs(folders: string[]): () => void {
  const timer = setInterval(() => {
    for (const folder of folders) {
      try {
        for (const file of readdirSync(folder).filter((name) => name.endsWith('.log'))) bound(join(folder, file));
      } catch {
        // No such folder (REDIS_URL is set), or a full disk: the next round may succeed.
      }
    }
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Copies and empties the file instead of renaming it, because its writers keep it open and append. */
function bound(file: string): void {
  if (statSync(file).size < LARGEST) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
}
