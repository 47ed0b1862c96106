import { setTimeout as pause } from 'node:timers/promises';
import { oneLine, StartError } from '@ruyi/process';
import { isAlive } from './processIdentity.ts';
import type { RunFolder, RunningProcess } from './runFolder.ts';

const DEADLINE_MS = 10_000;

/** The name of redis-server in the list of processes, `redis-2` if there are several; it is ended last. */
export const REDIS = 'redis';
const isRedis = (name: string): boolean => /^redis(-\d+)?$/.test(name);

/**
 * Ends what a supervisor left running when it was killed (-9). Its children notice that it is gone and stop, but they
 * must have ended before their ports are used again. Two redis-servers on one folder would corrupt it.
 */
export async function endLeftovers(run: RunFolder, say: (line: string) => void): Promise<void> {
  const left = run.processes().filter(isAlive);
  if (left.length === 0) return;
  say(`ending what an earlier start left running: ${left.map(({ name }) => name).join(', ')}`);
  await endAll(left.filter(({ name }) => !isRedis(name)));
  await endAll(left.filter(({ name }) => isRedis(name)));
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
