import { rmSync } from 'node:fs';

/** Process groups and folders that must not outlive the test process, however it ends (except kill -9). */
const groups = new Set<number>();
const folders = new Set<string>();
let installed = false;

/** Signals a process and everything it has started. `pid` must lead its own group (spawned with `detached`). */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // 0 means the group of the test process.
  if (pid <= 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

function install(): void {
  if (installed) return;
  installed = true;
  process.on('exit', () => {
    for (const pid of groups) signalGroup(pid, 'SIGKILL');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}

/** Kills the group at the end of the test process. @returns to be called when the group has ended by itself */
export function endAtExit(pid: number): () => void {
  if (pid <= 0) return () => {};
  install();
  groups.add(pid);
  return () => groups.delete(pid);
}

/** Removes the folder at the end of the test process. @returns to be called when the folder was removed earlier */
export function removeAtExit(folder: string): () => void {
  install();
  folders.add(folder);
  return () => folders.delete(folder);
}

/** The ids of the started processes that are not known to have ended. */
export const runningGroups = (): number[] => [...groups];
