import type { ScopeClause, SearchDocument, SearchQuery } from '@ruyi/search';
import { type Random, seededRandom } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { broadcast, group, groupId, inGroup, NOW, personal, queryOf, topic, user } from './contract/documents.ts';
import { expectedResult } from './contract/oracle.ts';
import type { EnginePair } from './contract/suite.ts';
import { engines } from './engines.ts';

// Names that an engine would confuse if it folded case, accents or white space.
const USERS = ['ann', 'Ann', 'ANN', 'ánn', 'ann ', 'ａｎｎ', 'bob', 'bobby', '安', '安娜', '0', '00'] as [
  string,
  ...string[],
];
const GROUPS = ['ann', 'Ann', 'club', 'Club', 'club2', '群'] as [string, ...string[]];
const TYPES: [number, ...number[]] = [2, 3, 255];
const TEXTS = ['hello 北京', 'hello', '北京大学', 'hell', '上海', 'Hello 世界'] as [string, ...string[]];
const TOPICS = ['a', 'A', ''] as [string, ...string[]];

interface Group {
  id: string;
  type: number;
}

const someOf = <T>(random: Random, items: readonly T[]) => items.filter(() => random.next() < 0.35);

function message(random: Random, i: number): SearchDocument {
  const from = random.pick(USERS);
  const name = random.pick(TOPICS);
  const content = {
    text: { content: random.pick(TEXTS), title: random.pick(TEXTS) },
    ...(random.next() < 0.8 ? { payloadType: random.whole(0, 2) } : {}),
    topic: name === '' ? '' : topic(name),
    timestamp: NOW - random.whole(0, 50),
    expiresAt: random.next() < 0.3 ? NOW + random.whole(-3, 3) : 0,
  };
  const kind = random.next();
  if (kind < 0.4) return personal(`p${i}`, from, random.pick(USERS), content);
  if (kind < 0.7) return inGroup(`p${i}`, from, random.pick(GROUPS), content, random.pick(TYPES));
  return broadcast(`p${i}`, from, ['', ...someOf(random, USERS), ''], content);
}

/** A query for a user who is in these groups, always within what belongs to that user. */
function question(random: Random, uid: string, groups: Group[]): SearchQuery {
  const me = user(uid);
  const maybe = <T extends Partial<SearchQuery>>(chance: number, part: T) => (random.next() < chance ? part : {});
  const peer = random.pick(USERS);
  const clauses: ScopeClause[] = [
    { from: user(peer), audience: me, channelType: 1 },
    { channelId: groupId(random.pick(GROUPS)), audience: me },
    { channelType: random.pick(TYPES) },
    ...groups.map(({ id, type }) => ({ channel: group(id, type) })),
  ];
  return queryOf({
    audience: [me, ...groups.map(({ id, type }) => group(id, type))],
    locate: [me, user(peer)],
    ...maybe(0.4, { anyOf: someOf(random, clauses) }),
    ...maybe(0.6, { text: Object.fromEntries([[random.pick(['content', 'title', 'none']), random.pick(TEXTS)]]) }),
    ...maybe(0.3, { payloadTypes: [random.whole(0, 3), random.whole(0, 3)] }),
    ...maybe(0.3, { from: user(random.pick(USERS)) }),
    ...maybe(0.2, { topic: topic(random.pick(['a', 'A'])) }),
    ...maybe(0.2, { channelType: random.pick([1, ...TYPES]) }),
    ...maybe(0.3, { startTime: NOW - random.whole(0, 50) }),
    ...maybe(0.3, { endTime: NOW - random.whole(0, 50) }),
    ...maybe(0.3, { offset: random.whole(0, 20), limit: random.whole(0, 20) }),
  });
}

const may = ({ audience }: SearchDocument, uid: string, groups: Group[]) =>
  audience.includes(user(uid)) || groups.some(({ id, type }) => audience.includes(group(id, type)));

describe.each(engines)('whatever is asked of the %s engine', (_, open) => {
  const random = seededRandom();
  const everyGroup = GROUPS.flatMap((id) => TYPES.map((type) => ({ id, type })));
  const documents = Array.from({ length: 800 }, (_, i) => message(random, i));
  const byId = new Map(documents.map((document) => [document.id, document]));
  let pair: EnginePair;

  beforeAll(async () => {
    pair = await open();
    // Documents without any recipient belong to nobody; an engine may refuse them.
    await pair.writer.index(documents);
  });
  afterAll(() => pair.close());

  test('nobody is shown, or counted, a message that belongs to somebody else', async () => {
    let shown = 0;
    for (let i = 0; i < 400; i++) {
      const uid = random.pick(USERS);
      const groups = someOf(random, everyGroup);
      const query = question(random, uid, groups);
      const result = await pair.reader.search(query);
      for (const { id } of result.hits) {
        const document = byId.get(id);
        expect(document && may(document, uid, groups), `${uid} found ${id} by ${JSON.stringify(query)}`).toBe(true);
      }
      const expected = expectedResult(documents, query);
      expect([query, result.total]).toEqual([query, expected.total]);
      if (Object.keys(query.text).length === 0) expect([query, result.hits]).toEqual([query, expected.hits]);
      shown += result.hits.length;
    }
    expect(shown).toBeGreaterThan(500);
  });

  test('a conversation with a peer contains the messages between the two, and nothing else', async () => {
    let shown = 0;
    for (let i = 0; i < 100; i++) {
      const [me, peer] = [user(random.pick(USERS)), user(random.pick(USERS))];
      const anyOf = [
        { from: peer, audience: me, channelType: 1 },
        { from: me, audience: peer, channelType: 1 },
      ];
      const text: Record<string, string> = random.next() < 0.5 ? { content: random.pick(TEXTS) } : {};
      const { hits, total } = await pair.reader.search(queryOf({ audience: [me, peer], anyOf, text }));
      for (const { id } of hits) {
        const { from, audience = [], channelType } = byId.get(id) ?? {};
        expect(channelType).toBe(1);
        expect((from === me && audience.includes(peer)) || (from === peer && audience.includes(me))).toBe(true);
      }
      expect(total).toBe(hits.length);
      shown += total;
    }
    expect(shown).toBeGreaterThan(100);
  });

  test('somebody without messages finds none', async () => {
    for (let i = 0; i < 50; i++) {
      const query = { ...question(random, 'stranger', []), audience: [user('stranger')] };
      expect(await pair.reader.search(query)).toEqual({ total: 0, hits: [] });
    }
  });
});
