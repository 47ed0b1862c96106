import { fileURLToPath } from 'node:url';
import { startProcess, type TestProcess } from '@ruyi/testkit';
import { afterEach } from 'vitest';
import type { TestLanes } from './harness.ts';

const WORKER = fileURLToPath(new URL('./fixtures/worker.mjs', import.meta.url));

export interface WorkerProcesses {
  start(workers: number): Promise<TestProcess[]>;
  living(): TestProcess[];
}

/** Worker processes on these lanes, so many of each kind. They end with the test that starts them. */
export function workerProcesses(lanes: TestLanes, count: number): WorkerProcesses {
  const started: TestProcess[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((worker) => worker.kill('SIGKILL')));
  });
  return {
    async start(workers) {
      const env = { REDIS_URL: lanes.redis.url, LANES: String(count) };
      const some = await Promise.all(Array.from({ length: workers }, () => startProcess(WORKER, env)));
      started.push(...some);
      return some;
    },
    living: () => started.filter(({ child }) => child.exitCode === null && child.signalCode === null),
  };
}
