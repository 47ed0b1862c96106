import { loadConfig } from '@ruyi/config';
import { Batcher } from '@ruyi/flow';
import { groupOf, INDEX, openQueues, wakeIndexer } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';
import { createSearchEngine, type RefusedDocument, type SearchDocument, type SearchEngine } from '@ruyi/search';
import { chunkRecipients, chunkReference, createStore, keys, markText, type Store, shardOf } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type DrainContext, drainGroup } from '../src/drainOutboxes.ts';
import { handleIndexJob } from '../src/handleIndexJob.ts';
import { startIndexer } from '../src/indexer.ts';
import { found, LIMITS, payload, storeBatch, storeMessages, testStores } from './harness.ts';

const redis = testStores();
const CONTENT = payload({ content: '你好' });
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** One for the whole file, because each has processes. Each world has rooms and recipients of its own. */
let engine: SearchEngine;
const folder = tempDir('drain');
beforeAll(async () => {
  engine = createSearchEngine({ meiliUrl: '', meiliApiKey: '', dataDir: folder.path }, 'writer');
  await engine.prepare();
});
afterAll(async () => {
  await engine.close();
  folder.remove();
});

interface World {
  rooms: string[];
  uids: string[];
  /** of the batch */
  ref: string;
}

let worlds = 0;
/** Stores messages to three rooms, and a batch whose chunks are handed over as a worker does. */
async function storeWorld(store: Store): Promise<World> {
  const name = `w${++worlds}`;
  const rooms = [1, 2, 3].map((n) => `2:${name}-${n}`);
  const uids = [1, 2, 3].map((n) => `${name}-u${n}`);
  await storeIn(store, rooms, 3);
  const { ref, jobs } = await storeBatch(store, uids, { payload: CONTENT });
  for (const { broadcast } of jobs) {
    if (!broadcast) continue;
    const recipients = broadcast.chunks.flatMap(chunkRecipients).length;
    const reference = chunkReference({ at: Date.now() }, recipients, broadcast);
    await store.outboxes.push(shardOf('2:room', LIMITS.shards), [reference], recipients - 1, {
      mark: 'unused',
      isFull: false,
    });
  }
  return { rooms, uids, ref };
}

/** Stores so many messages in each room. */
const storeIn = (store: Store, rooms: string[], count: number) =>
  storeMessages(
    store,
    rooms.flatMap((ch) => Array.from({ length: count }, () => ({ ch, payload: CONTENT }))),
  );

/** What an indexer drains with, whose engine and connection `around` stands before. */
type Around = (call: () => Promise<unknown>) => Promise<unknown>;
/** A death at a call that only reads is one before the next of these. */
const WRITES = ['trimOutbox', 'noteIndexed', 'set'];
function drainer(around: Around = (call) => call(), signal = new AbortController().signal) {
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
async function finds({ rooms, uids }: World, where = engine): Promise<number[]> {
  const lists = await Promise.all(['x', ...uids].map((uid) => found(where, uid, {}, rooms)));
  return lists.map((ids) => new Set(ids).size);
}

async function expectAllIndexed(store: Store, world: World, what?: string, where = engine): Promise<void> {
  expect(await finds(world, where), what).toEqual([9, 10, 10, 10]);
  expect(await store.progress.read(world.ref), what).toMatchObject({ stored: 3, indexed: 3 });
  expect(await store.outboxes.reading(), what).toMatchObject({ references: 0, recipients: 0 });
}

describe('everything in the outboxes is indexed once, and then trimmed', () => {
  test('wherever an indexer dies', async () => {
    for (const when of ['before', 'after'] as const) {
      let steps = 0;
      for (let hasDied = true; hasDied; steps++) {
        await redis.redis.client.flushall();
        const store = redis.open();
        const world = await storeWorld(store);
        const death = new AbortController();
        let calls = 0;
        const dying: Around = async (call) => {
          death.signal.throwIfAborted();
          if (++calls <= steps) return call();
          if (when === 'after') await call();
          death.abort();
          throw new Error('died');
        };
        hasDied = await drainer(dying, death.signal)
          .drain()
          .then(
            () => false,
            () => true,
          );
        expect(hasDied).toBe(calls > steps);
        await drainer().drain();
        await expectAllIndexed(store, world, `died ${when} call ${steps + 1}`);
      }
      expect(steps).toBeGreaterThan(6);
    }
  });

  test('also if two indexers are at it, of which one was frozen while messages came and went', async () => {
    const store = redis.open();
    const world = await storeWorld(store);
    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let frozen = 0;
    const zombie = drainer();
    const index = zombie.context.index;
    zombie.context.index = async (...args) => {
      frozen++;
      await awake;
      return index(...args);
    };
    const groups = LIMITS.shards.tags.map((_, number) => groupOf(number));
    const late = Promise.all(groups.map((group) => drainGroup(zombie.context, group, () => 0)));
    await waitFor(() => frozen >= 2, { what: 'the zombie to have read' });
    await drainer().drain();
    await expectAllIndexed(store, world);
    await storeIn(store, world.rooms, 3);
    wake();
    await late;
    await drainer().drain();
    expect(await finds(world)).toEqual([18, 19, 19, 19]);
    expect((await store.outboxes.reading()).references).toBe(0);
  });

  test('also what Redis forgot while it was indexed is noted again, before it is trimmed', async () => {
    const store = redis.open();
    const world = await storeWorld(store);
    const { context, drain } = drainer();
    const index = context.index;
    const progress = keys.progress(world.ref);
    const before = await redis.redis.client.hgetall(progress);
    let losses = 0;
    let hasForgotten = false;
    context.index = async (job, id) => {
      await index(job, id);
      if (!job.broadcast || hasForgotten) return;
      hasForgotten = true;
      expect((await store.progress.read(world.ref))?.indexed).toBeGreaterThan(0);
      await redis.redis.client.multi().del(progress).hset(progress, before).exec();
      losses++;
    };
    await drain(() => losses);
    expect(losses).toBe(1);
    await expectAllIndexed(store, world);
  });
});

test('while the engine is away nothing is trimmed, and everything is found afterwards', async () => {
  const store = redis.open();
  let isAway = true;
  let comeBack = () => {};
  const back = new Promise<void>((resolve) => {
    comeBack = resolve;
  });
  const { context } = drainer();
  const { index } = context;
  context.index = async (...args) => {
    if (isAway) await back;
    return index(...args);
  };
  await storeIn(store, ['2:away'], 100);
  const group = groupOf(LIMITS.shards.tags.indexOf(shardOf('2:away', LIMITS.shards)));
  const draining = drainGroup(context, group, () => 0);
  await storeIn(store, ['2:away'], 200);
  expect((await store.outboxes.reading()).references).toBe(300);
  isAway = false;
  comeBack();
  while (await draining.then(() => drainGroup(context, group, () => 0))) {}
  expect((await store.outboxes.reading()).references).toBe(0);
  expect(await found(engine, 'x', { limit: 1000 }, ['2:away'])).toHaveLength(300);
});

test('an index that misses something is rebuilt: a mark whose worker died, and a damaged reference', async () => {
  const store = redis.open();
  const shard = shardOf('2:room', LIMITS.shards);
  await store.outboxes.push(shard, ['unused'], 0, { mark: markText(Date.now(), 'a job'), isFull: true });
  await drainer().drain();
  expect((await store.rebuilds.requested())?.reason).toBe('too much waited to be indexed');
  await redis.redis.client.del(keys.rebuild);
  await redis.redis.client.rpush(keys.outbox(shard), 'garbage');
  await drainer().drain();
  expect((await store.rebuilds.requested())?.reason).toBe('an outbox was damaged');
  expect((await store.outboxes.reading()).references).toBe(0);
});

test('what cannot be indexed for an unforeseen reason holds up nothing: it becomes a job', async () => {
  const store = redis.open();
  const world = await storeWorld(store);
  const { context, drain } = drainer();
  const index = context.index;
  context.index = async (job, id) => {
    if (job.logs?.some(({ ch }) => ch === world.rooms[0])) throw new TypeError('a defect');
    await index(job, id);
  };
  await drain();
  expect((await store.outboxes.reading()).references).toBe(0);
  const queued = await context.queues.index.getWaiting();
  expect(queued.map(({ name }) => name)).toContain(INDEX.name);
  for (const { data } of queued) await index(INDEX.schema.parse(data), 'job');
  await expectAllIndexed(store, world);
});

test('messages of the trimmed part of a log are no documents, and their references go', async () => {
  const store = redis.open({ logRetention: 3 });
  await storeIn(store, ['2:trimmed'], 10);
  await drainer().drain();
  expect(await found(engine, 'x', {}, ['2:trimmed'])).toHaveLength(3);
  expect((await store.outboxes.reading()).references).toBe(0);
});

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
