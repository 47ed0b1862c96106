import type { Phrase, WantedRun } from '../analyzer/phrases.ts';
import { gramsOf, pairsOf } from '../analyzer/tokens.ts';

/** Tokens that follow each other in the index. */
interface TokenPhrase {
  tokens: string[];
  /** whether the last token is only the first character of a pair: the run has one character, and the text may go on */
  isBeginning: boolean;
}

/** Something that a document must hold. */
export interface Part {
  column: 'text' | 'grams';
  /** at least one of these must occur */
  alternatives: TokenPhrase[];
  /** the last word may be longer in the text */
  mayGoOn: boolean;
  /** whether everything that the index finds is a match */
  isExact: boolean;
}

/** The index reads every occurrence of every token of a phrase, so phrases are bounded. */
const MOST_IN_PHRASE = 32;
const MOST_IN_VALUE = 64;
/** Of a longer phrase this many pieces are asked for, spread over it, each of PIECE tokens. */
const PIECES = 4;
const PIECE = MOST_IN_PHRASE / PIECES;
/** Joints between runs that may or may not touch in the text. Each joint doubles the number of alternatives. */
const MOST_JOINTS = 3;

/** What the index is asked for. The rest of a long value is verified on the texts. */
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
  // Whether the runs touch or not, each of them is in the text.
  const runs = phrase.flatMap((run, i) => bounded(tokenPhrase([run]), 'text', mayGoOn && i === phrase.length - 1));
  return runs.map((part) => ({ ...part, isExact: false }));
}

/** A phrase that is too long is asked for in pieces. */
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
 * The tokens of runs that follow each other. A cjk run ends with a token of its last character alone, see tokensOf. The
 * last run does not, because it may go on in the text.
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

/** Cjk runs that only a sign separates may touch in the text: 北京·大学 finds 北京大学 too. @returns every way to join them */
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
