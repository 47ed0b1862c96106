import { type Run, runsOf } from './runs.ts';

/** What an index holds: words and numbers, and of a cjk run each pair of neighbours and the last character alone. */
export interface Token {
  kind: Run['kind'];
  text: string;
}

/** Digits that a part of a number must have to be found inside it (rule 5). */
export const LEAST_INSIDE = 4;

/** Pairs of neighbours. */
export const pairsOf = (chars: string[]): string[] => chars.slice(0, -1).map((char, i) => char + (chars[i + 1] ?? ''));

/**
 * Tokens of a text in order. The single character at the end of each cjk run keeps a phrase of pairs from crossing into
 * the next run, and lets one end there: 读第3章 is 读第 第 3 章.
 */
export function tokensOf(text: string): Token[] {
  return runsOf(text).flatMap((run): Token[] => {
    if (run.kind !== 'cjk') return [{ kind: run.kind, text: run.chars.join('') }];
    return [...pairsOf(run.chars), run.chars.at(-1) ?? ''].map((token) => ({ kind: 'cjk', text: token }));
  });
}

/**
 * For numbers that are sought inside longer ones (rule 5): of each run of four digits or more its stretches of four, in
 * order; 13812 is 1381 3812.
 */
export function digitGramsOf(text: string): string[][] {
  return runsOf(text)
    .filter(({ kind, chars }) => kind === 'digits' && chars.length >= LEAST_INSIDE)
    .map(({ chars }) => gramsOf(chars));
}

/** Stretches of four of one run of digits. */
export const gramsOf = (digits: string[]): string[] =>
  digits.slice(0, digits.length - LEAST_INSIDE + 1).map((_, i) => digits.slice(i, i + LEAST_INSIDE).join(''));
