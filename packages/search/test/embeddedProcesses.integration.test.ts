import { fileURLToPath } from 'node:url';
import { createEmbeddedEngine, SearchUnavailableError } from '@ruyi/search';
import { expectNoLeaks, startProcess, type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { personal, queryOf, user } from './contract/documents.ts';
import { patientBounds } from './patientBounds.ts';

const WRITER = fileURLToPath(new URL('./fixtures/writer.mjs', import.meta.url));
const BATCH = 50;

let folder: TempDir;
let close: (() => Promise<void>)[];
beforeEach(() => {
  [folder, close] = [tempDir('processes'), []];
});
afterEach(async () => {
  await Promise.all(close.map((one) => one()));
  folder.remove();
});
afterAll(expectNoLeaks);

function open(role: 'writer' | 'reader') {
  const engine = createEmbeddedEngine({ directory: folder.path, role, bounds: patientBounds });
  close.push(() => engine.close());
  return engine;
}

const mine = (text: Record<string, string> = {}, limit = 10) => queryOf({ audience: [user('ann')], text, limit });

/** A writer in another process, and the numbers of the batches that it has reported as indexed. */
async function startWriter() {
  const started = await startProcess(WRITER, {}, { args: [folder.path] });
  const taken: number[] = [];
  started.child.on('message', (message) => {
    if (typeof message === 'object' && message !== null && 'taken' in message) taken.push(Number(message.taken));
  });
  return { ...started, kill: started.kill, taken };
}

test('searches beside a writer in another process see whole batches, and never fewer than before', async () => {
  const writer = await startWriter();
  const reader = open('reader');
  let before = 0;
  for (let i = 0; i < 50 || writer.taken.length < 10; i++) {
    const known = writer.taken.length;
    const { total } = await reader.search(mine(i % 2 ? { content: 'hello' } : {}));
    expect(total % BATCH).toBe(0);
    expect(total).toBeGreaterThanOrEqual(Math.max(before, known * BATCH));
    before = total;
  }
  expect(before).toBeGreaterThan(0);
  await writer.kill('SIGKILL');
});

test.each([3, 10, 25])(
  'a writer that is killed after %i batches has lost none of those that it reported',
  async (count) => {
    const writer = await startWriter();
    await waitFor(() => writer.taken.length >= count, { what: `${count} batches` });
    await writer.kill('SIGKILL');
    const next = open('writer');
    expect(await next.prepare()).toEqual({ created: false });
    const { total } = await next.search(mine());
    expect(total % BATCH).toBe(0);
    expect(total).toBeGreaterThanOrEqual(writer.taken.length * BATCH);
    for (const batch of writer.taken) {
      const own = { audience: [user(`batch${batch}`)], text: { content: `第${batch}批` }, limit: 100 };
      expect((await next.search(queryOf(own))).total).toBe(BATCH);
      const other = queryOf({ audience: [user('ann')], text: { [`field${batch}`]: `value${batch}x` } });
      expect((await next.search(other)).total).toBe(BATCH);
    }
    await next.index([personal('after', 'ann', 'bob', '之后')]);
    expect((await next.search(mine())).total).toBe(total + 1);
  },
);

test('two writers on one file take turns, and neither damages what the other wrote', async () => {
  const [one, two, reader] = [open('writer'), open('writer'), open('reader')];
  await Promise.all([one.prepare(), two.prepare()]);
  for (let i = 0; i < 30; i++) {
    const [a, b] = [{ [`a${i}`]: `甲${i}` }, { [`b${i}`]: `乙${i}` }];
    const both = personal(`both${i}`, 'ann', 'bob', 'both');
    await Promise.all([
      one.index([personal(`one${i}`, 'ann', 'bob', { text: a }), both]),
      two.index([personal(`two${i}`, 'ann', 'bob', { text: b }), both]),
    ]);
  }
  expect((await reader.search(mine())).total).toBe(90);
  expect((await reader.search(mine({ content: 'both' }))).total).toBe(30);
  for (let i = 0; i < 30; i++) {
    expect((await reader.search(mine({ [`a${i}`]: `甲${i}` }))).hits.map(({ id }) => id)).toEqual([`one${i}`]);
    expect((await reader.search(mine({ [`b${i}`]: `乙${i}` }))).hits.map(({ id }) => id)).toEqual([`two${i}`]);
    expect((await reader.search(mine({ [`a${i}`]: `乙${i}` }))).total).toBe(0);
  }
});

test('a second writer gets its turn while another one writes all the time', async () => {
  const other = await startWriter();
  const writer = open('writer');
  await writer.prepare();
  await waitFor(() => other.taken.length > 0, { what: 'the other to write' });
  for (let i = 0; i < 20; i++) {
    // SQLite tries again and again for 5 s, and a slow disk leaves few gaps between the batches of the other.
    const index = () => writer.index([personal(`mine${i}`, 'me', 'bob', '我的')]).then(() => true);
    await waitFor(index, { what: `turn ${i}` });
  }
  await other.kill('SIGKILL');
  expect((await writer.search(queryOf({ audience: [user('me')], text: { content: '我的' } }))).total).toBe(20);
  expect((await writer.search(mine())).total).toBeGreaterThanOrEqual(other.taken.length * BATCH);
});

test('if more searches come at once than may wait, each is answered or refused, and the next one is answered', async () => {
  const writer = open('writer');
  await writer.prepare();
  await writer.index([personal('m', 'ann', 'bob', 'hello')]);
  const all = await Promise.allSettled(Array.from({ length: 600 }, () => writer.search(mine({ content: 'hello' }))));
  for (const one of all) {
    if (one.status === 'fulfilled') expect(one.value.total).toBe(1);
    else expect(one.reason).toBeInstanceOf(SearchUnavailableError);
  }
  expect(all.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(100);
  expect(all.some(({ status }) => status === 'rejected')).toBe(true);
  expect((await writer.search(mine({ content: 'hello' }))).total).toBe(1);
});

test('closing ends running and waiting searches, and later ones are refused', async () => {
  const engine = open('writer');
  await engine.prepare();
  await engine.index([personal('m', 'ann', 'bob', 'hello')]);
  await engine.search(mine());
  let ended = 0;
  const searches = Array.from({ length: 20 }, () => engine.search(mine()).finally(() => ended++));
  const settled = Promise.allSettled(searches);
  await engine.close();
  expect(ended).toBe(20);
  for (const one of await settled) {
    if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(SearchUnavailableError);
  }
  await expect(engine.search(mine())).rejects.toThrow(SearchUnavailableError);
});
