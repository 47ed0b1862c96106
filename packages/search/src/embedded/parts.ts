import type { Phrase, WantedRun } from '../analyzer/phrases.ts';
import { gramsOf, pairsOf } from '../analyzer/tokens.ts';

/** Tokens that follow each other in the index. */
interface TokenPhrase {
  tokens: string[];
  /** the last token is the first character of one: of a run of which nothing more is known */
  isBeginning: boolean;
}

/** Something that a document must hold. */
export interface Part {
  column: 'text' | 'grams';
  /** one of these */
  alternatives: TokenPhrase[];
  /** the last word may be longer in the text */
  mayGoOn: boolean;
  /** whether the index finds no more than what is meant */
  isExact: boolean;
}

/** A phrase costs the index each of its tokens at each place where they occur. */
const MOST_IN_PHRASE = 32;
const MOST_IN_VALUE = 64;
/** Tokens that are asked for of a longer phrase: so many pieces, spread over it, of so many tokens each. */
const PIECES = 4;
const PIECE = MOST_IN_PHRASE / PIECES;
/** Runs that touch in the text or not: each such joint doubles what is asked for. */
const MOST_JOINTS = 3;

/** What the index is asked for; the rest of a long value is left to a look at the texts. */
export function partsOf(phrases: readonly Phrase[]): Part[] {
  const parts = phrases.flatMap(partsOfPhrase);
  const kept: Part[] = [];
  let tokens = 0;
  for (const part of parts) {
    tokens += Math.max(...part.alternatives.map((alternative) => alternative.tokens.length));
    if (kept.length === 0 || tokens <= MOST_IN_VALUE) kept.push(part);
  }
  return kept.length === parts.length ? parts : kept.map((part) => ({ ...part, isExact: false }));
}

function partsOfPhrase(phrase: Phrase): Part[] {
  const [only] = phrase;
  if (only?.inside && phrase.length === 1) {
    return bounded({ tokens: gramsOf(only.chars), isBeginning: false }, 'grams', false);
  }
  const mayGoOn = phrase.at(-1)?.prefix ?? false;
  const joints = phrase.filter(({ kind }, i) => kind === 'cjk' && phrase[i + 1]?.kind === 'cjk').length;
  if (joints === 0) return bounded(tokenPhrase(phrase), 'text', mayGoOn);
  const longest = tokenPhrase(phrase).tokens.length;
  if (joints <= MOST_JOINTS && longest <= MOST_IN_PHRASE) {
    const alternatives = joinings(phrase).map(tokenPhrase);
    return [{ column: 'text', alternatives, mayGoOn, isExact: true }];
  }
  // Whether they touch or not, each of the runs is in the text.
  const runs = phrase.flatMap((run, i) => bounded(tokenPhrase([run]), 'text', mayGoOn && i === phrase.length - 1));
  return runs.map((part) => ({ ...part, isExact: false }));
}

/** A phrase that is too long for the index is asked for in pieces. */
function bounded(phrase: TokenPhrase, column: Part['column'], mayGoOn: boolean): Part[] {
  const { tokens } = phrase;
  if (tokens.length <= MOST_IN_PHRASE) return [{ column, alternatives: [phrase], mayGoOn, isExact: true }];
  return Array.from({ length: PIECES }, (_, i) => {
    const start = Math.floor(((tokens.length - PIECE) * i) / (PIECES - 1));
    const isLast = i === PIECES - 1;
    const piece = { tokens: tokens.slice(start, start + PIECE), isBeginning: isLast && phrase.isBeginning };
    return { column, alternatives: [piece], mayGoOn: isLast && mayGoOn, isExact: false };
  });
}

/**
 * The tokens of runs that follow each other. A run of characters ends with its last one alone, see tokensOf, unless it may
 * go on in the text, as the last one may.
 */
function tokenPhrase(runs: readonly WantedRun[]): TokenPhrase {
  const tokens = runs.flatMap(({ kind, chars }, i) => {
    if (kind !== 'cjk') return [chars.join('')];
    const pairs = pairsOf(chars);
    return i === runs.length - 1 && pairs.length > 0 ? pairs : [...pairs, chars.at(-1) ?? ''];
  });
  const last = runs.at(-1);
  return { tokens, isBeginning: last?.kind === 'cjk' && last.chars.length === 1 };
}

/** Runs of characters that only a sign parts may touch in the text: 北京·大学 finds 北京大学 too. */
function joinings(runs: readonly WantedRun[]): WantedRun[][] {
  let all: WantedRun[][] = [[]];
  for (const run of runs) {
    all = all.flatMap((before) => {
      const last = before.at(-1);
      const parted = [...before, run];
      if (last?.kind !== 'cjk' || run.kind !== 'cjk') return [parted];
      return [parted, [...before.slice(0, -1), { ...run, chars: [...last.chars, ...run.chars] }]];
    });
  }
  return all;
}
