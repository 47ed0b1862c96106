import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalize } from '../src/analyzer/normalize.ts';

const folded = (text: string) => normalize(text).chars.join('');

test.each([
  ['case', 'HeLLo', 'hello'],
  ['full width', 'ＡＢＣ　１２３！', 'abc 123!'],
  ['half-width kana with its mark', 'ｶﾞｷﾞﾊﾟ', 'ガギパ'],
  ['accents', 'Café naïve Ångström Việt', 'cafe naive angstrom viet'],
  ['accents that follow their letter', 'Cafe\u0301 A\u030a', 'cafe a'],
  ['Greek accents and the last sigma', 'Οδός ΟΔΟΣ', 'οδοσ οδοσ'],
  ['Cyrillic', 'Ёлка Й', 'елка и'],
  ['the Turkish i', 'İstanbul', 'istanbul'],
  ['sharp s', 'STRAẞE Straße', 'strasse strasse'],
  [
    'letters without decomposition',
    'Đà Łódź Ørsted Ísafjörður þorn IŞIK ısı Œuvre',
    'da lodz orsted isafjordur thorn isik isi oeuvre',
  ],
  ['ligatures', 'ﬁne ﬃ', 'fine ffi'],
  ['signs that stand for several characters', '㈱ ㎏ ①', '(株) kg 1'],
  ['radicals and compatibility characters', '⼈⼯\uf900⻓⻔⺟', '人工岂长门母'],
  ['variants of a character', '葛\u{e0100}城\ufe00', '葛城'],
  ['Hangul in parts', '한국'.normalize('NFD'), '한국'],
  ['Hangul whose last part follows', '가\u11a8', '각'],
  ['kana in parts', 'か\u3099は\u309a', 'がぱ'],
  ['kana that differ by their mark stay different', 'かが', 'かが'],
  ['vowels of Thai and Hindi stay', 'สวัสดี हिन्दी', 'สวัสดี हिन्दी'],
  ['rare characters stay whole', '𠮷𠀀😀', '𠮷𠀀😀'],
  ['traditional characters are their simplified ones', '體體 機能 㑯', '体体 机能 㑔'],
  ['also by way of another', '薴', '苎'],
  ['also beyond the common blocks', '𡞵', '㛟'],
  ['Arabic stretches and vowels', 'مُحَمَّد محـــمد', 'محمد محمد'],
  ['but letters that differ stay different', 'آا ا\u0653', 'آا آ'],
  ['Hebrew points', 'שָׁלוֹם \ufb2aלום', 'שלום שלום'],
  ['marks of digits and emoji', '1\ufe0f\u20e3 👍\u0301', '1 👍'],
  ['invisible characters', 'so\u00adft \u202ea\u202cb\u200b\u2060c\ufeff', 'soft abc'],
  ['an accent behind an invisible character', 'e\u200d\u0301', 'e'],
  ['nothing', '', ''],
])('%s', (_, text, expected) => {
  expect(folded(text)).toBe(expected);
});

test('every character has its offsets in the original', () => {
  const { chars, starts, ends } = normalize('Aé㈱が😀');
  const places = chars.map((char, i) => [char, starts[i], ends[i]]);
  expect(places).toEqual([
    ['a', 0, 1],
    ['e', 1, 2],
    ...['(', '株', ')'].map((char) => [char, 2, 3]),
    ['が', 3, 4],
    ['😀', 4, 6],
  ]);
});

test('a character folded from several has the offsets of all of them', () => {
  const { chars, starts, ends } = normalize('xe\u0301\u0302ｶﾞ');
  expect([chars, starts, ends]).toEqual([
    ['x', 'e', 'ガ'],
    [0, 1, 4],
    [1, 4, 6],
  ]);
});

const text = fc.string({ unit: 'binary', maxLength: 60 });
const splitsPair = (original: string, at: number) =>
  /^[\ud800-\udbff][\udc00-\udfff]$/.test(original.slice(at - 1, at + 1));

test('for any text, offsets are within it, in order, and never inside a surrogate pair', () => {
  fc.assert(
    fc.property(text, (original) => {
      const { chars, starts, ends } = normalize(original);
      expect([starts.length, ends.length]).toEqual([chars.length, chars.length]);
      starts.forEach((start, i) => {
        const end = ends[i] ?? 0;
        expect(start).toBeGreaterThanOrEqual(starts[i - 1] ?? 0);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(original.length);
        expect(splitsPair(original, start) || splitsPair(original, end)).toBe(false);
      });
    }),
  );
});

test('a folded text folds to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (original) => {
      expect(folded(folded(original))).toBe(folded(original));
    }),
  );
});

test('upper and lower case of Latin, Greek and Cyrillic words fold to the same', () => {
  const letter = fc.constantFrom(...'abcxyzéñüåαβσωабвюя');
  fc.assert(
    fc.property(fc.string({ unit: letter, maxLength: 20 }), (word) => {
      expect(folded(word.toUpperCase())).toBe(folded(word));
    }),
  );
});

test('lone surrogates do no harm', () => {
  expect(folded('a\ud800b')).toBe('a\ud800b');
  expect(folded('\udc00')).toHaveLength(1);
});
