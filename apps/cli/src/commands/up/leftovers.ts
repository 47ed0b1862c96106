import { setTimeout as pause } from 'node:timers/promises';
import { oneLine, StartError } from '@ruyi/process';
import { isAlive } from './processIdentity.ts';
import type { RunFolder, RunningProcess } from './runFolder.ts';

const DEADLINE_MS = 10_000;

/** The name under which redis-server is noted; it is ended last. */
export const REDIS = 'redis';

/**
 * Ends what a supervisor that was killed (-9) has left running: its children notice by themselves that it is gone, but
 * must have ended before their ports are used again; two redis-servers on one folder would ruin it.
 */
export async function endLeftovers(run: RunFolder, say: (line: string) => void): Promise<void> {
  const left = run.processes().filter(isAlive);
  if (left.length === 0) return;
  say(`ending what an earlier start has left running: ${left.map(({ name }) => name).join(', ')}`);
  await endAll(left.filter(({ name }) => name !== REDIS));
  await endAll(left.filter(({ name }) => name === REDIS));
}

async function endAll(processes: RunningProcess[]): Promise<void> {
  for (const one of processes) signal(one, 'SIGTERM');
  const deadline = performance.now() + DEADLINE_MS;
  while (processes.some(isAlive)) {
    if (performance.now() > deadline) {
      for (const one of processes.filter(isAlive)) signal(one, 'SIGKILL');
    }
    await pause(50);
  }
}

function signal(one: RunningProcess, name: NodeJS.Signals): void {
  try {
    process.kill(one.pid, name);
  } catch (error) {
    if (isAlive(one))
      throw new StartError(`${one.name} of an earlier start (process ${one.pid}) cannot be ended: ${oneLine(error)}`);
  }
}
