import { loadConfig } from '@ruyi/config';
import { connect } from '@ruyi/redis';
import { createSearchEngine } from '@ruyi/search';
import { createStore, keys } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { startRedis, tempDir, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { rebuildFromRedis } from '../src/rebuild.ts';
import { startRebuilder } from '../src/rebuilder.ts';
import { LIMITS, storeBatch, storeMessages } from './harness.ts';

const LOGS = 3000;

// After a restart Redis has its keys in another order, so a scan that continues with its cursor misses some of them.
test('a rebuild during which Redis is restarted leaves nothing out', async () => {
  const redis = await startRedis({ appendonly: true });
  const folder = tempDir('rebuild');
  const connection = connect(redis.url, 'background', 'test');
  connection.on('error', () => {});
  const store = createStore(connection, LIMITS);
  try {
    await storeMessages(
      store,
      Array.from({ length: LOGS }, (_, i) => ({ ch: `2:room${i}` })),
    );
    const taken = new Set<string>();
    let restarts = 0;
    const take = async (documents: { id: string }[]) => {
      for (const { id } of documents) taken.add(id);
      if (++restarts > 2) return;
      await redis.restart();
      await connection.ping().catch(() => {});
    };
    const signal = new AbortController().signal;
    const attempt = () =>
      rebuildFromRedis({ store, directory: folder.path, id: 'one', resume: true, take, signal }).then(
        () => true,
        () => false,
      );
    let attempts = 1;
    while (!(await attempt()) && attempts < 20) attempts++;
    expect(restarts).toBeGreaterThan(2);
    expect(taken.size).toBe(LOGS);
  } finally {
    connection.disconnect();
    folder.remove();
    await redis.stop();
  }
});

test('what Redis forgot at a restart after it was noted by a rebuild is noted again', async () => {
  const redis = await startRedis({ appendonly: true });
  const folder = tempDir('rebuild');
  const connection = connect(redis.url, 'background', 'test');
  connection.on('error', () => {});
  const store = createStore(connection, LIMITS);
  const engine = createSearchEngine(loadConfig({ REDIS_URL: redis.url, DATA_DIR: folder.path }), 'writer');
  const abort = new AbortController();
  let stop = async () => {};
  try {
    await engine.prepare();
    const { ref } = await storeBatch(store, ['u1'], {});
    const progress = keys.progress(ref);
    const before = await redis.client.hgetall(progress);
    const forgotten: (number | undefined)[] = [];
    const durably: typeof store.durably = async (written, work) => {
      await store.durably(written, work);
      if (written.length === 0 || forgotten.length > 0) return;
      forgotten.push((await store.progress.read(ref))?.indexed);
      await redis.client.multi().del(progress).hset(progress, before).exec();
      await redis.restart();
    };
    await store.rebuilds.request('a test');
    const log = createLog('indexer', 'silent');
    const forgetful = { ...store, durably };
    stop = startRebuilder({ store: forgetful, engine, directory: folder.path, signal: abort.signal, log });
    await waitFor(async () => (await store.rebuilds.requested()) === undefined, { what: 'a rebuild' });
    await stop();
    stop = startRebuilder({ store, engine, directory: folder.path, signal: abort.signal, log });
    await waitFor(async () => (await store.rebuilds.requested()) === undefined, {
      what: 'rebuilds',
      deadlineMs: 20_000,
    });
    expect(forgotten).toEqual([1]);
    expect((await store.progress.read(ref))?.indexed).toBe(1);
  } finally {
    abort.abort();
    await stop();
    await engine.close();
    connection.disconnect();
    folder.remove();
    await redis.stop();
  }
});
