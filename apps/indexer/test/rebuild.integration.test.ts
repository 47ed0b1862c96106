import { readdirSync } from 'node:fs';
import { createSearchEngine, type SearchDocument, type SearchEngine } from '@ruyi/search';
import { keys, type Store, shardOf } from '@ruyi/store';
import { seededRandom, type TempDir, tempDir } from '@ruyi/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { documentsOf } from '../src/documents.ts';
import { rebuildFromRedis } from '../src/rebuild.ts';
import {
  byId,
  found,
  LIMITS,
  payload,
  rebuilt,
  type Sent,
  storeAtRandom,
  storeBatch,
  storeMessages,
  testStores,
  uidKey,
} from './harness.ts';

const redis = testStores();
let folder: TempDir;
const engines: SearchEngine[] = [];
beforeEach(() => {
  folder = tempDir('rebuild');
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  folder.remove();
});

/** An empty embedded index in a new folder. */
async function emptyIndex(name: string): Promise<SearchEngine> {
  const engine = createSearchEngine({ meiliUrl: '', meiliApiKey: '', dataDir: `${folder.path}/${name}` }, 'writer');
  engines.push(engine);
  expect(await engine.prepare()).toEqual({ created: true });
  return engine;
}

async function rebuildInto(store: Store, engine: SearchEngine): Promise<SearchDocument[]> {
  return rebuilt(store, folder.path, async (documents) => {
    expect(await engine.index(documents)).toEqual([]);
  });
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `u${i}`);
const seenBy = (sent: Sent[], uid: string, groups: string[]) =>
  sent.filter(({ uids, group }) => uids.includes(uid) || (group !== undefined && groups.includes(group)));
const idsOf = (sent: Sent[]) => sent.map(({ id }) => id).sort();

test('after a rebuild of an empty index, everyone finds exactly what was stored for them', async () => {
  const store = redis.open();
  const { sent, users, words } = await storeAtRandom(store, seededRandom(), 300);
  const engine = await emptyIndex('index');
  await rebuildInto(store, engine);
  for (const uid of [...users, 'eve', 'u']) {
    for (const groups of [[], ['2:room'], ['3:room', '2:1']]) {
      const visible = seenBy(sent, uid, groups);
      expect(await found(engine, uid, {}, groups)).toEqual(idsOf(visible));
      for (const word of words.filter((text) => /^\p{Script=Han}+$/u.test(text))) {
        const expected = visible.filter(({ content }) => content.includes(word));
        expect(await found(engine, uid, { text: { content: word } }, groups)).toEqual(idsOf(expected));
      }
    }
  }
});

test('a rebuild makes the same documents as index jobs', async () => {
  const store = redis.open();
  const { jobs } = await storeAtRandom(store, seededRandom(), 200);
  const large = await storeBatch(store, names(4500), { payload: payload({ content: '你好' }) });
  const first: SearchDocument[] = [];
  for (const job of [...jobs, ...large.jobs]) {
    for (const { document } of await documentsOf(store, job)) first.push(document);
  }
  expect(byId(await rebuilt(redis.open(), folder.path))).toEqual(byId(first));
});

test('a second rebuild makes the same documents and does not change the index', async () => {
  const store = redis.open();
  const { users } = await storeAtRandom(store, seededRandom(), 150);
  const engine = await emptyIndex('index');
  const look = () => Promise.all(users.map((uid) => found(engine, uid, {}, ['2:room', '3:1'])));
  const first = await rebuildInto(store, engine);
  const before = await look();
  expect(byId(await rebuildInto(store, engine))).toEqual(byId(first));
  expect(await look()).toEqual(before);
  // Its file is removed.
  expect(readdirSync(folder.path)).toEqual(['index']);
});

test('a log longer than one page is read to its end', async () => {
  const store = redis.open();
  await storeMessages(
    store,
    Array.from({ length: 700 }, (_, i) => ({ payload: payload({ content: `消息${i}` }) })),
  );
  const documents = await rebuilt(store, folder.path);
  expect(new Set(documents.map(({ text }) => text.content)).size).toBe(700);
});

test('copies that were trimmed or never stored leave an empty uid: the others keep their positions', async () => {
  const store = redis.open();
  const { ref, jobs } = await storeBatch(store, names(1500), { from: 'news' }, { only: (uid) => uid !== 'u7' });
  const gone = `1:news@u9`;
  await redis.redis.client.del(keys.log(shardOf(gone, LIMITS.shards), gone));
  const documents = byId(await rebuilt(store, folder.path));
  const chunks = jobs.flatMap(({ broadcast }) => broadcast?.chunks ?? []);
  expect(documents.map(({ id }) => id).sort()).toEqual(chunks.map(({ chunk }) => `${ref}-${chunk}`).sort());
  for (const { chunk, uids } of chunks) {
    const { audience } = documents.find(({ id }) => id === `${ref}-${chunk}`) ?? expect.fail(`no ${chunk}`);
    const expected = uids.split('\n').map((uid) => (uid === 'u7' || uid === 'u9' ? '' : uidKey(uid)));
    // An empty uid at the end is left out.
    while (expected.at(-1) === '') expected.pop();
    expect(audience).toEqual(expected);
  }
});

test('a batch without any copy, or without a body, has no document', async () => {
  const store = redis.open();
  await storeBatch(store, names(10), {}, { only: () => false });
  const { ref } = await storeBatch(store, names(10), {});
  await redis.redis.client.del(keys.body(ref));
  expect(await rebuilt(redis.open(), folder.path)).toEqual([]);
});

test('a key that is not a log does not keep the others from being rebuilt', async () => {
  const store = redis.open();
  await storeMessages(store, [{ ch: '2:room' }, { ch: '3:room' }]);
  await redis.redis.client.set(keys.log('0', '2:broken'), 'not a log');
  expect(await rebuilt(store, folder.path)).toHaveLength(2);
});

test('a rebuild that ends early continues where it was, and leaves nothing out', async () => {
  const random = seededRandom();
  const store = redis.open();
  await storeMessages(
    store,
    Array.from({ length: 3000 }, (_, i) => ({ ch: `2:room${i % 40}`, payload: payload({ content: `m${i}` }) })),
  );
  for (let i = 0; i < 5; i++) await storeBatch(store, names(1200), { from: `s${i}` });
  const whole = byId(await rebuilt(store, folder.path));

  const taken = new Map<string, SearchDocument>();
  let deaths = 0;
  for (let ended = false; !ended && deaths < 50; ) {
    let left = random.whole(1, 3);
    const take = async (documents: SearchDocument[]) => {
      for (const document of documents) taken.set(document.id, document);
      if (--left === 0) throw new Error('killed');
    };
    const signal = new AbortController().signal;
    await rebuildFromRedis({ store, directory: folder.path, id: 'one', resume: true, take, signal }).then(
      () => {
        ended = true;
      },
      () => {
        deaths++;
      },
    );
  }
  expect(deaths).toBeGreaterThan(1);
  expect(deaths).toBeLessThan(50);
  expect(byId([...taken.values()])).toEqual(whole);
});

test.each([
  ['another', 'second'],
  ['the same into an index that was lost meanwhile', 'first'],
])('a rebuild that ended early is begun anew by %s', async (_, id) => {
  const store = redis.open();
  for (let i = 0; i < 3; i++)
    await storeMessages(
      store,
      Array.from({ length: 700 }, () => ({ ch: `2:room${i}` })),
    );
  await storeBatch(store, names(1500), {});
  let left = 2;
  const dies = async () => {
    if (--left === 0) throw new Error('killed');
  };
  await expect(rebuilt(store, folder.path, dies, 'first')).rejects.toThrow('killed');
  const documents = await rebuilt(store, folder.path, async () => {}, id);
  expect(documents.filter((document) => document.id.startsWith('m'))).toHaveLength(2100);
});
