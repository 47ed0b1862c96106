import { highlight, type Phrase, phrasesOf, type Run, runsOf } from '@ruyi/search';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** `[hit]` in the expected text stands for `<mark>hit</mark>`. */
const marked = (text: string) => text.replaceAll('[', '<mark>').replaceAll(']', '</mark>');

test.each([
  ['a word of characters', '你是北京大学的吗', '北京', '你是[北京]大学的吗'],
  ['every place', '北京和北京', '北京', '[北京]和[北京]'],
  ['one character', '人人为我', '人', '[人人]为我'],
  ['the whole text', '北京', '北京', '[北京]'],
  ['hits that overlap are one', '北京大学', '北京 京大', '[北京大]学'],
  ['hits that touch are one', '北京大学', '北京 大学', '[北京大学]'],
  ['a hit within another', '北京大学', '京 北京大学', '[北京大学]'],
  ['a hit within another that begins the same', '北京大学', '北 北京大', '[北京大]学'],
  ['hits of itself that overlap', '哈哈哈哈哈', '哈哈', '[哈哈哈哈哈]'],
  ['a whole word', 'say hello world', 'hello world', 'say [hello] [world]'],
  ['the beginning of a word, where the last one is unfinished', 'hello world', 'hello wor', '[hello] [wor]ld'],
  ['no beginning of a word that is not the last', 'help hello', 'hel hello', 'help [hello]'],
  ['no middle of a word', 'shell hell', 'hell', 'shell [hell]'],
  ['case and width', 'ＨＥＬＬＯ Hello', 'hello', '[ＨＥＬＬＯ] [Hello]'],
  ['accents', 'un Café crème', 'cafe creme', 'un [Café] [crème]'],
  ['an accent that follows its letter', 'Cafe\u0301!', 'café', '[Cafe\u0301]!'],
  ['a ligature is marked whole', 'ﬁne', 'f', '[ﬁ]ne'],
  ['a sign that stands for a character', '㈱如意', '株', '[㈱]如意'],
  ['half-width kana', 'ｶﾞｷﾞ', 'ギ', 'ｶﾞ[ｷﾞ]'],
  ['rare characters', '在𠮷野家', '𠮷', '在[𠮷]野家'],
  ['emoji are characters', '😀北京😀', '京😀', '😀北[京😀]'],
  [
    'a phrase from its first character to its last',
    'to v2.1.3, v2 1-3 and v2.3.1',
    'v2.1.3',
    'to [v2.1.3], [v2 1-3] and v2.3.1',
  ],
  ['a phrase whose last word is unfinished', '用微信 payment', '微信pay', '用[微信 pay]ment'],
  ['a number inside another', '138 13812345678', '1381', '138 [1381]2345678'],
  ['a number inside another, and alone', '56785678 5678 567', '5678', '[56785678] [5678] 567'],
  ['a symbol that stands for several is marked whole', '10㎏ and 10 kg', '10kg', '[10㎏] and [10 kg]'],
  ['traditional and simplified', '學習语言', '学习語言', '[學習语言]'],
  ['invisible characters inside', '来北\u200b京 so\u00adft', '北京 soft', '来[北\u200b京] [so\u00adft]'],
  ['Korean in parts', '한국'.normalize('NFD'), '국', `${'한'.normalize('NFD')}[${'국'.normalize('NFD')}]`],
  ['mixed scripts', '我有iPhone15手机', '手机 iphone', '我有[iPhone]15[手机]'],
  ['HTML is left as it is', '<b>北京</b>', '北京', '<b>[北京]</b>'],
  ['HTML that is sought', '<b>bold</b>', 'b', '<[b]>[b]old</[b]>'],
  ['replacement patterns in the text', "$& $1 $` 北京 $'", '北京', "$& $1 $` [北京] $'"],
  ['replacement patterns in the query', 'a $& b', '$& b', 'a $& [b]'],
  ['signs of regular expressions', 'a.b (c)', '.* (c', 'a.b ([c])'],
  ['what is already marked', '<mark>北京</mark>', '北京', '<mark>[北京]</mark>'],
  ['a word longer than is kept', `${'a'.repeat(60)} b`, 'a'.repeat(60), `[${'a'.repeat(60)}] b`],
])('%s', (_, text, query, expected) => {
  expect(highlight(text, query)).toBe(marked(expected));
});

test.each([
  ['something else', '北京', '上海'],
  ['characters in another order', '北京', '京北'],
  ['characters that are apart', '北，京', '北京'],
  ['signs only', '！！！', '！'],
  ['nothing', '北京', ''],
  ['an empty text', '', '北京'],
])('nothing is marked for %s', (_, text, query) => {
  expect(highlight(text, query)).toBeUndefined();
});

const text = fc.string({ unit: fc.constantFrom(...'北京大学人aAbéＢ ，<&$😀𠮷e\u0301'), maxLength: 30 });

test('without the marks the text is unchanged', () => {
  fc.assert(
    fc.property(text, text, (original, query) => {
      const result = highlight(original, query);
      expect(result?.replaceAll(/<\/?mark>/g, '') ?? original).toBe(original);
    }),
  );
});

test('marks are never empty, nested or side by side', () => {
  fc.assert(
    fc.property(text, text, (original, query) => {
      const result = highlight(original, query) ?? '';
      const marks = result.match(/<\/?mark>/g) ?? [];
      expect(marks).toEqual(marks.map((_, i) => (i % 2 === 0 ? '<mark>' : '</mark>')));
      expect(result).not.toMatch(/<mark><\/mark>|<\/mark><mark>/);
    }),
  );
});

test('a cjk substring that is found is marked, wherever it is', () => {
  const characters = fc.string({ unit: fc.constantFrom(...'北京大学'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(characters, characters, characters, (before, hit, after) => {
      const result = highlight(`${before}${hit}${after}`, hit) ?? '';
      const shown = [...result.matchAll(/<mark>(.*?)<\/mark>/g)].map(([, inside]) => inside);
      expect(phrasesOf(hit)).toHaveLength(1);
      expect(shown.some((inside) => inside?.includes(hit))).toBe(true);
    }),
  );
});

/** A word, a number or a cjk character of a text. */
interface Piece {
  run: Run;
  /** the index of a cjk character in its run */
  at: number;
}

const piecesOf = (runs: Run[]): Piece[] =>
  runs.flatMap((run) => (run.kind === 'cjk' ? run.chars.map((_, at) => ({ run, at })) : [{ run, at: 0 }]));

/** Where a phrase that begins at a piece ends, found by comparing run after run. */
function endOf(phrase: Phrase, pieces: Piece[], from: number): number | undefined {
  let next = from;
  let end: number | undefined;
  for (const want of phrase) {
    const piece = pieces[next];
    if (piece?.run.kind !== want.kind) return undefined;
    if (want.kind === 'cjk') {
      if (!want.chars.every((char, i) => piece.run.chars[piece.at + i] === char)) return undefined;
      end = piece.run.ends[piece.at + want.chars.length - 1];
      next += want.chars.length;
    } else {
      const [text, asked] = [piece.run.chars.join(''), want.chars.join('')];
      if (want.prefix ? !text.startsWith(asked) : text !== asked) return undefined;
      end = text === asked ? piece.run.ends.at(-1) : piece.run.ends[want.chars.length - 1];
      next++;
    }
  }
  return end;
}

/** Marks a text by trying every phrase at every position. */
function highlightSlowly(text: string, query: string): string | undefined {
  const isMarked = Array.from(text, () => false);
  const pieces = piecesOf(runsOf(text));
  for (const phrase of phrasesOf(query)) {
    pieces.forEach(({ run, at }, from) => {
      const spans = [[run.starts[at] ?? 0, endOf(phrase, pieces, from) ?? 0]];
      const [digits] = phrase;
      if (digits?.inside && run.kind === 'digits') {
        run.chars.forEach((_, i) => {
          const end = i + digits.chars.length;
          if (run.chars.slice(i, end).join('') === digits.chars.join(''))
            spans.push([run.starts[i] ?? 0, run.ends[end - 1] ?? 0]);
        });
      }
      for (const [start = 0, end = 0] of spans) isMarked.fill(true, start, Math.max(start, end));
    });
  }
  if (!isMarked.includes(true)) return undefined;
  return [...text, '']
    .map((char, i) => {
      const [before, now] = [isMarked[i - 1] === true, isMarked[i] === true];
      return `${before === now ? '' : now ? '<mark>' : '</mark>'}${char}`;
    })
    .join('');
}

test('marks are the same as if every phrase is tried at every position', () => {
  const few = (maxLength: number) =>
    fc
      .array(fc.constantFrom('一', '二', '一', 'a', 'b', 'ab', '1', '1111', '2', ' ', '，', '-', '™', '\u200b'), {
        maxLength,
      })
      .map((parts) => parts.join(''));
  fc.assert(
    fc.property(few(24), few(8), (original, query) => {
      expect(highlight(original, query)).toBe(highlightSlowly(original, query));
    }),
    { numRuns: 3000 },
  );
});
