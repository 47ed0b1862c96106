import type { SearchDocument } from '@ruyi/search';
import { type Random, seededRandom } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOW, personal, queryOf, user } from './contract/documents.ts';
import { asked, scanner } from './contract/oracle.ts';
import type { EnginePair } from './contract/suite.ts';
import { engines } from './engines.ts';

const isFull = process.env.SEARCH_ORACLE === 'full';
const MESSAGES = isFull ? 20_000 : 2_000;
const QUERIES = isFull ? 1_000 : 60;

/** Few enough characters for words to meet by chance, some of them beyond the BMP. */
const HAN = [
  ...'的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处𠮷𠀀𡃁',
] as [string, ...string[]];
const WORDS = ['hello', 'help', 'world', 'Meeting', 'project', 'pro', 'API', 'café', 'v2', '2024', 'ok'] as [
  string,
  ...string[],
];
const SIGNS = [' ', '，', '。', '！', '😀', '\n', '-', '"'] as [string, ...string[]];

const characters = (random: Random, min: number, max: number) =>
  Array.from({ length: random.whole(min, max) }, () => random.pick(HAN)).join('');

/** Runs of Chinese, Latin words and signs, as people write. */
function sentence(random: Random): string {
  const parts = Array.from({ length: random.whole(1, 8) }, () => {
    const kind = random.next();
    if (kind < 0.55) return characters(random, 1, 14);
    return kind < 0.8 ? ` ${random.pick(WORDS)} ` : random.pick(SIGNS);
  });
  return parts.join('');
}

/** Mostly something that occurs, as a substring of some message, sometimes with its neighbour changed. */
function substring(random: Random, texts: readonly string[]): string {
  const runs = [...(texts[random.whole(0, texts.length - 1)] ?? '').matchAll(/\p{Script=Han}{2,}/gu)];
  const run = [...(runs[random.whole(0, Math.max(0, runs.length - 1))]?.[0] ?? characters(random, 2, 12))];
  const length = random.whole(2, Math.min(12, run.length));
  const start = random.whole(0, run.length - length);
  const found = run.slice(start, start + length);
  if (random.next() < 0.2) found[random.whole(0, length - 1)] = random.pick(HAN);
  return found.join('');
}

describe.each(engines)('a scan of every message and the %s engine agree', (_, open) => {
  const random = seededRandom();
  const texts = Array.from({ length: MESSAGES }, () => sentence(random));
  const documents: SearchDocument[] = texts.map((text, i) => personal(`o${i}`, 'ann', 'bob', text));
  const scanners = texts.map(scanner);
  let pair: EnginePair;

  beforeAll(async () => {
    pair = await open();
    for (let i = 0; i < documents.length; i += 1000) {
      expect(await pair.writer.index(documents.slice(i, i + 1000))).toEqual([]);
    }
  }, 300_000);
  afterAll(() => pair.close());

  async function compare(query: string) {
    const wanted = asked(query);
    const expected = documents.filter((_, i) => scanners[i]?.(wanted)).map(({ id }) => id);
    const search = { audience: [user('ann')], text: { content: query }, now: NOW, limit: 1000 };
    const { total, hits } = await pair.reader.search(queryOf(search));
    expect([query, total]).toEqual([query, expected.length]);
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

  test('on whole sentences', async () => {
    for (let i = 0; i < 20; i++) await compare(texts[random.whole(0, texts.length - 1)] ?? '');
  });
});
