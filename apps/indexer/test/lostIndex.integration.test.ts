import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@ruyi/config';
import { INDEX, type IndexJob, openQueues } from '@ruyi/queue';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startIndexer } from '../src/indexer.ts';
import { found, payload, storeBatch, storeMessages, testStores } from './harness.ts';

const redis = testStores();
let folder: TempDir;
let store: Store;
let queues: ReturnType<typeof openQueues>;
let reader: SearchEngine;
let running: { close(): Promise<void> } | undefined;

const config = () =>
  loadConfig({ REDIS_URL: redis.redis.url, DATA_DIR: folder.path, SHARDS: '8', LANES: '2', LOG_LEVEL: 'silent' });

beforeEach(() => {
  folder = tempDir('indexer');
  store = redis.open();
  queues = openQueues(redis.connect(), 2);
  reader = createSearchEngine(config(), 'reader');
});
afterEach(async () => {
  await stop();
  await Promise.all([reader.close(), queues.close()]);
  folder.remove();
});

async function start(): Promise<void> {
  running = await startIndexer(config(), createLog('indexer', 'silent'));
}
async function stop(): Promise<void> {
  await running?.close();
  running = undefined;
}

let jobs = 0;
const queue = (job: IndexJob) => queues.index.add(INDEX.name, job, { jobId: `i${++jobs}.1` });
const members = Array.from({ length: 1200 }, (_, i) => `u${i}`);
const query = { text: { content: '大学' } };

/** What ann and two recipients find. A search for which a busy machine had no time is made again. */
async function look(): Promise<string[][]> {
  for (;;) {
    try {
      return await Promise.all(['ann', 'u3', 'u1100'].map((uid) => found(reader, uid, query, ['2:room'])));
    } catch (error) {
      if (!/took longer|no turn/.test(String(error))) throw error;
    }
  }
}
const finds = (count: number) =>
  waitFor(async () => (await look()).every((ids, i) => ids.length === (i === 0 ? count : count + 1)), {
    what: `${count} messages to the room to be found`,
    deadlineMs: 30_000,
  });

/** Stores messages to a room and a batch, and queues them for the indexer. @returns the batch's number */
async function send(count: number): Promise<string> {
  const content = payload({ content: '你是北京大学的吗' });
  await queue(
    await storeMessages(
      store,
      Array.from({ length: count }, () => ({ payload: content })),
    ),
  );
  const batch = await storeBatch(store, members, { payload: content });
  for (const job of batch.jobs) await queue(job);
  return batch.ref;
}

const removeIndex = () => rmSync(join(folder.path, 'search'), { recursive: true });

test('an index that is removed while nothing is sent is rebuilt, with everything in it once', async () => {
  await start();
  const ref = await send(20);
  await finds(20);
  const before = await look();
  removeIndex();
  await waitFor(async () => (await store.rebuilds.progress()) !== undefined, { what: 'a rebuild', deadlineMs: 30_000 });
  await finds(20);
  expect(await look()).toEqual(before);
  await waitFor(async () => (await store.rebuilds.requested()) === undefined, { what: 'the rebuild to end' });
  expect(await store.progress.read(ref)).toMatchObject({ indexed: members.length });
  // The rebuild has removed its file and released its lock.
  expect(readdirSync(folder.path)).toEqual(['search']);
});

test('an index that is removed while no indexer runs is rebuilt when one starts', async () => {
  await start();
  await send(10);
  await finds(10);
  const before = await look();
  await stop();
  removeIndex();
  await start();
  await finds(10);
  expect(await look()).toEqual(before);
});

test('what is sent while the index is gone is found with the rest', async () => {
  await start();
  await send(10);
  await finds(10);
  removeIndex();
  await queue(await storeMessages(store, [{ payload: payload({ content: '大学' }) }]));
  await finds(11);
});

test('an index of an older version is rebuilt automatically, and searches see the new one only when it is complete', async () => {
  await start();
  await send(10);
  await finds(10);
  const before = await look();
  await stop();
  const file = readdirSync(join(folder.path, 'search')).find((name) => name.endsWith('.sqlite')) ?? '';
  const database = new Sqlite(join(folder.path, 'search', file));
  database.exec('update meta set version = 1');
  database.close();
  await expect(look()).rejects.toThrow(/version 1/);
  await start();
  const found = await waitFor(look, { what: 'an answer', deadlineMs: 30_000 });
  expect(found).toEqual(before);
  await waitFor(async () => (await store.rebuilds.requested()) === undefined, { what: 'the rebuild to end' });
});

test('an index file that holds something else is replaced', async () => {
  await start();
  await send(10);
  await finds(10);
  await stop();
  const file = readdirSync(join(folder.path, 'search')).find((name) => name.endsWith('.sqlite')) ?? '';
  writeFileSync(join(folder.path, 'search', file), 'not an index '.repeat(1000));
  await start();
  await finds(10);
});

test('an indexer rebuilds nothing when it starts for the first time, or again', async () => {
  for (let i = 0; i < 2; i++) {
    await start();
    await stop();
    expect(await store.rebuilds.requested()).toBeUndefined();
  }
  expect(await store.rebuilds.progress()).toBeUndefined();
});

test('a requested rebuild runs once, and everything is found as before', async () => {
  await start();
  await send(10);
  await finds(10);
  const before = await look();
  for (const fresh of [false, true]) {
    await store.rebuilds.request('asked for', { fresh });
    await waitFor(async () => (await store.rebuilds.requested()) === undefined, {
      what: 'the rebuild to end',
      deadlineMs: 30_000,
    });
    expect(await look()).toEqual(before);
  }
});
