import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createEmbeddedEngine, type SearchDocument, SearchUnavailableError } from '@ruyi/search';
import { type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { personal, queryOf, user } from './contract/documents.ts';
import { patientBounds } from './patientBounds.ts';

const QUERY = queryOf({ audience: [user('ann')], text: { content: '消息' }, limit: 20 });

let folder: TempDir;
let lost: string[];
let close: (() => Promise<void>)[];
beforeEach(() => {
  [folder, lost, close] = [tempDir('damage'), [], []];
});
afterEach(async () => {
  await Promise.all(close.map((one) => one()));
  folder.remove();
});

function open(role: 'writer' | 'reader') {
  const onLost = (reason: string) => lost.push(reason);
  const engine = createEmbeddedEngine({ directory: folder.path, role, onLost, bounds: patientBounds });
  close.push(() => engine.close());
  return engine;
}

const messages = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    personal(`m${from + i}`, 'ann', 'bob', `第${from + i}条消息，内容各不相同${(from + i) * 7919}`),
  );

const indexFile = () => join(folder.path, readdirSync(folder.path).find((name) => name.endsWith('.sqlite')) ?? 'none');

/** An index that an earlier writer has filled, so it is in the file and not in the journal. Each test gets a copy. */
const filled = tempDir('filled');
beforeAll(async () => {
  const earlier = createEmbeddedEngine({ directory: filled.path, role: 'writer' });
  await earlier.prepare();
  for (let from = 0; from < 3000; from += 1000) await earlier.index(messages(from, 1000));
  await earlier.close();
});
afterAll(() => filled.remove());

/** A writer and a reader in use. */
async function running() {
  cpSync(filled.path, folder.path, { recursive: true });
  const writer = open('writer');
  await writer.prepare();
  const reader = open('reader');
  expect((await reader.search(QUERY)).total).toBe(3000);
  return { writer, reader };
}

function overwrite(share: number): void {
  const file = openSync(indexFile(), 'r+');
  const size = statSync(indexFile()).size;
  writeSync(file, Buffer.alloc(Math.floor(size * (1 - share)), 0xa5), 0, null, Math.floor(size * share));
  closeSync(file);
}

const DAMAGES: [name: string, damage: () => void][] = [
  ['is deleted', () => rmSync(indexFile())],
  [
    'is deleted with its journal',
    () => {
      for (const suffix of ['-wal', '-shm', '']) rmSync(indexFile() + suffix, { force: true });
    },
  ],
  ['goes with its folder', () => rmSync(folder.path, { recursive: true })],
  ['is moved away', () => renameSync(indexFile(), join(folder.path, 'elsewhere'))],
  [
    'is replaced by an empty one',
    () => {
      rmSync(indexFile());
      writeFileSync(join(folder.path, 'messages.sqlite'), '');
    },
  ],
  ['is cut to nothing', () => truncateSync(indexFile(), 0)],
  ['is cut to half', () => truncateSync(indexFile(), Math.floor(statSync(indexFile()).size / 8192) * 4096)],
  ['is cut within its first page', () => truncateSync(indexFile(), 100)],
];

describe.each(DAMAGES)('an index file that %s while it is used', (_, damage) => {
  test('is noticed by the next write, and everything written after that is found', async () => {
    const { writer, reader } = await running();
    damage();
    const fresh = personal('fresh', 'ann', 'bob', '新消息');
    await waitFor(
      async () => {
        await reader.search(QUERY).catch(expectUnavailable);
        await writer.check().catch(expectUnavailable);
        await writer.index([fresh]).catch(expectUnavailable);
        return lost.length > 0;
      },
      { what: 'the loss to be told' },
    );
    await writer.index([fresh, ...messages(0, 10)]);
    const { total, hits } = await waitFor(() => reader.search(QUERY), { what: 'an answer' });
    expect([total, hits.map(({ id }) => id).sort()]).toEqual([
      11,
      ['fresh', ...messages(0, 10).map(({ id }) => id)].sort(),
    ]);
    expect(await writer.search(QUERY)).toEqual({ total, hits });
    expect(lost).toHaveLength(1);
  });

  test('is noticed by searches and checks if nothing is written', async () => {
    const { writer, reader } = await running();
    damage();
    await waitFor(
      async () => {
        await reader.search(QUERY).catch(expectUnavailable);
        await writer.check().catch(expectUnavailable);
        return lost.length > 0;
      },
      { what: 'the loss to be told' },
    );
    expect(await waitFor(() => reader.search(QUERY), { what: 'an answer' })).toEqual({ total: 0, hits: [] });
    await writer.index(messages(0, 3));
    expect((await reader.search(QUERY)).total).toBe(3);
    expect(lost).toHaveLength(1);
  });
});

test.each([
  ['from its beginning', 0],
  ['from its middle', 0.5],
])('an index file that is overwritten %s is noticed by a reader that starts later, and replaced', async (_, share) => {
  const { writer, reader } = await running();
  overwrite(share);
  const later = open('reader');
  const wanted = { what: 'the loss to be told' };
  await waitFor(async () => {
    await later.search(QUERY).catch(expectUnavailable);
    await writer.check().catch(expectUnavailable);
    return lost.length > 0;
  }, wanted);
  await writer.index(messages(0, 3));
  for (const one of [writer, reader, later]) expect((await waitFor(() => one.search(QUERY))).total).toBe(3);
  expect(lost).toHaveLength(1);
});

test('a batch that fails half-way leaves nothing behind', async () => {
  const writer = open('writer');
  await writer.prepare();
  const ann = { audience: [user('ann')] };
  const [first, second] = [{ first: 'one' }, { second: 'two' }].map((text, i) =>
    personal(`half${i}`, 'ann', 'bob', { text }),
  );
  if (!first || !second) throw new Error('two messages');
  const broken: SearchDocument = JSON.parse(JSON.stringify({ ...second, id: 'broken', text: null }));
  await expect(writer.index([first, broken])).rejects.toThrow(SearchUnavailableError);
  expect((await writer.search(queryOf(ann))).total).toBe(0);
  // A field number that the failed batch assigned must not become another field's.
  await writer.index([second]);
  await writer.index([first]);
  for (const text of [{ first: 'one' }, { second: 'two' }])
    expect((await writer.search(queryOf({ ...ann, text }))).total).toBe(1);
  for (const text of [{ first: 'two' }, { second: 'one' }])
    expect((await writer.search(queryOf({ ...ann, text }))).total).toBe(0);
});

function expectUnavailable(error: unknown): void {
  expect(error).toBeInstanceOf(SearchUnavailableError);
}

test('after a restart everything that was indexed is there, and the index is not new', async () => {
  const { writer } = await running();
  await writer.close();
  const next = open('writer');
  expect(await next.prepare()).toEqual({ created: false });
  expect((await next.search(QUERY)).total).toBe(3000);
  await next.index(messages(2990, 20));
  expect((await next.search(QUERY)).total).toBe(3010);
  expect(lost).toEqual([]);
});

test.each([
  ['no folder', () => rmSync(folder.path, { recursive: true })],
  ['an empty folder', () => {}],
  [
    'an empty file, left by a process that was killed while it started',
    () => writeFileSync(join(folder.path, 'messages.sqlite'), ''),
  ],
])('a writer that starts with %s reports that the index is new', async (_, prepare) => {
  prepare();
  const writer = open('writer');
  expect(await writer.prepare()).toEqual({ created: true });
  await writer.index(messages(0, 3));
  expect((await writer.search(QUERY)).total).toBe(3);
});

test('a writer that starts with a damaged file reports the loss and keeps the file', async () => {
  const file = join(folder.path, 'messages.sqlite');
  writeFileSync(file, 'this is no database '.repeat(1000));
  copyFileSync(file, join(folder.path, 'copy'));
  const writer = open('writer');
  await writer.prepare();
  expect(lost).toHaveLength(1);
  expect(existsSync(`${file}.damaged`)).toBe(true);
  await writer.index(messages(0, 3));
  expect((await writer.search(QUERY)).total).toBe(3);
});

test('a reader that starts before there is an index finds nothing, then what is written', async () => {
  const reader = open('reader');
  await reader.check();
  expect(await reader.search(QUERY)).toEqual({ total: 0, hits: [] });
  expect(await reader.prepare()).toEqual({ created: false });
  expect(readdirSync(folder.path)).toEqual([]);
  const writer = open('writer');
  await writer.prepare();
  expect((await reader.search(QUERY)).total).toBe(0);
  await writer.index(messages(0, 3));
  expect((await reader.search(QUERY)).total).toBe(3);
});

test('a reader does not write', async () => {
  await expect(open('reader').index(messages(0, 1))).rejects.toThrow(/does not write/);
});
