import { MAX_WORD, runsOf, termsOf, tokensOf } from '@ruyi/search';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const runs = (text: string) => runsOf(text).map(({ kind, chars }) => `${kind}:${chars.join('')}`);
const tokens = (text: string) => tokensOf(text).map((token) => token.text);

test.each([
  ['words and characters part where the script changes', '我有iPhone15手机', ['cjk:我有', 'word:iphone15', 'cjk:手机']],
  [
    'everything that is no letter or digit parts',
    'a-b_c.d 北，京😀大\n学',
    ['word:a', 'word:b', 'word:c', 'word:d', 'cjk:北', 'cjk:京', 'cjk:大', 'cjk:学'],
  ],
  ['scripts of Japanese are one run', '東京タワーへ', ['cjk:東京タワーへ']],
  ['Korean and Thai have no words either', '한국 ครับ', ['cjk:한국', 'cjk:ครับ']],
  [
    'Greek, Cyrillic, Arabic and Hindi have',
    'οδος мир سلام हिन्दी',
    ['word:οδοσ', 'word:мир', 'word:سلام', 'word:हिन्दी'],
  ],
  ['rare characters are characters', '𠮷野x𠀀', ['cjk:𠮷野', 'word:x', 'cjk:𠀀']],
  ['a mark alone is nothing', '\u3099 \u0301', []],
  ['signs are nothing', '！？…😀<>&"\'', []],
  ['zero-width characters part', '北\u200b京', ['cjk:北', 'cjk:京']],
])('%s', (_, text, expected) => {
  expect(runs(text)).toEqual(expected);
});

test.each([
  ['one character is itself', '北', ['北']],
  ['two are a pair, and the last alone', '北京', ['北京', '京']],
  ['longer ones overlap', '北京大学', ['北京', '京大', '大学', '学']],
  ['each run ends with its last character', '北京，大学', ['北京', '京', '大学', '学']],
  ['a word is one token', 'Hello World', ['hello', 'world']],
  ['a long word is cut', 'x'.repeat(100), ['x'.repeat(MAX_WORD)]],
  ['a word is cut between characters', '𝒳'.repeat(100), ['x'.repeat(MAX_WORD)]],
  ['pairs of rare characters', '𠮷𠀀', ['𠮷𠀀', '𠀀']],
])('tokens: %s', (_, text, expected) => {
  expect(tokens(text)).toEqual(expected);
});

test.each([
  ['one character', '京', [{ kind: 'character', text: '京' }]],
  ['two characters', '北京', [{ kind: 'phrase', tokens: ['北京'] }]],
  ['more are a phrase of pairs', '北京大学', [{ kind: 'phrase', tokens: ['北京', '京大', '大学'] }]],
  [
    'only the last word may be unfinished',
    'a b',
    [
      { kind: 'word', text: 'a', prefix: false },
      { kind: 'word', text: 'b', prefix: true },
    ],
  ],
  [
    'also where characters follow it',
    'a b 京',
    [
      { kind: 'word', text: 'a', prefix: false },
      { kind: 'word', text: 'b', prefix: true },
      { kind: 'character', text: '京' },
    ],
  ],
  [
    'what is asked twice is asked once',
    '京 京 北京 北京',
    [
      { kind: 'character', text: '京' },
      { kind: 'phrase', tokens: ['北京'] },
    ],
  ],
  ['without letters or digits there are none', ' -"！😀', []],
])('terms: %s', (_, query, expected) => {
  expect(termsOf(query)).toEqual(expected);
});

/** Letters of scripts without spaces that no folding changes, also beyond the BMP. */
const character = fc.oneof(
  fc.constantFrom(...'的一是了我不人在他有'),
  fc.integer({ min: 0x4e00, max: 0x9fff }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0x20000, max: 0x2a6d0 }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom(...'あいうがぱアイウタワ한국사람'),
);
const cjk = (minLength: number, maxLength: number) => fc.array(character, { minLength, maxLength });

/** Whether the tokens of a text answer a term, as an index of tokens with phrases and beginnings does. */
function answers(text: string, query: string): boolean {
  const held = tokens(text);
  return termsOf(query).every((term) => {
    if (term.kind === 'phrase') return held.some((_, at) => term.tokens.every((token, i) => held[at + i] === token));
    return held.some((token) =>
      term.kind === 'character' || term.prefix ? token.startsWith(term.text) : token === term.text,
    );
  });
}

test('each substring of a text of characters is found in it', () => {
  fc.assert(
    fc.property(cjk(1, 30), fc.nat(), fc.nat(), (chars, a, b) => {
      const start = a % chars.length;
      const length = 1 + (b % (chars.length - start));
      expect(answers(chars.join(''), chars.slice(start, start + length).join(''))).toBe(true);
    }),
  );
});

test('characters are found where they stand together in a text, and nowhere else', () => {
  const few = fc.array(fc.constantFrom('人', '国', '𠮷', '，', ' a '), { maxLength: 16 });
  const asked = fc.array(fc.constantFrom('人', '国', '𠮷'), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(few, asked, (chars, query) => {
      const text = chars.join('');
      expect(answers(text, query.join(''))).toBe(text.includes(query.join('')));
    }),
    { numRuns: 1000 },
  );
});

test('a text is found by itself, whatever it is, unless it holds no letter or digit', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      expect(answers(text, text)).toBe(true);
    }),
  );
});

test('tokens hold letters, digits and their marks only, and none is empty', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      for (const token of tokens(text)) expect(token).toMatch(/^[\p{L}\p{N}\p{M}]+$/u);
    }),
  );
});
