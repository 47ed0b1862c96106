import { matcherOf } from '@ruyi/search';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { part, sentence } from './contract/sentences.ts';
import { ruleCases } from './contract/textFiles.ts';
import { asked, folded } from './contract/textOracle.ts';

describe('a second implementation of the rules agrees with the cases of the contract', () => {
  test.each(ruleCases.map(({ text, query, found }) => [query, text, found] as const))(
    '%j in %j: %s',
    (query, text, found) => {
      expect(asked(query)(folded(text)) !== undefined).toBe(found);
      expect(matcherOf(query)(text)).toBe(asked(query)(folded(text)));
    },
  );
});

test('the matcher agrees with it on what people write, and on parts of that, in every script', () => {
  const random = seededRandom();
  let found = 0;
  for (let i = 0; i < 80; i++) {
    const texts = Array.from({ length: 30 }, () => sentence(random));
    const scanned = texts.map(folded);
    for (let j = 0; j < 10; j++) {
      const query = part(random, texts);
      const [find, match] = [asked(query), matcherOf(query)];
      texts.forEach((text, at) => {
        const expected = find(scanned[at] ?? '');
        if (match(text) !== expected) expect([query, text, match(text)]).toEqual([query, text, expected]);
        if (expected !== undefined) found++;
      });
    }
  }
  expect(found).toBeGreaterThan(300);
});
