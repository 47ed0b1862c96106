import type { IndexJob } from '@ruyi/queue';
import { createSearchEngine, type SearchDocument, type SearchEngine } from '@ruyi/search';
import { chunkRecipients, keys, type Store } from '@ruyi/store';
import { type TempDir, tempDir } from '@ruyi/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { documentsOf } from '../src/documents.ts';
import { found, payload, rebuilt, storeBatch, storeMessages, testStores } from './harness.ts';

const redis = testStores();
const members = Array.from({ length: 800 }, (_, i) => `u${i}`);
const half = (uid: string) => Number(uid.slice(1)) % 2 === 0;
let folder: TempDir;
let engine: SearchEngine;
let store: Store;

beforeEach(async () => {
  store = redis.open();
  folder = tempDir('rebuild');
  engine = createSearchEngine({ meiliUrl: '', meiliApiKey: '', dataDir: `${folder.path}/index` }, 'writer');
  await engine.prepare();
});
afterEach(async () => {
  await engine.close();
  folder.remove();
});

/** A batch that is half stored: its worker has not finished. */
const storeHalf = () =>
  storeBatch(store, members, { payload: payload({ content: 'hello' }) }, { only: half, note: false });

/** The worker finishes: everything is stored and noted. */
async function storeRest({ ref, jobs }: { ref: string; jobs: IndexJob[] }): Promise<void> {
  for (const { broadcast } of jobs) {
    for (const chunk of broadcast?.chunks ?? []) {
      const rest = chunkRecipients(chunk).filter(({ uid }) => !half(uid));
      const run = { jobId: `rest-${chunk.chunk}`, extendLock: async () => true, careful: false };
      const place = { ref, from: 'news', command: false };
      const signal = new AbortController().signal;
      await store.appender('fanout.0').appendReferences({ ...run, signal }, place, rest);
      await store.progress.chunksStored(ref, [{ chunk: chunk.chunk, size: chunkRecipients(chunk).length }], []);
    }
  }
}

async function index(jobs: IndexJob[]): Promise<void> {
  for (const job of jobs) await engine.index((await documentsOf(store, job)).map(({ document }) => document));
}

const take = async (documents: SearchDocument[]) => {
  await engine.index(documents);
};

async function everyoneFindsIt(): Promise<void> {
  for (const uid of members) expect(await found(engine, uid), uid).toHaveLength(1);
}

test('recipients of a chunk that is stored after the rebuild are found', async () => {
  const batch = await storeHalf();
  await rebuilt(store, folder.path, take);
  await storeRest(batch);
  await index(batch.jobs);
  await everyoneFindsIt();
});

test('recipients of a chunk that is stored while the rebuild runs are found', async () => {
  const batch = await storeHalf();
  await storeMessages(store, [{ ch: '2:room' }]);
  let ended = false;
  await rebuilt(store, folder.path, async (documents) => {
    // The message is sent after all logs are read and before the batches are.
    if (!ended) await storeRest(batch);
    ended = true;
    await take(documents);
  });
  expect(ended).toBe(true);
  await index(batch.jobs);
  await everyoneFindsIt();
});

test('recipients of a chunk that was indexed before the rebuild reached it are found', async () => {
  const batch = await storeHalf();
  await storeRest(batch);
  await index(batch.jobs);
  await rebuilt(store, folder.path, take);
  await everyoneFindsIt();
});

test('a batch whose progress has expired is rebuilt', async () => {
  const { ref } = await storeBatch(store, members, {});
  await redis.redis.client.del(keys.progress(ref));
  await rebuilt(store, folder.path, take);
  await everyoneFindsIt();
});
