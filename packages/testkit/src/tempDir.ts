import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAtExit } from './atExit.ts';

export interface TempDir {
  path: string;
  /** Removes it; otherwise the end of the test process does. */
  remove(): void;
}

/** A new empty folder of this test's own. */
export function tempDir(name = 'test'): TempDir {
  const path = mkdtempSync(join(tmpdir(), `ruyi-${name}-`));
  const removed = removeAtExit(path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true });
      removed();
    },
  };
}
