import { loadConfig } from '@ruyi/config';
import { Batcher } from '@ruyi/flow';
import { groupOf, openQueues } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';
import { createSearchEngine, type RefusedDocument, type SearchDocument, type SearchEngine } from '@ruyi/search';
import { chunkReference, createStore, keys, markText, type Store, shardOf } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { tempDir, waitFor } from '@ruyi/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { type DrainContext, drainGroup } from '../src/drainOutboxes.ts';
import { handleIndexJob } from '../src/handleIndexJob.ts';
import { startIndexer } from '../src/indexer.ts';
import { found, LIMITS, payload, storeBatch, storeMessages, testStores } from './harness.ts';

const redis = testStores();
const ROOMS = ['2:room', '2:other', '2:third'];
const CONTENT = payload({ content: '你好' });
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Messages to three rooms and a batch, whose chunk is handed over as a worker does. @returns the batch */
async function storeAll(store: Store): Promise<string> {
  await storeMessages(
    store,
    ROOMS.flatMap((ch) => [1, 2, 3].map(() => ({ ch, payload: CONTENT }))),
  );
  const { ref, jobs } = await storeBatch(store, ['u1', 'u2', 'u3'], { payload: CONTENT });
  for (const { broadcast } of jobs) {
    if (!broadcast) continue;
    const reference = chunkReference(Date.now(), 3, broadcast);
    await store.outboxes.push(shardOf('2:room', LIMITS.shards), [reference], 2, { mark: 'unused', isFull: false });
  }
  return ref;
}

async function newEngine(): Promise<SearchEngine> {
  const folder = tempDir('drain');
  const engine = createSearchEngine({ meiliUrl: '', meiliApiKey: '', dataDir: folder.path }, 'writer');
  ends.push(folder.remove, () => engine.close());
  await engine.prepare();
  return engine;
}

/** What an indexer drains with, whose engine and connection `around` stands before. */
type Around = (call: () => Promise<unknown>) => Promise<unknown>;
/** A death at a call that only reads is one before the next of these. */
const WRITES = ['trimOutbox', 'noteIndexed', 'set'];
function drainer(engine: SearchEngine, around: Around = (call) => call(), signal = new AbortController().signal) {
  const connection = redis.connect();
  const seen = new Proxy<RedisClient>(connection, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (!WRITES.includes(String(property))) return value.bind(target);
      return (...args: unknown[]) => around(() => Reflect.apply(value, target, args));
    },
  });
  const store = createStore(seen, LIMITS);
  const opened = openQueues(connection, 2);
  ends.push(() => opened.close());
  const queues = { ...opened, redis: seen };
  const log = { warn() {} };
  const batcher = new Batcher<SearchDocument, RefusedDocument[]>({ items: 2000, size: 1e6 }, async (documents) => {
    await around(() => engine.index(documents));
    return [];
  });
  const take = (document: SearchDocument) => batcher.add(document, 1);
  const context: DrainContext = {
    store,
    queues,
    index: async (job, id) => void (await handleIndexJob({ store, queues, take, signal, log }, job, id)),
    observe() {},
    isClosing: () => false,
    signal,
    log,
  };
  const drain = async (losses = () => 0) => {
    for (let group = 0; group < LIMITS.shards.count; group++) await drainGroup(context, group, losses);
  };
  return { context, drain };
}

/** How many messages of the rooms, and of the batch, are found by a member of all rooms and by each recipient. */
async function finds(engine: SearchEngine): Promise<number[]> {
  const lists = await Promise.all(['x', 'u1', 'u2', 'u3'].map((uid) => found(engine, uid, {}, ROOMS)));
  return lists.map((ids) => new Set(ids).size);
}

async function expectAllIndexed(store: Store, engine: SearchEngine, ref: string, what?: string): Promise<void> {
  expect(await finds(engine), what).toEqual([9, 10, 10, 10]);
  expect(await store.progress.read(ref), what).toMatchObject({ stored: 3, indexed: 3 });
  expect(await store.outboxes.reading(), what).toMatchObject({ references: 0, recipients: 0 });
}

describe('everything in the outboxes is indexed once, and then trimmed', () => {
  test('wherever an indexer dies', async () => {
    let steps = 0;
    const ref = await storeAll(redis.open());
    const whole = await newEngine();
    await drainer(whole, (call) => {
      steps++;
      return call();
    }).drain();
    await expectAllIndexed(redis.open(), whole, ref);
    expect(steps).toBeGreaterThan(6);
    for (let k = 1; k <= steps; k++) {
      for (const when of ['before', 'after'] as const) {
        await redis.redis.client.flushall();
        const store = redis.open();
        const batch = await storeAll(store);
        const engine = await newEngine();
        const death = new AbortController();
        let calls = 0;
        const dying: Around = async (call) => {
          death.signal.throwIfAborted();
          if (++calls < k) return call();
          if (when === 'after') await call();
          death.abort();
          throw new Error('died');
        };
        await expect(drainer(engine, dying, death.signal).drain()).rejects.toThrow();
        await drainer(engine).drain();
        await expectAllIndexed(store, engine, batch, `died ${when} call ${k}`);
      }
    }
  });

  test('also if two indexers are at it, of which one was frozen while messages came and went', async () => {
    const store = redis.open();
    const ref = await storeAll(store);
    const engine = await newEngine();
    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let frozen = 0;
    const zombie = drainer(engine);
    const index = zombie.context.index;
    zombie.context.index = async (...args) => {
      frozen++;
      await awake;
      return index(...args);
    };
    const groups = LIMITS.shards.tags.map((_, number) => groupOf(number));
    const late = Promise.all(groups.map((group) => drainGroup(zombie.context, group, () => 0)));
    await waitFor(() => frozen >= 2, { what: 'the zombie to have read' });
    await drainer(engine).drain();
    await expectAllIndexed(store, engine, ref);
    const more = ROOMS.map((ch) => ({ ch, payload: CONTENT }));
    await storeMessages(store, [...more, ...more, ...more]);
    wake();
    await late;
    await drainer(engine).drain();
    expect(await finds(engine)).toEqual([18, 19, 19, 19]);
    expect((await store.outboxes.reading()).references).toBe(0);
  });

  test('also what Redis forgot while it was indexed is noted again, before it is trimmed', async () => {
    const store = redis.open();
    const ref = await storeAll(store);
    const engine = await newEngine();
    const { context, drain } = drainer(engine);
    const index = context.index;
    const progress = keys.progress(ref);
    const before = await redis.redis.client.hgetall(progress);
    let losses = 0;
    context.index = async (job, id) => {
      await index(job, id);
      if (!job.broadcast || losses > 0) return;
      expect((await store.progress.read(ref))?.indexed).toBe(3);
      await redis.redis.client.multi().del(progress).hset(progress, before).exec();
      losses++;
    };
    await drain(() => losses);
    expect(losses).toBe(1);
    await expectAllIndexed(store, engine, ref);
  });
});

test('while the engine is away nothing is trimmed, and everything is found afterwards', async () => {
  const store = redis.open();
  const engine = await newEngine();
  let isAway = true;
  let comeBack = () => {};
  const back = new Promise<void>((resolve) => {
    comeBack = resolve;
  });
  const { context } = drainer(engine, async (call) => call());
  const index = context.index;
  context.index = async (...args) => {
    if (isAway) await back;
    return index(...args);
  };
  const hour = async (n: number) => {
    for (let i = 0; i < n; i++) {
      await storeMessages(
        store,
        Array.from({ length: 100 }, () => ({ ch: '2:room', payload: CONTENT })),
      );
    }
  };
  await hour(1);
  const group = groupOf(LIMITS.shards.tags.indexOf(shardOf('2:room', LIMITS.shards)));
  const draining = drainGroup(context, group, () => 0);
  await hour(2);
  expect((await store.outboxes.reading()).references).toBe(300);
  isAway = false;
  comeBack();
  while (await draining.then(() => drainGroup(context, group, () => 0))) {}
  expect((await store.outboxes.reading()).references).toBe(0);
  expect(await found(engine, 'x', { limit: 1000 }, ['2:room'])).toHaveLength(300);
});

test('an index that misses something is rebuilt: a mark whose worker died, and a damaged reference', async () => {
  const store = redis.open();
  const engine = await newEngine();
  const shard = shardOf('2:room', LIMITS.shards);
  await store.outboxes.push(shard, ['unused'], 0, { mark: markText(Date.now(), 'a job'), isFull: true });
  await drainer(engine).drain();
  expect((await store.rebuilds.requested())?.reason).toBe('too much waited to be indexed');
  await redis.redis.client.del(keys.rebuild);
  await redis.redis.client.rpush(keys.outbox(shard), 'garbage');
  await drainer(engine).drain();
  expect((await store.rebuilds.requested())?.reason).toBe('an outbox was damaged');
  expect((await store.outboxes.reading()).references).toBe(0);
});

test('messages of the trimmed part of a log are no documents, and their references go', async () => {
  const store = redis.open({ logRetention: 3 });
  const engine = await newEngine();
  await storeMessages(
    store,
    Array.from({ length: 10 }, () => ({ ch: '2:room', payload: CONTENT })),
  );
  await drainer(engine).drain();
  expect(await found(engine, 'x', {}, ['2:room'])).toHaveLength(3);
  expect((await store.outboxes.reading()).references).toBe(0);
});

test('an indexer finds what nobody has woken it for', async () => {
  const store = redis.open();
  const folder = tempDir('indexer');
  const config = loadConfig({ REDIS_URL: redis.redis.url, DATA_DIR: folder.path, SHARDS: '8', LANES: '2' });
  const indexer = await startIndexer(config, createLog('indexer', 'silent'));
  const reader = createSearchEngine(config, 'reader');
  ends.push(
    folder.remove,
    () => indexer.close(),
    () => reader.close(),
  );
  const ref = await storeAll(store);
  await waitFor(async () => (await store.outboxes.reading()).references === 0, { what: 'the outboxes to be empty' });
  await expectAllIndexed(store, reader, ref);
});
