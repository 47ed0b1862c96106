import { matcherOf, type ScopeClause, type SearchDocument, type SearchQuery } from '@ruyi/search';
import { type Random, seededRandom, tempDir } from '@ruyi/testkit';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IndexWriter } from '../src/embedded/indexWriter.ts';
import { PLACE_SIZE } from '../src/embedded/schema.ts';
import { search } from '../src/embedded/search.ts';
import type { Plan } from '../src/embedded/textHits.ts';
import { broadcast, group, groupId, inGroup, NOW, personal, queryOf, topic, user } from './contract/documents.ts';
import { expectedResult } from './contract/oracle.ts';

const PLANS: Plan[] = ['hits', 'places', 'texts'];
const USERS = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay'] as [string, ...string[]];
const GROUPS = ['club', 'team', 'room', 'hall'] as [string, ...string[]];
// Runs of every kind, so that runs meet both with and without something between them.
const WORDS: [string, ...string[]] = [
  '人民',
  ...['北京', '大学', '京', '学', '北京大学', '第', '章', '🎂'],
  ...['hello', 'hell', 'help', 'h', 'it', 's', 'v', 'room'],
  ...['2', '3', '35', '13812345678', '5678', '2345'],
  '一二三四五六七八九十甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒',
];
const JOINTS = ['', '', ' ', '·', '.', "'"] as [string, ...string[]];

const someOf = <T>(random: Random, items: readonly T[]) => items.filter(() => random.next() < 0.4);

function text(random: Random, most: number): string {
  const words = Array.from({ length: random.whole(1, most) }, () => random.pick(WORDS) + random.pick(JOINTS));
  return words.join('');
}

/** A text that somebody wrote, or a part of it. */
function asked(random: Random, texts: readonly string[]): string {
  if (random.next() < 0.5) return text(random, 4);
  const written = [...(texts[random.whole(0, texts.length - 1)] ?? '')];
  const start = random.whole(0, written.length - 1);
  return written.slice(start, start + random.whole(1, 60)).join('');
}

function message(random: Random, i: number): SearchDocument {
  const from = random.pick(USERS);
  const content = {
    text: { content: text(random, 6), ...(random.next() < 0.3 ? { title: text(random, 3) } : {}) },
    payloadType: random.whole(0, 2),
    topic: random.next() < 0.5 ? topic('a') : '',
    timestamp: NOW - random.whole(0, 500),
    expiresAt: random.next() < 0.2 ? NOW + random.whole(-3, 3) : 0,
  };
  const kind = random.next();
  if (kind < 0.3) return personal(`d${i}`, from, random.pick(USERS), content);
  if (kind < 0.7) return inGroup(`d${i}`, from, random.pick(GROUPS), content, random.pick([2, 3]));
  return broadcast(`d${i}`, from, ['', ...someOf(random, USERS)], content);
}

function question(random: Random, texts: readonly string[]): SearchQuery {
  const [me, peer] = [user(random.pick(USERS)), user(random.pick(USERS))];
  const groups = someOf(random, GROUPS).map((id) => group(id, random.pick([2, 3])));
  const maybe = <T extends Partial<SearchQuery>>(chance: number, part: T) => (random.next() < chance ? part : {});
  const clauses: ScopeClause[] = [
    { from: peer, audience: me, channelType: 1 },
    { from: me, audience: peer, channelType: 1 },
    { channelId: groupId(random.pick(GROUPS)), audience: me },
    { channelId: groupId(random.pick(GROUPS)) },
    { audience: group(random.pick(GROUPS)) },
    { from: peer },
    ...groups.map((channel) => ({ channel })),
  ];
  return queryOf({
    audience: [me, ...(random.next() < 0.3 ? [peer] : []), ...groups],
    locate: [me, peer],
    text: { [random.next() < 0.8 ? 'content' : 'title']: asked(random, texts) },
    ...maybe(0.5, { anyOf: someOf(random, clauses) }),
    ...maybe(0.2, { payloadTypes: [random.whole(0, 3)] }),
    ...maybe(0.2, { from: user(random.pick(USERS)) }),
    ...maybe(0.2, { topic: topic('a') }),
    ...maybe(0.2, { channelType: random.pick([1, 2, 3]) }),
    ...maybe(0.2, { startTime: NOW - random.whole(0, 500) }),
    ...maybe(0.2, { endTime: NOW - random.whole(0, 500) }),
    ...maybe(0.2, { offset: random.whole(0, 20), limit: random.whole(0, 20) }),
  });
}

/** The documents whose text matches, by the matcher's definition. */
function holding(documents: SearchDocument[], query: SearchQuery): SearchDocument[] {
  const matchers = Object.entries(query.text).map(([name, value]) => [name, matcherOf(value)] as const);
  return documents.filter(({ text }) => matchers.some(([name, match]) => match(text[name] ?? '') !== undefined));
}

describe('the plans of a search', () => {
  const random = seededRandom();
  const documents = Array.from({ length: 800 }, (_, i) => message(random, i));
  const texts = documents.map((document) => document.text.content ?? '');
  const folder = tempDir('plans');
  let database: Database;

  beforeAll(() => {
    const writer = new IndexWriter(`${folder.path}/index.sqlite`, () => {});
    writer.open();
    for (let i = 0; i < documents.length; i += 400) writer.index(documents.slice(i, i + 400));
    writer.close();
    database = new Sqlite(`${folder.path}/index.sqlite`, { readonly: true });
  });
  afterAll(() => {
    database.close();
    folder.remove();
  });

  test('find the same in the same order, and the same as a scan of every message', () => {
    let found = 0;
    for (let i = 0; i < 150; i++) {
      const query = question(random, texts);
      const chosen = search(database, query);
      for (const plan of PLANS) expect([plan, query, search(database, query, plan)]).toEqual([plan, query, chosen]);
      const { total } = expectedResult(holding(documents, query), { ...query, text: {} });
      expect([query, chosen.total]).toEqual([query, total]);
      found += total;
    }
    expect(found).toBeGreaterThan(200);
  });

  test('without text: all pages together are the same as a scan of every message', () => {
    for (let i = 0; i < 200; i++) {
      const query = { ...question(random, texts), text: {} };
      expect([query, search(database, query)]).toEqual([query, expectedResult(documents, query)]);
    }
  });
});

test('when a place is full, another one is begun', () => {
  const folder = tempDir('full');
  const file = `${folder.path}/index.sqlite`;
  const writer = new IndexWriter(file, () => {});
  writer.open();
  const documents = Array.from({ length: 6 }, (_, i) => inGroup(`f${i}`, 'ann', 'club', `消息 ${i}`));
  writer.index(documents.slice(0, 2));
  const inside = new Sqlite(file);
  inside.prepare('update place set count = ?').run(PLACE_SIZE - 1);
  inside.close();
  writer.index(documents.slice(2, 5));
  writer.index(documents.slice(5));
  writer.close();
  const database = new Sqlite(file, { readonly: true });
  const query = queryOf({ audience: [group('club')], text: { content: '消息' } });
  for (const plan of PLANS) {
    expect(search(database, query, plan).hits.map(({ id }) => id)).toEqual(['f5', 'f4', 'f3', 'f2', 'f1', 'f0']);
  }
  expect(database.prepare('select count from place order by id').pluck().all()).toEqual([PLACE_SIZE, 3]);
  database.close();
  folder.remove();
});
