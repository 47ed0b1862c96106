import { digitGramsOf, MAX_WORD, matcherOf, phrasesOf, runsOf, tokensOf } from '@ruyi/search';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const runs = (text: string) => runsOf(text).map(({ kind, chars }) => `${kind}:${chars.join('')}`);
const tokens = (text: string) => tokensOf(text).map((token) => token.text);

test.each([
  [
    'letters, digits and characters part',
    '我有iPhone15Pro手机',
    ['cjk:我有', 'letters:iphone', 'digits:15', 'letters:pro', 'cjk:手机'],
  ],
  [
    'everything else parts',
    'a-b_c.d 北，京\n学',
    ['letters:a', 'letters:b', 'letters:c', 'letters:d', 'cjk:北', 'cjk:京', 'cjk:学'],
  ],
  ['scripts of Japanese are one run', '東京タワーへ〆', ['cjk:东京タワーへ〆']],
  ['Korean and Thai have no words either', '한국 ครับ', ['cjk:한국', 'cjk:ครับ']],
  [
    'Greek, Cyrillic, Arabic and Hindi have',
    'οδος мир سلام हिन्दी',
    ['letters:οδοσ', 'letters:мир', 'letters:سلام', 'letters:हिन्दी'],
  ],
  ['rare characters are characters', '𠮷野x𠀀', ['cjk:𠮷野', 'letters:x', 'cjk:𠀀']],
  ['an emoji is a character', '好👍🏽a🇨🇳', ['cjk:好👍🏽', 'letters:a', 'cjk:🇨🇳']],
  ['a sequence of emoji is its parts', '👨‍👩‍👧❤️', ['cjk:👨👩👧❤']],
  [
    'a symbol that stands for others stands apart',
    'Ruyi™①2㊙情',
    ['letters:ruyi', 'letters:tm', 'digits:1', 'digits:2', 'cjk:秘', 'cjk:情'],
  ],
  ['a mark alone is nothing', '\u3099 \u0301', []],
  ['signs are nothing', '！？…©®<>&"\'', []],
  ['invisible characters do not part', '北\u200b京 so\u00adft 1\ufe0f2', ['cjk:北京', 'letters:soft', 'digits:12']],
])('%s', (_, text, expected) => {
  expect(runs(text)).toEqual(expected);
});

test('the part that is cut off a long word belongs to its last character', () => {
  const [run] = runsOf(`x${'a'.repeat(60)}`);
  expect([run?.chars.length, run?.starts.at(-1), run?.ends.at(-1)]).toEqual([MAX_WORD, MAX_WORD - 1, 61]);
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
  ['four digits are one', '1234', [['1234']]],
  ['more overlap', '123456', [['1234', '2345', '3456']]],
  ['three are none', '123', []],
  ['each run has its own', '12345 a6789', [['1234', '2345'], ['6789']]],
])('grams of digits: %s', (_, text, expected) => {
  expect(digitGramsOf(text)).toEqual(expected);
});

const shown = (query: string) =>
  phrasesOf(query).map((phrase) =>
    phrase.map(({ chars, prefix, inside }) => `${chars.join('')}${prefix ? '…' : ''}${inside ? '*' : ''}`).join('·'),
  );

test.each([
  ['white space parts phrases', '北京 大学', ['北京', '大学']],
  ['also the ideographic', '北京　大学', ['北京', '大学']],
  ['nothing else does', 'v2.1.3', ['v·2·1·3']],
  ['a symbol does not either', '10㎏', ['10·kg…']],
  ['the word at the end may be unfinished', 'a bc', ['a', 'bc…']],
  ['signs after it do not matter', 'a bc!', ['a', 'bc…']],
  ['a single letter alone may', 'a b', ['a', 'b…']],
  ['a single letter with others may not', "it's", ['it·s']],
  ['no word does that something follows', 'bc 京', ['bc', '京']],
  ['a number may be inside another if it has four digits', '123 1234', ['123', '1234*']],
  ['and stands alone', 'a1234', ['a·1234']],
  ['what is asked twice is asked once', '京 京 北京 北京', ['京', '北京']],
  ['a whole word and its beginning are two', 'ab ab', ['ab', 'ab…']],
  ['without letters, digits or emoji there are none', ' -"！©', []],
])('phrases: %s', (_, query, expected) => {
  expect(shown(query)).toEqual(expected);
});

/** Letters of scripts without spaces that folding does not change, including some beyond the BMP. */
const character = fc.oneof(
  fc.constantFrom(...'的一是了我不人在他有'),
  fc.integer({ min: 0x4e00, max: 0x9fff }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0x20000, max: 0x2a6d0 }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom(...'あいうがぱアイウタワ한국사람'),
);
const cjk = (minLength: number, maxLength: number) => fc.array(character, { minLength, maxLength });

const answers = (text: string, query: string) => matcherOf(query)(text) !== undefined;

test('each substring of a cjk text is found in it', () => {
  fc.assert(
    fc.property(cjk(1, 30), fc.nat(), fc.nat(), (chars, a, b) => {
      const start = a % chars.length;
      const length = 1 + (b % (chars.length - start));
      expect(answers(chars.join(''), chars.slice(start, start + length).join(''))).toBe(true);
    }),
  );
});

test('cjk characters are found only where they are together in a text', () => {
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

test('any text is found by itself, unless it contains nothing to find', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      expect(answers(text, text)).toBe(runsOf(text).length > 0);
    }),
  );
});

test('tokens only contain letters, digits, their marks and emoji, and none is empty', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      for (const token of tokens(text))
        expect(token).toMatch(/^[\p{L}\p{N}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\p{RI}]+$/u);
    }),
  );
});
