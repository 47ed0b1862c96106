import type { SearchDocument } from '@ruyi/search';
import { expect, test } from 'vitest';
import { broadcast, personal, queryOf, topic, user } from './documents.ts';
import type { Contract } from './suite.ts';

const ids = ({ hits }: { hits: { id: string }[] }) => hits.map(({ id }) => id);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Which documents become findable, and when. */
export function indexing(contract: Contract): void {
  const { index, find, expected } = contract;

  test('an indexed message is found at once, by the writer too', async () => {
    for (const i of upTo(5)) {
      await index([personal(`fresh${i}`, 'fresh', 'bob', `第${i}条`)]);
      const query = { audience: [user('fresh')], text: { content: `第${i}条` } };
      expect(ids(await find(query))).toEqual([`fresh${i}`]);
      expect(await contract.writer.search(queryOf(query))).toEqual(await find(query));
    }
  });

  test('the same message indexed again, in one batch or a later one, is there once', async () => {
    const documents = [
      personal('twice', 'twicer', 'bob', { text: { content: '重复', title: 'again' }, topic: topic('t') }),
    ];
    const chunk = [broadcast('twice-0', 'press', ['twicer', '', 'bob'], '重复')];
    await index([...documents, ...chunk, ...documents]);
    await index(documents);
    await index([...chunk, personal('once', 'twicer', 'bob', '重复')]);
    for (const text of [{}, { content: '重复' }]) {
      const query = { audience: [user('twicer')], text, locate: [user('bob')] };
      const found = await find(query);
      expect(found.total).toBe(3);
      expect(ids(found).sort()).toEqual(['once', 'twice', 'twice-0']);
    }
    expect(await find({ audience: [user('twicer')], text: { title: 'again' } })).toMatchObject({ total: 1 });
    expect(ids(expected({ audience: [user('twicer')] }))).toHaveLength(3);
  });

  test('a message that is indexed again with another locator is there once, with the new locator', async () => {
    const document = personal('moved', 'mover', 'bob', '搬家');
    await index([document]);
    await contract.writer.index([{ ...document, locator: 'elsewhere' }]);
    const found = await find({ audience: [user('mover')], text: { content: '搬家' } });
    expect(found.total).toBe(1);
    expect(found.hits).toMatchObject([{ id: 'moved', locator: 'elsewhere' }]);
  });

  test('a refused message is named, and the others are indexed', async () => {
    const document = (id: string): SearchDocument =>
      personal(id, 'refuser', 'bob', { text: { content: '好的', [`field of ${id}`]: id } });
    const refused = { ...document('bad'), ...contract.refused };
    expect(await contract.writer.index([document('good1'), refused, document('good2')])).toEqual([
      { id: refused.id, reason: expect.stringMatching(/./) },
    ]);
    const query = { audience: [user('refuser')] };
    expect((await find(query)).hits.map(({ id }) => id)).toEqual(['good2', 'good1']);
    expect(ids(await find({ ...query, text: { 'field of good2': 'good2' } }))).toEqual(['good2']);
    expect((await find({ ...query, text: { content: '好的' } })).total).toBe(2);
  });

  test('a message that nobody may find is found by nobody', async () => {
    const lonely = { ...personal('lonely', 'hermit', 'bob', 'nobody hears'), audience: [] };
    const refused = await contract.writer.index([lonely, personal('heard', 'hermit', 'bob', 'somebody hears')]);
    expect(refused.filter(({ id }) => id !== 'lonely')).toEqual([]);
    for (const text of [{}, { content: 'hears' }]) {
      expect(ids(await find({ audience: [user('hermit'), user('bob'), ''], from: user('hermit'), text }))).toEqual([
        'heard',
      ]);
    }
  });

  test('an empty batch does nothing', async () => {
    expect(await contract.writer.index([])).toEqual([]);
  });

  test('a payload of the largest size is found by the text at its end', async () => {
    const chinese = Array.from({ length: 80_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join(
      '',
    );
    const latin = upTo(30_000)
      .map((i) => `w${i}`)
      .join(' ');
    await index([
      personal('longHan', 'author', 'bob', `${chinese}尾声在此`),
      personal('longLatin', 'author', 'bob', `${latin} finale`),
    ]);
    const audience = [user('author')];
    expect(ids(await find({ audience, text: { content: '尾声在此' } }))).toEqual(['longHan']);
    expect(ids(await find({ audience, text: { content: 'w29999 finale' } }))).toEqual(['longLatin']);
    expect(ids(await find({ audience, text: { content: chinese.slice(60_000, 60_012) } }))).toEqual(['longHan']);
  });

  test('a payload with as many words as its size allows is found by the text at its end', async () => {
    const words = { digits: 'a1'.repeat(65_000), symbols: 'ﷺ'.repeat(65_000), fractions: '½'.repeat(65_000) };
    for (const [name, text] of Object.entries(words)) {
      await index([
        personal(`content-${name}`, name, 'bob', `${text} v2.1.3`),
        personal(`other-${name}`, name, 'bob', { text: { title: `${text} 尾声在此 v2.1.3` } }),
      ]);
      const audience = [user(name)];
      expect(ids(await find({ audience, text: { content: 'v2.1.3' } }))).toEqual([`content-${name}`]);
      expect(ids(await find({ audience, text: { title: 'v2.1.3' } }))).toEqual([`other-${name}`]);
      expect(ids(await find({ audience, text: { title: '尾声在此' } }))).toEqual([`other-${name}`]);
      expect((await find({ audience, text: { content: 'v2.1.4' } })).total).toBe(0);
    }
  });

  test('preparing again changes nothing, and the check passes', async () => {
    expect(await contract.writer.prepare()).toEqual({ created: false });
    await contract.writer.check();
    expect((await find({ audience: [user('fresh')] })).total).toBe(5);
  });
}
