import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAtExit } from './atExit.ts';

export interface TempDir {
  path: string;
  /** Removes the folder; otherwise it is removed at the end of the test process. */
  remove(): void;
}

/** Creates an empty folder. */
export function tempDir(name = 'test'): TempDir {
  const path = mkdtempSync(join(tmpdir(), `ruyi-${name}-`));
  const removed = removeAtExit(path);
  return {
    path,
    remove() {
      // A process that is just ending may still write into it.
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      removed();
    },
  };
}
