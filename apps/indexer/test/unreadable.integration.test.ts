import { DEAD, openQueues } from '@ruyi/queue';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import { keys, type Store, shardOf } from '@ruyi/store';
import { type TempDir, tempDir } from '@ruyi/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { handleIndexJob } from '../src/handleIndexJob.ts';
import { rebuildFromRedis } from '../src/rebuild.ts';
import { found, LIMITS, payload, storeBatch, storeMessages, testStores } from './harness.ts';

const redis = testStores();
const signal = new AbortController().signal;
let folder: TempDir;
let store: Store;
let queues: ReturnType<typeof openQueues>;
let engine: SearchEngine;

beforeEach(async () => {
  folder = tempDir('unreadable');
  store = redis.open();
  queues = openQueues(redis.connect(), 2);
  engine = createSearchEngine({ meiliUrl: '', meiliApiKey: '', dataDir: folder.path }, 'writer');
  await engine.prepare();
});
afterEach(async () => {
  await Promise.all([queues.close(), engine.close()]);
  folder.remove();
});

const content = payload({ content: '你好' });
const logKey = (channel: string) => keys.log(shardOf(channel, LIMITS.shards), channel);

/**
 * Stores three messages in each of two rooms, and two batches. Then damages an entry, a log, and the body of a batch.
 */
async function damaged() {
  const rooms = [1, 2, 3].flatMap(() => [
    { ch: '2:room', payload: content },
    { ch: '2:gone', payload: content },
  ]);
  const job = await storeMessages(store, rooms);
  const [good, bad] = [
    await storeBatch(store, ['u1', 'u2'], { payload: content }),
    await storeBatch(store, ['u1'], {}),
  ];
  const { client } = redis.redis;
  await client.zremrangebyscore(logKey('2:room'), 2, 2);
  await client.zadd(logKey('2:room'), 2, 'garbage');
  await client.set(logKey('2:gone'), 'no log');
  await client.hset(keys.body(bad.ref), 'm', '{');
  const fresh = redis.open();
  return { jobs: [job, ...good.jobs, ...bad.jobs], fresh, bad };
}

const sees = async () => [
  await found(engine, 'x', {}, ['2:room', '2:gone']),
  await found(engine, 'u1'),
  await found(engine, 'u2'),
];

test('an index job makes dead letters of what is damaged, and indexes the rest', async () => {
  const { jobs, fresh } = await damaged();
  for (const [i, job] of jobs.entries()) {
    const context = { store: fresh, queues, signal, log: { warn() {} } };
    await handleIndexJob({ ...context, take: (document) => engine.index([document]) }, job, `i${i}`);
  }
  expect((await sees()).map((ids) => ids.length)).toEqual([2, 1, 1]);
  const letters = (await queues.dead.getWaiting()).map(({ data }) => DEAD.schema.parse(data));
  const reasons = letters.map(({ reason }) => reason).sort();
  expect(reasons).toHaveLength(5);
  expect(reasons.filter((reason) => reason.startsWith('channel 2:gone'))).toHaveLength(3);
  expect(reasons.filter((reason) => reason.startsWith('channel 2:room'))).toHaveLength(1);
  expect(letters.every(({ queue, data }) => queue === 'index' && data !== undefined)).toBe(true);
});

test('a rebuild leaves out what is damaged, says so once, and continues', async () => {
  const { fresh, bad } = await damaged();
  await redis.redis.client.set(keys.progress(bad.ref), 'x');
  await redis.redis.client.set(keys.late(bad.ref), 'x');
  const told: string[] = [];
  await rebuildFromRedis({
    store: fresh,
    directory: folder.path,
    id: 'r',
    resume: false,
    take: async (documents) => {
      await engine.index(documents);
    },
    onUnreadable: (what) => told.push(what),
    signal,
  });
  expect((await sees()).map((ids) => ids.length)).toEqual([2, 1, 1]);
  expect(told.sort()).toEqual([`broadcast ${bad.ref}`, 'channel 2:gone', 'channel 2:room']);
});

test.each(['progress', 'late'] as const)(
  'a batch whose %s is damaged does not keep a rebuild from its end',
  async (kind) => {
    const { ref } = await storeBatch(store, ['u1', 'u2'], { payload: content });
    await storeBatch(store, ['u2'], { payload: content });
    await redis.redis.client.del(keys[kind](ref));
    await redis.redis.client.rpush(keys[kind](ref), 'x');
    const told: string[] = [];
    const take = async (documents: Parameters<SearchEngine['index']>[0]) => {
      await engine.index(documents);
    };
    const options = { store, directory: folder.path, id: 'r', resume: false, take, signal };
    await rebuildFromRedis({ ...options, onUnreadable: (what) => told.push(what) });
    expect((await found(engine, 'u2')).length).toBe(kind === 'late' ? 1 : 2);
    expect(told).toEqual(kind === 'late' ? [`broadcast ${ref}`] : []);
  },
);
