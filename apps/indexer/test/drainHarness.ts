import { Batcher } from '@ruyi/flow';
import { openQueues, type WakePage } from '@ruyi/queue';
import { createSearchEngine, type RefusedDocument, type SearchDocument, type SearchEngine } from '@ruyi/search';
import { chunkRecipients, chunkReference, createStore, keys, parseReference, type Store, shardOf } from '@ruyi/store';
import { intercepted, tempDir } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type DrainContext, drainGroup } from '../src/drainOutboxes.ts';
import { handleIndexJob } from '../src/handleIndexJob.ts';
import { found, LIMITS, payload, storeBatch, storeMessages, testStores } from './harness.ts';

const CONTENT = payload({ content: '你好' });

interface World {
  rooms: string[];
  uids: string[];
  /** of the batch */
  ref: string;
}

/** Stands before calls of an engine or of Redis. */
export type Around = (call: () => Promise<unknown>) => Promise<unknown>;

/** A death at a call that only reads is one before the next of these. */
const WRITES = ['trimOutbox', 'noteIndexed', 'set'];

/** Outboxes with something in them, and indexers that drain them. */
export function testDraining() {
  const redis = testStores();
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

  /** An indexer's draining; `around` stands before its engine and its connection. */
  function drainer(around: Around = (call) => call(), signal: AbortSignal = new AbortController().signal) {
    const connection = redis.connect();
    const seen = intercepted(connection, (command) => WRITES.includes(command), around);
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
    const drain = async (losses = () => 0, told: WakePage[] = []) => {
      for (let group = 0; group < LIMITS.shards.count; group++) {
        // On a busy machine one call may not have the time for all.
        let isLeft = await drainGroup(context, group, losses, told);
        while (isLeft) isLeft = await drainGroup(context, group, losses);
      }
    };
    return { context, drain };
  }

  /** What wake-ups tell of all outboxes: the messages at their beginning. */
  async function toldOf(store: Store): Promise<WakePage[]> {
    const shards = (await store.outboxes.waitingShards()).map((number) => LIMITS.shards.tags[number] ?? '');
    const pages = await Promise.all(
      shards.map(async (shard) => {
        const texts = await redis.redis.client.lrange(keys.outbox(shard), 0, -1);
        const end = texts.findIndex((text) => parseReference(text).kind !== 'message');
        return { shard, references: end < 0 ? texts : texts.slice(0, end) };
      }),
    );
    return pages.filter(({ references }) => references.length > 0);
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

  return {
    redis,
    engine: () => engine,
    /** called after the test, the last first */
    ends,
    storeWorld,
    storeIn,
    drainer,
    toldOf,
    finds,
    expectAllIndexed,
  };
}
