import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { loadConfig } from '@ruyi/config';
import { INDEX, openQueues } from '@ruyi/queue';
import { keys } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { tempDir, waitFor } from '@ruyi/testkit';
import { afterEach, expect, test } from 'vitest';
import { startIndexer } from '../src/indexer.ts';
import { storeBatch, testStores } from './harness.ts';

const redis = testStores();
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** An argument of the command that completes a job. */
const COMPLETES = '\r\nreturnvalue\r\n';

/**
 * A way to Redis on which the first completion of a job gets lost: `before` is done instead, then the connection ends.
 * @returns its port
 */
async function losingTheFirstCompletion(before: () => Promise<unknown>): Promise<number> {
  let isLost = false;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const target = connectTcp(redis.redis.port, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    target.pipe(client);
    client.on('data', (data) => {
      if (isLost || !data.includes(COMPLETES)) target.write(data);
      else {
        isLost = true;
        void before().finally(() => client.destroy());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return port;
}

// A completion that is sent once more by the connection would stand, because the job and its lock were there before the loss.
test('what Redis forgot while the completion of an index job was on its way is noted again', async () => {
  const store = redis.open();
  const queues = openQueues(redis.connect(), 2);
  const { ref, jobs } = await storeBatch(store, ['u1'], {});
  const progress = keys.progress(ref);
  const before = await redis.redis.client.hgetall(progress);
  let forgotten: number | undefined;
  const port = await losingTheFirstCompletion(async () => {
    forgotten = (await store.progress.read(ref))?.indexed;
    await redis.redis.client.multi().del(progress).hset(progress, before).exec();
  });
  const folder = tempDir('indexer');
  ends.push(folder.remove, () => queues.close());
  const settings = { REDIS_URL: `redis://127.0.0.1:${port}`, DATA_DIR: folder.path, SHARDS: '8', LANES: '2' };
  const indexer = await startIndexer(loadConfig(settings), createLog('indexer', 'silent'));
  ends.push(() => indexer.close());
  for (const job of jobs) await queues.index.add(INDEX.name, job, { jobId: 'i-a.1' });
  await waitFor(async () => (await queues.index.getCompletedCount()) === 1, { what: 'the job to be completed' });
  expect(forgotten).toBe(1);
  expect((await store.progress.read(ref))?.indexed).toBe(1);
});
