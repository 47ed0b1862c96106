import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createEmbeddedEngine, type OnLost, SearchUnavailableError } from '@ruyi/search';
import { type TempDir, tempDir } from '@ruyi/testkit';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { personal, queryOf, user } from './contract/documents.ts';
import { patientBounds } from './patientBounds.ts';

/** As much of the tables of version 1 as a program needs to recognize the version. */
const VERSION_1 = `
create table meta (version integer not null);
create table document (n integer primary key, id text not null unique, sender blob not null, locator text not null);
create table audience (key blob not null, n integer not null, position integer not null, primary key (key, n)) without rowid;
create table field (id integer primary key, name text not null unique);
create virtual table text using fts5(content, ext, content='', contentless_delete=1, tokenize="ascii tokenchars '_'");
insert into meta values (1);
insert into document values (1, 'm1', x'00', 'old');
insert into text (rowid, content) values (1, '消息 息');
`;
const QUERY = queryOf({ audience: [user('ann')], text: { content: '消息' } });

let folder: TempDir;
let close: (() => Promise<void>)[];
let lost: Parameters<OnLost>[];
beforeEach(() => {
  [folder, close, lost] = [tempDir('versions'), [], []];
});
afterEach(async () => {
  await Promise.all(close.map((one) => one()));
  folder.remove();
});

function open(role: 'writer' | 'reader') {
  const onLost: OnLost = (...told) => lost.push(told);
  const engine = createEmbeddedEngine({ directory: folder.path, role, onLost, bounds: patientBounds });
  close.push(() => engine.close());
  return engine;
}

const message = (id: string) => personal(id, 'ann', 'bob', { text: { content: `消息 ${id}` }, order: 1 });
const file = () => join(folder.path, 'messages.sqlite');

const VERSIONS: [name: string, make: () => Promise<void>][] = [
  [
    'version 1',
    async () => {
      const database = new Sqlite(file());
      database.exec(VERSION_1);
      database.close();
    },
  ],
  [
    'a version to come',
    async () => {
      const engine = open('writer');
      await engine.prepare();
      await engine.index([message('before')]);
      await engine.close();
      const database = new Sqlite(file());
      database.exec('update meta set version = 999');
      database.close();
    },
  ],
];

test.each(VERSIONS)(
  'an index of %s answers nothing, and is replaced by one that is filled beside it',
  async (_, make) => {
    await make();
    const [writer, reader] = [open('writer'), open('reader')];
    expect(await writer.prepare()).toEqual({ created: false });
    expect(lost).toEqual([[expect.stringMatching(/version (1|999)\b.*rebuilt/), { fresh: true }]]);
    expect(await writer.index([message('meanwhile')])).toEqual([]);
    await writer.check();
    // An incomplete index must not answer.
    for (const engine of [reader, writer]) {
      await expect(engine.search(QUERY)).rejects.toThrow(SearchUnavailableError);
      await expect(engine.search(QUERY)).rejects.toThrow(/version/);
    }
    const fresh = await writer.begin(true);
    await fresh.index([message('rebuilt'), message('meanwhile')]);
    await expect(reader.search(QUERY)).rejects.toThrow(/version/);
    await fresh.swap();
    for (const engine of [reader, writer]) expect(ids(await engine.search(QUERY))).toEqual(['meanwhile', 'rebuilt']);
    await writer.index([message('later')]);
    expect(ids(await reader.search(QUERY))).toEqual(['later', 'meanwhile', 'rebuilt']);
    expect(existsSync(file())).toBe(false);
    expect(lost).toHaveLength(1);
  },
);

test('a writer that is stopped before the new index is complete reports the loss again, and keeps what it has filled', async () => {
  await VERSIONS[0]?.[1]();
  const first = open('writer');
  await first.prepare();
  await first.index([message('first')]);
  await first.close();
  const second = open('writer');
  expect(await second.prepare()).toEqual({ created: false });
  expect(lost).toHaveLength(2);
  const fresh = await second.begin(true);
  expect(fresh.resumed).toBe(true);
  await fresh.swap();
  expect(ids(await second.search(QUERY))).toEqual(['first']);
});

test('an index that an older version began to fill is removed', async () => {
  const old = open('writer');
  await old.prepare();
  await old.index([message('serves')]);
  await old.begin(false);
  await old.close();
  const begun = readdirSync(folder.path).find((name) => /^messages-.*\.sqlite$/.test(name)) ?? '';
  const database = new Sqlite(join(folder.path, begun));
  database.exec('update meta set version = 1');
  database.close();
  const writer = open('writer');
  await writer.prepare();
  expect(existsSync(join(folder.path, begun))).toBe(false);
  const fresh = await writer.begin(true);
  expect(fresh.resumed).toBe(false);
  expect(ids(await writer.search(QUERY))).toEqual(['serves']);
});

const ids = ({ hits }: { hits: { id: string }[] }) => hits.map(({ id }) => id).sort();
