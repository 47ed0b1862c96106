import type { SearchDocument, SearchQuery } from '@ruyi/search';
import { type TempDir, tempDir } from '@ruyi/testkit';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { IndexWriter } from '../src/embedded/indexWriter.ts';
import { search } from '../src/embedded/search.ts';
import type { Plan } from '../src/embedded/textHits.ts';
import { group, inGroup, NOW, personal, queryOf, user } from './contract/documents.ts';

const PLANS: Plan[] = ['hits', 'places', 'texts'];

let folder: TempDir;
let database: Database | undefined;
beforeEach(() => {
  folder = tempDir('order');
});
afterEach(() => {
  database?.close();
  folder.remove();
});

function indexed(documents: SearchDocument[]): Database {
  const file = `${folder.path}/index.sqlite`;
  const writer = new IndexWriter(file, () => {});
  writer.open();
  for (let i = 0; i < documents.length; i += 2000) writer.index(documents.slice(i, i + 2000));
  writer.close();
  database = new Sqlite(file, { readonly: true });
  return database;
}

const ids = (of: Database, query: SearchQuery, plan?: Plan) => search(of, query, plan).hits.map(({ id }) => id);
const said = (id: string, content: string, age: number) =>
  personal(id, 'ann', 'bob', { text: { content }, timestamp: NOW - age });

test('whole words rank before beginnings of words, then short messages before long ones, then newest first', () => {
  const of = indexed([
    said('begins', 'javascript', 1),
    said('long', `java ${'and so on '.repeat(40)}`, 2),
    said('older', 'I know java', 20),
    said('newer', 'I see java', 10),
    said('both', 'javascript and java', 30),
    said('begins long', `javascript ${'and so on '.repeat(40)}`, 3),
    said('other', 'coffee', 0),
  ]);
  const query = queryOf({ audience: [user('ann')], text: { content: 'java' } });
  for (const plan of PLANS) {
    expect([plan, ids(of, query, plan)]).toEqual([plan, ['newer', 'older', 'both', 'long', 'begins', 'begins long']]);
  }
});

test('a field with the whole word outranks a field with a longer word', () => {
  const of = indexed([
    personal('begins', 'ann', 'bob', { text: { content: 'payment', title: 'payroll' }, timestamp: NOW }),
    personal('whole', 'ann', 'bob', { text: { content: 'payment', title: 'pay' }, timestamp: NOW - 9 }),
  ]);
  const query = queryOf({ audience: [user('ann')], text: { content: 'pay', title: 'pay' } });
  for (const plan of PLANS) expect([plan, ids(of, query, plan)]).toEqual([plan, ['whole', 'begins']]);
});

test('more than 10,000 hits come newest first, whatever their texts are, and the total is exact', () => {
  const count = 10_050;
  // Neither the order of indexing nor the order of places is the order of time.
  const age = (i: number) => (i * 7919) % count;
  const documents = Array.from({ length: count }, (_, i) =>
    inGroup(`m${age(i)}`, `s${i % 7}`, `g${i % 5}`, {
      text: { content: i % 2 === 0 ? 'java' : `javascript ${'long '.repeat(i % 9)}` },
      timestamp: NOW - age(i),
    }),
  );
  const of = indexed(documents);
  const audience = [user('ann'), ...Array.from({ length: 5 }, (_, i) => group(`g${i}`))];
  const query = queryOf({ audience, text: { content: 'java' }, limit: 30 });
  for (const plan of [undefined, ...PLANS]) {
    for (const offset of [0, 5000, 9990]) {
      const found = search(of, { ...query, offset }, plan);
      const expected = Array.from({ length: offset === 9990 ? 10 : 30 }, (_, i) => `m${offset + i}`);
      expect([plan, offset, found.total, found.hits.map(({ id }) => id)]).toEqual([plan, offset, count, expected]);
    }
  }
  expect(search(of, { ...query, text: { content: 'java long' } }).total).toBeLessThan(10_000);
});

test('the newest messages of a user who was silent for long are found, although all others are newer', () => {
  const old = Array.from({ length: 300 }, (_, i) => said(`o${i}`, '消息', 10_000 + i));
  const sent = Array.from({ length: 20 }, (_, i) => inGroup(`l${i}`, 'ann', 'left', { timestamp: NOW - 20_000 - i }));
  const busy = Array.from({ length: 3000 }, (_, i) => inGroup(`b${i}`, 'cid', 'busy', { timestamp: NOW - i }));
  const of = indexed([...busy, ...sent, ...old]);
  const query = queryOf({ audience: [user('ann'), group('quiet')], limit: 50 });
  const names = [...old, ...sent].map(({ id }) => id);
  expect(search(of, query).total).toBe(320);
  for (const offset of [0, 250, 290, 319, 320]) {
    expect(ids(of, { ...query, offset })).toEqual(names.slice(offset, offset + 50));
  }
});
