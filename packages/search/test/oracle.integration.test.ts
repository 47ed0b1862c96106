import type { SearchDocument } from '@ruyi/search';
import { seededRandom } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOW, personal, queryOf, user } from './contract/documents.ts';
import { characters, HAN, part, sentence, substring, WORDS } from './contract/sentences.ts';
import type { EnginePair } from './contract/suite.ts';
import { asked, folded } from './contract/textOracle.ts';
import { engines } from './engines.ts';

const isFull = process.env.SEARCH_ORACLE === 'full';
const MESSAGES = isFull ? 20_000 : 2_000;
const QUERIES = isFull ? 1_000 : 60;

describe.each(engines)('a scan of every message and the %s engine agree', (_, open) => {
  const random = seededRandom();
  const texts = Array.from({ length: MESSAGES }, () => sentence(random));
  const documents: SearchDocument[] = texts.map((text, i) => personal(`o${i}`, 'ann', 'bob', text));
  const scanned = texts.map(folded);
  let pair: EnginePair;

  beforeAll(async () => {
    pair = await open();
    for (let i = 0; i < documents.length; i += 1000) {
      expect(await pair.writer.index(documents.slice(i, i + 1000))).toEqual([]);
    }
  }, 300_000);
  afterAll(() => pair.close());

  async function compare(query: string) {
    const find = asked(query);
    const found = scanned.map(find);
    const expected = documents.filter((_, i) => found[i] !== undefined).map(({ id }) => id);
    const search = { audience: [user('ann')], text: { content: query }, now: NOW, limit: 1000 };
    const { total, hits } = await pair.reader.search(queryOf(search));
    expect([query, total]).toEqual([query, expected.length]);
    if (total > 10_000) return;
    const ranks = hits.map(({ id }) => found[Number(id.slice(1))]);
    // Whole words come first (rule 8), so none follows the first beginning of a word.
    expect([query, ranks]).toEqual([query, ranks.toSorted((a, b) => Number(a === 'prefix') - Number(b === 'prefix'))]);
    if (total <= 1000) expect([query, hits.map(({ id }) => id).sort()]).toEqual([query, expected.sort()]);
  }

  test(`on ${QUERIES} strings of Chinese characters`, async () => {
    for (let i = 0; i < QUERIES; i++) await compare(substring(random, texts));
  }, 600_000);

  test('on single characters, and on two that touch', async () => {
    for (let i = 0; i < 30; i++) await compare(characters(random, 1, 2));
  });

  test('on words, their beginnings, and words with characters', async () => {
    for (let i = 0; i < 30; i++) {
      const word = random.pick(WORDS);
      const last = random.pick(WORDS);
      await compare(
        `${word} ${random.next() < 0.5 ? random.pick(HAN) : ''} ${last.slice(0, random.whole(1, last.length))}`,
      );
    }
  });

  test(`on ${QUERIES} parts of what people write, in all scripts`, async () => {
    for (let i = 0; i < QUERIES; i++) await compare(part(random, texts));
  }, 600_000);

  test('on whole sentences', async () => {
    for (let i = 0; i < 20; i++) await compare(texts[random.whole(0, texts.length - 1)] ?? '');
  });
});
