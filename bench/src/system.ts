import { fileURLToPath } from 'node:url';
import type { BatchProgress, SendBatchAnswer } from '@ruyi/contracts';
import { startProcess, startRedis, type TestProcess, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { openHttp } from './http.ts';

const app = (name: string) => fileURLToPath(new URL(`../../apps/${name}/dist/main.js`, import.meta.url));

/** The real processes on a real redis-server (AOF, everysec), each started separately. Nothing of it is left behind. */
export interface System {
  redis: TestRedis;
  address: string;
  api: TestProcess;
  workers: TestProcess[];
  post<T>(path: string, body: object | string): Promise<T>;
  get<T>(path: string): Promise<T>;
  startWorker(): Promise<TestProcess>;
  stop(): Promise<void>;
}

export async function startSystem(
  options: { workers?: number; indexer?: boolean; env?: Record<string, string> } = {},
): Promise<System> {
  const redis = await startRedis({ appendonly: true });
  const folder = tempDir('bench');
  const env = { REDIS_URL: redis.url, DATA_DIR: folder.path, PORT: '0', LOG_LEVEL: 'warn', ...options.env };
  const workers: TestProcess[] = [];
  const startWorker = async () => {
    const worker = await startProcess(app('worker'), env);
    workers.push(worker);
    return worker;
  };
  for (let i = 0; i < (options.workers ?? 1); i++) await startWorker();
  const indexer = options.indexer ? await startProcess(app('indexer'), env) : undefined;
  const api = await startProcess(app('api'), env);
  const address = String(api.details.address);
  const http = openHttp(address);
  return {
    redis,
    address,
    api,
    workers,
    startWorker,
    post: (path, body) => http.post(path, typeof body === 'string' ? body : JSON.stringify(body)),
    get: http.get,
    async stop() {
      await http.close();
      await api.kill('SIGTERM');
      await indexer?.kill('SIGTERM');
      await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
      await redis.stop();
      folder.remove();
    },
  };
}

export const payloadOf = (bytes: number): string =>
  Buffer.from(JSON.stringify({ type: 1, content: 'x'.repeat(Math.max(1, bytes - 23)) })).toString('base64');

/** Request bodies of batches, made before the measurement starts. */
export function batchBodies(from: string, batches: number, size: number, payload = payloadOf(136)): string[] {
  return Array.from({ length: batches }, (_, batch) => {
    const subscribers = Array.from({ length: size }, (_, i) => `user_${batch * size + i}`);
    return JSON.stringify({ from_uid: from, payload, subscribers });
  });
}

/** Posts batches, a few at a time, and waits until all of them are stored. */
export async function broadcast(system: System, bodies: string[], connections = 4): Promise<void> {
  const queue = bodies.values();
  const accepted: SendBatchAnswer[] = [];
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (const body of queue) accepted.push(await system.post<SendBatchAnswer>('/message/sendbatch', body));
    }),
  );
  for (const { batch_no } of accepted) {
    const isDone = async () => {
      const { state, failed } = await system.get<BatchProgress>(`/message/sendbatch/${batch_no}`);
      if (failed > 0) throw new Error(`${failed} recipients of ${batch_no} failed`);
      return state === 'done';
    };
    await waitFor(isDone, { what: `batch ${batch_no}`, deadlineMs: 300_000, everyMs: 10 });
  }
}

/** Seconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
