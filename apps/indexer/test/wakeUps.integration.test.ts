import { loadConfig } from '@ruyi/config';
import { wakeIndexer } from '@ruyi/queue';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { tempDir, waitFor } from '@ruyi/testkit';
import { test } from 'vitest';
import { startIndexer } from '../src/indexer.ts';
import { testDraining } from './drainHarness.ts';
import { LIMITS } from './harness.ts';

const { redis, ends, storeWorld, drainer, expectAllIndexed } = testDraining();

/** Starts an indexer, as its process does. @returns what reads its index */
async function indexerOnItsOwn(): Promise<SearchEngine> {
  const own = tempDir('indexer');
  const config = loadConfig({ REDIS_URL: redis.redis.url, DATA_DIR: own.path, SHARDS: '8', LANES: '2' });
  const indexer = await startIndexer(config, createLog('indexer', 'silent'));
  const reader = createSearchEngine(config, 'reader');
  ends.push(
    own.remove,
    () => indexer.close(),
    () => reader.close(),
  );
  return reader;
}
const untilEmpty = (store: Store) =>
  waitFor(async () => (await store.outboxes.reading()).references === 0, { what: 'the outboxes to be empty' });

test('an indexer finds what nobody has woken it for', async () => {
  const store = redis.open();
  const reader = await indexerOnItsOwn();
  const world = await storeWorld(store);
  await untilEmpty(store);
  await expectAllIndexed(store, world, undefined, reader);
});

test('an indexer that starts does not wait for wake-ups that a dead one seems to work', async () => {
  const store = redis.open();
  const { queues } = drainer().context;
  const active = queues.index.toKey('active');
  for (let group = 0; group < LIMITS.shards.count; group++) await wakeIndexer(queues, group);
  await queues.redis.rename(queues.index.toKey('wait'), active);
  for (const id of await queues.redis.lrange(active, 0, -1))
    await queues.redis.set(`${queues.index.toKey(id)}:lock`, 'dead');
  const world = await storeWorld(store);
  const reader = await indexerOnItsOwn();
  await untilEmpty(store);
  await expectAllIndexed(store, world, undefined, reader);
});
