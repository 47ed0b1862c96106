import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataDir } from './dataDir.ts';
import type { ProcessIdentity } from './processIdentity.ts';

/** A process of this installation, recorded so that the next start finds it if the supervisor is killed. */
export interface RunningProcess extends ProcessIdentity {
  name: string;
}

/** DATA_DIR/run: the lock, the running processes, and the address of their Redis. */
export interface RunFolder {
  readonly path: string;
  processes(): RunningProcess[];
  noteProcesses(processes: RunningProcess[]): void;
  noteRedisUrl(url: string): void;
  /** Removes the records: nothing runs any more. */
  clear(): void;
}

/** @throws StartError if DATA_DIR cannot be written or cannot be closed to others */
export function openRunFolder(dataDir: string): RunFolder {
  openDataDir(dataDir);
  const path = join(dataDir, 'run');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const processesFile = join(path, 'processes.json');
  const urlFile = redisUrlFile(dataDir);
  return {
    path,
    processes() {
      try {
        return JSON.parse(readFileSync(processesFile, 'utf8'));
      } catch {
        return [];
      }
    },
    noteProcesses: (processes) => write(processesFile, JSON.stringify(processes)),
    noteRedisUrl: (url) => write(urlFile, url),
    clear() {
      rmSync(processesFile, { force: true });
      rmSync(urlFile, { force: true });
    },
  };
}

/**
 * The file from which other commands read the Redis address of a running `ruyi up`. It may hold a password: owner
 * only.
 */
export const redisUrlFile = (dataDir: string): string => join(dataDir, 'run', 'redis-url');

/** Writes all or nothing: a reader, or a start after kill -9, never sees half a file. */
function write(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}
