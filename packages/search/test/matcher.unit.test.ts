import { matcherOf } from '@ruyi/search';
import { describe, expect, test } from 'vitest';
import { orderCases, ruleCases } from './contract/textFiles.ts';

describe('the cases of the contract', () => {
  test.each(
    ruleCases.map(({ rule, text, query, found }) => [rule, query, found ? 'finds' : 'does not find', text] as const),
  )('rule %i: %j %s %j', (_, query, finds, text) => {
    expect(matcherOf(query)(text) !== undefined).toBe(finds === 'finds');
  });

  test.each(orderCases.map(({ texts, query, first }) => [query, first, texts] as const))(
    'of what %j finds only %j has the whole word',
    (query, first, texts) => {
      const match = matcherOf(query);
      for (const text of texts) expect([text, match(text)]).toEqual([text, text === first ? 'whole' : 'prefix']);
    },
  );
});

const [whole, prefix, nothing] = ['whole', 'prefix', undefined] as const;

describe('beyond them', () => {
  test.each([
    // Rule 2: a border on both sides, in the query too.
    ['①②', '12', nothing],
    ['①②', '1 2', whole],
    ['Ruyi™', 'ruyitm', nothing],
    ['Ruyi TM', 'Ruyi™', whole],
    ['㊙情報', '秘情', nothing],
    ['㊙情報', '㊙情報', whole],
    ['㍿ルイ', '株式会社', whole],
    ['⼈⼯', '人工', whole],
    ['ChapterⅣ', 'chapteriv', whole],
    ['🅰 class', '🅰', whole],
    ['ℹ info', 'ℹ', whole],
    ['i info', 'ℹ', nothing],
    // Rule 3.
    ['👨‍👩‍👧', '👩', whole],
    ['🇨🇳', '🇨🇳', whole],
    ['🇨🇦🇳🇱', '🇨🇳', nothing],
    ['❤️', '❤', whole],
    ['❤', '❤️', whole],
    ['北京😀大学', '京😀大', whole],
    ['ok👍🏽done', 'ok done', whole],
    ['© ®', '©', nothing],
    // Rule 4: which beginnings of which words match.
    ['it said', "it's", nothing],
    ["it's", "it's", whole],
    ['say it', 'i', prefix],
    ['a big pay', 'big p', prefix],
    ['微信pay', '微信p', nothing],
    ['微信p', '微信p', whole],
    ['微信pay', '微信pa', prefix],
    ['微信pay pa', '微信pa', prefix],
    ['微信pay 微信pa', '微信pa', whole],
    ['payment', 'pay!', prefix],
    ['payment', 'pay 2', nothing],
    ['payment 2', 'pay 2', nothing],
    ['pay 2', 'pay 2', whole],
    ['कि', 'क', prefix],
    ['किताब x', 'x-कि', nothing],
    ['x-किताब', 'x-कि', nothing],
    ['x-किताब', 'x-किता', prefix],
    // Rule 5.
    ['13812345678', '1381', whole],
    ['13812345678', '5678 x', nothing],
    ['13812345678 x', '5678 x', whole],
    ['13812345678', '5679', nothing],
    ['v13812345678', 'v5678', nothing],
    ['2024', '202', nothing],
    ['room2024', '2024', whole],
    // Rule 6: runs with something between them, and runs that touch.
    ['a = b', 'a=b', whole],
    ['a，b', 'a=b', whole],
    ['a 1 b', 'a=b', nothing],
    ['a😀b', 'a=b', nothing],
    ['a™b', 'a=b', nothing],
    ['北京大学', '北京，大学', whole],
    ['北京、大学', '北京，大学', whole],
    ['北京的大学', '北京，大学', nothing],
    ['北京，大学', '北京大学', nothing],
    ['北，京大学', '北京，大学', nothing],
    ['东北京，大学生', '北京，大学', whole],
    ['第3章节', '第3章', whole],
    ['次第3章', '第3章', whole],
    ['第 3 章', '第3章', whole],
    ['第3a章', '第3章', nothing],
    ['x北京x', 'x北京', whole],
    ['x北京x', 'x北', whole],
    ['xx北京', 'x北', nothing],
    ['x北京x', '京xx', nothing],
    ['x北京x', '北x', nothing],
    ['a.b.a.b.c', 'a.b.c', whole],
    // Invisible characters are ignored; they are not white space either.
    ['北京', '北\ufeff京', whole],
    ['e\u200b\u0301a', 'éa', whole],
    ['\u202eabc\u202c', 'abc', whole],
    // Long words are cut, in the text and in the query.
    ['a'.repeat(60), `${'a'.repeat(48)}b`, whole],
    ['a'.repeat(60), `${'a'.repeat(47)}b`, nothing],
    ['1'.repeat(60), '1'.repeat(70), whole],
  ] as const)('%j, asked for %j: %s', (text, query, expected) => {
    expect(matcherOf(query)(text)).toBe(expected);
  });

  test.each(['', ' ', '　', '!!!', '©', '\u0301', '\u200b', '\ufe0f', '，。', '\ud800', '⺀'])(
    '%j finds nothing',
    (query) => {
      expect(matcherOf(query)(`${query} 北京 hello 1 😀`)).toBeUndefined();
    },
  );
});
