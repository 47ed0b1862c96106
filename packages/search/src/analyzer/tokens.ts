import { type Run, runsOf } from './runs.ts';

/** What an index holds: words, numbers, and of a cjk run each pair of neighbours and the last character alone. */
export interface Token {
  kind: Run['kind'];
  text: string;
}

/** A part of a number is found inside it if the part has at least so many digits (rule 5). */
export const LEAST_INSIDE = 4;

/** Pairs of neighbours. */
export const pairsOf = (chars: string[]): string[] => chars.slice(0, -1).map((char, i) => char + (chars[i + 1] ?? ''));

/**
 * The tokens of a text, in order. The single character at the end of each cjk run keeps a phrase of pairs from reaching
 * into the next run, and lets a phrase end there: 读第3章 is 读第 第 3 章.
 */
export function tokensOf(text: string): Token[] {
  return runsOf(text).flatMap((run): Token[] => {
    if (run.kind !== 'cjk') return [{ kind: run.kind, text: run.chars.join('') }];
    return [...pairsOf(run.chars), run.chars.at(-1) ?? ''].map((token) => ({ kind: 'cjk', text: token }));
  });
}

/**
 * The 4-grams of each run of at least four digits, in order, for finding numbers inside longer ones (rule 5): 13812 is
 * 1381 3812.
 */
export function digitGramsOf(text: string): string[][] {
  return runsOf(text)
    .filter(({ kind, chars }) => kind === 'digits' && chars.length >= LEAST_INSIDE)
    .map(({ chars }) => gramsOf(chars));
}

/** The 4-grams of one run of digits. */
export const gramsOf = (digits: string[]): string[] =>
  digits.slice(0, digits.length - LEAST_INSIDE + 1).map((_, i) => digits.slice(i, i + LEAST_INSIDE).join(''));
