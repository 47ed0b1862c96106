import { highlight, matcherOf } from '@ruyi/search';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { normalize } from '../src/analyzer/normalize.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** How many marks of one character count (rule 1). */
const MOST_MARKS = 30;
const marks = (count: number) =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(0x300 + (i % 60))).join('');

/** Texts that stress one part each, with at least `n` characters. */
const LONG: [name: string, make: (n: number) => string][] = [
  ['one character with marks', (n) => `a${marks(n)}`],
  ['marks on nothing', marks],
  ['marks between invisible characters', (n) => `a${'\u200b\u0301'.repeat(n)}`],
  ['invisible characters', (n) => `a${'\u200b'.repeat(n)}b`],
  ['Han', (n) => '一'.repeat(n)],
  ['traditional Han', (n) => '體學'.repeat(n)],
  ['Hangul in parts', (n) => '한국'.normalize('NFD').repeat(n)],
  ['leading consonants of Hangul', (n) => '\u1100'.repeat(n)],
  ['trailing consonants of Hangul', (n) => `가${'\u11a8'.repeat(n)}`],
  ['Thai', (n) => 'สวัสดี'.repeat(n)],
  ['one word', (n) => 'a'.repeat(n)],
  ['words of a letter', (n) => 'é '.repeat(n)],
  ['digits', (n) => '1234567890'.repeat(n)],
  ['emoji', (n) => '👨‍👩‍👧'.repeat(n)],
  ['symbols of many words', (n) => 'ﷺ'.repeat(n)],
  ['lone surrogates', (n) => '\ud800'.repeat(n)],
];

/** Counts the characters given to String.normalize() while a text is folded: the only step that is not linear. */
function normalized(text: string): { most: number; all: number } {
  const spy = vi.spyOn(String.prototype, 'normalize');
  normalize(text);
  const lengths = spy.mock.contexts.map((context) => String(context).length);
  spy.mockRestore();
  return { most: Math.max(0, ...lengths), all: lengths.reduce((sum, length) => sum + length, 0) };
}

test.each(LONG)('folding %s normalizes it in small pieces, whatever its length', (_, make) => {
  const [short, long] = [normalized(make(1000)), normalized(make(10_000))];
  expect(long.most).toBeLessThanOrEqual(2 * (MOST_MARKS + 2));
  expect(long.all).toBeLessThanOrEqual(20 * Math.max(short.all, 200));
});

test('of a character with 124,000 marks the first 30 count, and all of them belong to it', () => {
  const thai = `ก${'\u0e48'.repeat(124_000)}ข`;
  const { chars, ends } = normalize(thai);
  expect([chars.length, ends[0], ends.at(-1)]).toEqual([MOST_MARKS + 2, 124_001, 124_002]);
  expect(normalize(`a${marks(124_000)}b`).chars).toEqual(['a', 'b']);
});

/** Counts look-ups in maps: one per step of the automaton, and one per cached fold. */
function lookUps(work: () => void): number {
  const spy = vi.spyOn(Map.prototype, 'get');
  work();
  const { length } = spy.mock.calls;
  spy.mockRestore();
  return length;
}

const han = (count: number) => Array.from({ length: count }, (_, i) => String.fromCodePoint(0x4e00 + i));
const cycle = (chars: string[], length: number) => Array.from({ length }, (_, i) => chars[i % chars.length]).join('');

describe.each([
  ['512 characters', han(512).join(' '), cycle(han(600), 4000)],
  [
    '512 phrases that begin alike',
    han(512)
      .map((char) => `一一一一${char}`)
      .join(' '),
    '一'.repeat(4000),
  ],
  ['one character a thousand times', '一'.repeat(1024), '一'.repeat(4000)],
  ['its lengths', Array.from({ length: 60 }, (_, i) => '一'.repeat(i + 1)).join(' '), '一'.repeat(4000)],
  ['characters that signs part', '一一，'.repeat(600), '一'.repeat(4000)],
  ['words', 'a b c a b d '.repeat(100), 'a b c '.repeat(1000)],
  ['a phrase of words', 'a-b-'.repeat(500), 'a-b-'.repeat(1000)],
  ['numbers inside others', '1111 11111 111112 1111123', '1'.repeat(48).concat(' ').repeat(80)],
])('a query of %s', (_, query, text) => {
  const steps = (times: number) => {
    const [match, longer] = [matcherOf(`${query} 缺`), text.repeat(times)];
    return [lookUps(() => match(longer)), lookUps(() => highlight(longer, query))];
  };

  test('costs twice as much in a text of twice the length', () => {
    const [once, twice, four] = [steps(1), steps(2), steps(4)];
    [0, 1].forEach((which) => {
      const [one = 0, two = 0, three = 0] = [once[which], twice[which], four[which]];
      expect(three - two).toBeLessThanOrEqual(2.2 * (two - one) + 200);
      // Few look-ups per character, however long the query is.
      expect(two - one).toBeLessThanOrEqual(text.length * 64);
    });
  });
});

test('in 86,000 characters the right parts are found and marked too', () => {
  const text = `${'一'.repeat(60_000)}二${'一'.repeat(26_000)}三`;
  expect(matcherOf(`${han(512).join(' ')}`)(text)).toBeUndefined();
  expect(matcherOf('二 三 一二一')(text)).toBe('whole');
  expect(highlight(text, '二')).toBe(text.replace('二', '<mark>二</mark>'));
  // Nothing is marked after the first 64 KB of a field.
  expect(highlight(text, '三')).toBeUndefined();
});
