import { ConverterFactory } from 'opencc-js/core';
import TRADITIONAL from 'opencc-js/dict/TSCharacters';

/**
 * A second implementation of the text rules of usersearch (docs/api.md §2), deliberately without the analyzer: a text is
 * folded as a whole, and each phrase of a query becomes a regular expression.
 */

const CJK_LETTER =
  '[[\\p{L}\\p{N}]&&[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Bopo}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmr}\\p{scx=Mymr}]]';
const EMOJI = '[[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{RI}]--[©®]]';
const CJK = `[${CJK_LETTER}${EMOJI}]`;
const LETTER = `[\\p{L}--${CJK}]`;
const DIGIT = `[\\p{N}--${CJK}]`;
const CONTENT = `[\\p{L}\\p{N}${EMOJI}]`;

const RUN = new RegExp(`(?<cjk>(?:${CJK}\\p{M}*)+)|(?<letters>(?:${LETTER}\\p{M}*)+)|(?<digits>${DIGIT}+)`, 'gv');
const LONG = new RegExp(`(?:${LETTER}\\p{M}*)+|${DIGIT}+`, 'gv');
/** Only so many characters of a word count. */
const CUT = 48;

/** Symbols that do not join their neighbours, except radicals. Each is put between spaces that no query contains. */
const SYMBOL = /[\p{So}\p{No}]/gu;
const BORDER = '\u0000';
const expanded = (symbol: string) => {
  const isRadical = symbol >= '\u2e80' && symbol <= '\u2fdf';
  const expansion = symbol.normalize('NFKC');
  return isRadical || expansion === symbol ? symbol : `${BORDER}${expansion}${BORDER}`;
};

const simplify = ConverterFactory([[TRADITIONAL]]);
const PLAIN: Record<string, string> = {
  ...{ đ: 'd', ł: 'l', ø: 'o', ß: 'ss', ı: 'i', æ: 'ae', œ: 'oe', þ: 'th', ð: 'd', ς: 'σ' },
  ...{ '⻓': '长', '⻔': '门', '⻩': '黄', '⻢': '马' },
};

/** Folds a text for comparison (rules 1 and 2). Does not handle conjoining Hangul letters that are alone. */
export function folded(text: string): string {
  return text
    .replace(/[\p{Default_Ignorable_Code_Point}\u0640]/gu, '')
    .replace(SYMBOL, expanded)
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{N}])\p{M}+/gu, '$1')
    .normalize('NFC')
    .replace(/(\p{Script=Arabic})\p{M}+/gu, '$1')
    .replace(/./gu, (char) => simplify(simplify(PLAIN[char] ?? char)))
    .replace(LONG, (word) => [...word].slice(0, CUT).join(''));
}

export type Found = 'whole' | 'prefix' | undefined;

/** @returns how a folded text is found; `prefix`: only because a word begins with the last word of the query */
export function asked(query: string): (text: string) => Found {
  const written = query.split(/\p{White_Space}+/u).map((part) => runsIn(folded(part)));
  const phrases = written.filter((runs) => runs.length > 0);
  const last = phrases.length - 1;
  const isBeginning = (runs: Piece[]) => {
    const { letters } = runs.at(-1) ?? {};
    return letters !== undefined && (runs.length === 1 || letters.replace(/\p{M}/gu, '').length > 1);
  };
  const whole = phrases.map((runs) => expression(runs, false));
  const loose = phrases.map((runs, i) => expression(runs, i === last && isBeginning(runs)));
  return (text) => {
    if (phrases.length === 0 || !loose.every((phrase) => phrase.test(text))) return undefined;
    return whole.every((phrase) => phrase.test(text)) ? 'whole' : 'prefix';
  };
}

type Piece = { cjk?: string | undefined; letters?: string | undefined; digits?: string | undefined };

const runsIn = (text: string): Piece[] => [...text.matchAll(RUN)].map(({ groups }) => ({ ...groups }));

/** The runs one after the other, with nothing between them that counts. */
function expression(runs: Piece[], isBeginning: boolean): { test(text: string): boolean } {
  const [first] = runs;
  if (runs.length === 1 && first?.cjk !== undefined) return { test: (text) => text.includes(first.cjk ?? '') };
  const parts = runs.map(({ cjk, letters, digits }, i) => {
    if (cjk !== undefined) return cjk;
    if (letters !== undefined) {
      const isOpen = isBeginning && i === runs.length - 1;
      return `(?<!${LETTER}\\p{M}*)${letters}${isOpen ? '' : `(?![\\p{M}${LETTER}])`}`;
    }
    const isInside = runs.length === 1 && [...(digits ?? '')].length >= 4;
    return isInside ? (digits ?? '') : `(?<!${DIGIT})${digits}(?!${DIGIT})`;
  });
  return new RegExp(parts.join(`(?!\\p{M})(?:(?!${CONTENT})[\\s\\S])*`), 'v');
}
