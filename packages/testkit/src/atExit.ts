import { rmSync } from 'node:fs';

/** Process groups and folders that must not outlive the test process, however it ends (except kill -9). */
const groups = new Set<number>();
const folders = new Set<string>();
let installed = false;

/** Ends a process and whatever it has started; `pid` leads its own group (spawned with `detached`). */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // 0 would be the test process' own group.
  if (pid <= 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already.
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

/** Kills the group at the end of the test process; call the result when it has ended by itself. */
export function endAtExit(pid: number): () => void {
  if (pid <= 0) return () => {};
  install();
  groups.add(pid);
  return () => groups.delete(pid);
}

/** Removes the folder at the end of the test process; call the result when it was removed before. */
export function removeAtExit(folder: string): () => void {
  install();
  folders.add(folder);
  return () => folders.delete(folder);
}

/** The ids of the processes that this test process has started and that have not been seen to end. */
export const runningGroups = (): number[] => [...groups];
