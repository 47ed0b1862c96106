import { describe, expect, test } from 'vitest';
import { broadcast, group, groupId, inGroup, NOW, personal, user } from './documents.ts';
import { indexing } from './indexingScenarios.ts';
import type { Contract } from './suite.ts';

const ids = ({ hits }: { hits: { id: string }[] }) => hits.map(({ id }) => id);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const empty = { total: 0, hits: [] };

/** Behaviour that takes more than one call to check. */
export function scenarios(contract: Contract): void {
  describe('pages and order', () => paging(contract));
  describe('who may find what', () => scope(contract));
  describe('indexing', () => indexing(contract));
}

function paging({ index, find, expected }: Contract): void {
  test('all pages together hold every message once, newest first', async () => {
    const audience = [user('pager')];
    await index(
      upTo(100).map((i) =>
        personal(`page${i}`, 'pager', 'bob', { text: { content: 'same words' }, timestamp: NOW - (i % 10) }),
      ),
    );
    for (const text of [{}, { content: 'same' }]) {
      const pages = [];
      for (let offset = 0; offset < 105; offset += 7) pages.push(await find({ audience, text, offset, limit: 7 }));
      expect(pages.map(({ total }) => total)).toEqual(pages.map(() => 100));
      expect(pages.flatMap(ids)).toEqual(ids(expected({ audience })));
      expect(pages.at(-1)?.hits).toHaveLength(2);
    }
  });

  test('all pages of a search that ranks by relevance together hold every message once', async () => {
    const audience = [user('ranker')];
    const content = (i: number) => ({
      text: { content: `${'北京 '.repeat(1 + (i % 5))}${'别的'.repeat(i % 7)} hello` },
    });
    await index(upTo(60).map((i) => personal(`rank${i}`, 'ranker', 'bob', content(i))));
    const pages = [];
    for (let offset = 0; offset < 60; offset += 8)
      pages.push(await find({ audience, text: { content: '北京 hel' }, offset, limit: 8 }));
    expect(pages.flatMap(ids).sort()).toEqual(ids(expected({ audience })).sort());
  });

  test('after the last page, and for a page of no hits, only the total is returned', async () => {
    const audience = [user('shortPager')];
    await index(upTo(3).map((i) => personal(`short${i}`, 'shortPager', 'bob', 'words')));
    for (const text of [{}, { content: 'words' }]) {
      expect(await find({ audience, text, offset: 3, limit: 10 })).toEqual({ total: 3, hits: [] });
      expect(await find({ audience, text, offset: 500, limit: 10 })).toEqual({ total: 3, hits: [] });
      expect(await find({ audience, text, limit: 0 })).toEqual({ total: 3, hits: [] });
      expect((await find({ audience, text, offset: 2, limit: 10 })).hits).toHaveLength(1);
    }
  });

  test('messages of one second are ordered by their ids, however large', async () => {
    const orders = [2 ** 53 - 1, 7, 2 ** 32, 2 ** 53 - 2, 2 ** 31, 0, 2 ** 52 + 1, 2 ** 52];
    const at = { timestamp: NOW, text: { content: 'tie' } };
    await index(orders.map((order, i) => personal(`tie${i}`, 'tied', 'bob', { ...at, order })));
    const newest = orders.map((order, i) => ({ order, id: `tie${i}` })).sort((a, b) => b.order - a.order);
    for (const text of [{}, { content: 'tie' }]) {
      expect(ids(await find({ audience: [user('tied')], text }))).toEqual(newest.map(({ id }) => id));
    }
  });

  test('the total is exact beyond the 10,000th result, although no messages are returned there', async () => {
    const audience = [user('collector')];
    for (let chunk = 0; chunk < 11; chunk++) {
      const some = upTo(chunk < 10 ? 1000 : 20).map((i) => chunk * 1000 + i);
      await index(some.map((i) => personal(`mass${i}`, 'collector', 'bob', `many 很多${i % 2 ? ' odd' : ''}`)));
    }
    for (const text of [{}, { content: '很多' }, { content: 'man' }]) {
      const last = await find({ audience, text, offset: 9_990, limit: 50 });
      expect(last.total).toBe(10_020);
      expect(last.hits).toHaveLength(10);
      // So many hits are ordered only by time, however they match (rule 8).
      expect(ids(await find({ audience, text, limit: 30 }))).toEqual(ids(expected({ audience, limit: 30 })));
      expect(await find({ audience, text, offset: 10_000, limit: 50 })).toEqual({ total: 10_020, hits: [] });
    }
    expect((await find({ audience, text: { content: 'odd' }, limit: 1 })).total).toBe(5_010);
    expect(ids(await find({ audience, offset: 9_990, limit: 50 }))).toEqual(
      ids(expected({ audience, offset: 9_990, limit: 50 })),
    );
  });
}

function scope({ index, find, expected }: Contract): void {
  test('a user who joins a group finds earlier messages; one who leaves only finds their own', async () => {
    await index([
      inGroup('join1', 'host', 'lounge', '欢迎'),
      inGroup('join2', 'guest', 'lounge', '欢迎我'),
      inGroup('join3', 'host', 'lounge', '再见'),
    ]);
    const guest = [user('guest')];
    expect(ids(await find({ audience: guest }))).toEqual(['join2']);
    expect(ids(await find({ audience: [...guest, group('lounge')] }))).toEqual(['join3', 'join2', 'join1']);
    expect((await find({ audience: [...guest, group('lounge')], text: { content: '欢迎' } })).total).toBe(2);
    expect(
      ids(await find({ audience: guest, anyOf: [{ channelId: groupId('lounge'), audience: user('guest') }] })),
    ).toEqual(['join2']);
  });

  test('every recipient of a broadcast to 100,000 finds it once and in its position, and nobody else finds it', async () => {
    const names = (chunk: number) => upTo(1000).map((i) => `member${chunk * 1000 + i}`);
    for (let first = 0; first < 100; first += 20) {
      await index(
        upTo(20).map((i) =>
          broadcast(`all-${first + i}`, 'herald', names(first + i), { text: { content: '全体通知 to all' } }),
        ),
      );
    }
    for (const n of [0, 1, 999, 1000, 1001, 50_500, 98_999, 99_000, 99_999]) {
      const me = user(`member${n}`);
      const hit = { id: `all-${Math.floor(n / 1000)}`, positions: [n % 1000, -1] };
      for (const text of [{}, { content: '通知' }]) {
        const found = await find({ audience: [me], text, locate: [me, user('herald')] });
        expect(found).toEqual({ total: 1, hits: [expect.objectContaining(hit)] });
      }
    }
    for (const uid of ['herald', 'member100000', 'member'])
      expect(await find({ audience: [user(uid)] })).toEqual(empty);
    const bySender = {
      audience: [user('herald'), user('member7')],
      anyOf: [{ from: user('herald'), audience: user('member7') }],
    };
    expect(ids(await find(bySender))).toEqual(['all-0']);
    expect((await find({ audience: [user('member7'), user('member1007'), user('member1008')] })).total).toBe(2);
  });

  test('copies of a broadcast that are gone are found by nobody, and the others keep their positions', async () => {
    await index([broadcast('gaps', 'herald', ['', 'gapA', '', '', 'gapB', ''], 'gaps')]);
    const query = { audience: [user('gapB'), ''], locate: [user('gapA'), user('gapB'), user('herald')] };
    expect((await find(query)).hits).toEqual([{ id: 'gaps', locator: expect.any(String), positions: [1, 4, -1] }]);
    expect(await find({ audience: [''] })).toEqual(empty);
  });

  test('a user of 1,000 groups finds the messages of all of them and of no other', async () => {
    await index(upTo(1010).map((i) => inGroup(`wide${i}`, `speaker${i % 10}`, `wide${i}`, `第${i}群 hello`)));
    const audience = [user('joiner'), ...upTo(1000).map((i) => group(`wide${i}`))];
    for (const text of [{}, { content: '群' }, { content: 'hello' }]) {
      const found = await find({ audience, text });
      expect(found.total).toBe(1000);
      expect(ids(found).sort()).toEqual(ids(expected({ audience })).sort());
    }
    expect(ids(await find({ audience, text: { content: '第999群' } }))).toEqual(['wide999']);
    expect(await find({ audience, text: { content: '第1000群' } })).toEqual(empty);
  });

  test('one search finds all groups of a channel_id, whatever their types', async () => {
    const types = upTo(254).map((i) => i + 2);
    await index(types.map((type) => inGroup(`type${type}`, 'speaker', 'manifold', 'hello', type)));
    const own = types.filter((type) => type % 2 === 0).map((type) => group('manifold', type));
    const anyOf = [
      ...own.map((channel) => ({ channel })),
      { channelId: groupId('manifold'), audience: user('listener') },
    ];
    const found = await find({ audience: [user('listener'), ...own], anyOf, text: { content: 'hello' } });
    expect(found.total).toBe(own.length);
    expect((await find({ audience: [user('listener'), ...own], anyOf, channelType: 255 })).total).toBe(0);
    expect((await find({ audience: [user('listener'), ...own], anyOf, channelType: 254 })).total).toBe(1);
  });

  test('each of many searches at once gets its own answer', async () => {
    await index(upTo(100).map((i) => personal(`crowd${i}`, `crowd${i}`, 'bob', `word${i}x`)));
    const found = await Promise.all(
      upTo(100).map((i) => find({ audience: [user(`crowd${i}`)], text: { content: `word${i}x` } })),
    );
    expect(found.flatMap(ids)).toEqual(upTo(100).map((i) => `crowd${i}`));
  });
}
