import { connect } from '@ruyi/redis';
import { createStore } from '@ruyi/store';
import { startRedis, tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { rebuildFromRedis } from '../src/rebuild.ts';
import { LIMITS, storeMessages } from './harness.ts';

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
