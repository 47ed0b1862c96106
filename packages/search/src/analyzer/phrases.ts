import { isMark } from './characters.ts';
import { type Run, runsOf } from './runs.ts';
import { LEAST_INSIDE } from './tokens.ts';

/** A run that a query value asks for. */
export interface WantedRun {
  kind: Run['kind'];
  /** folded, by code point */
  chars: string[];
  /** letters: whether the word in the text may be longer (rule 4) */
  prefix: boolean;
  /** digits: whether it may be inside a longer number (rule 5); only if the run is the whole phrase */
  inside: boolean;
}

/** Runs without white space between them. They must follow each other in the text (rule 6). */
export type Phrase = WantedRun[];

/**
 * The phrases of a query value. All of them must occur; equal ones are listed once. A value without a letter, digit, cjk
 * character or emoji has none and finds nothing (rule 7).
 */
export function phrasesOf(value: string): Phrase[] {
  const phrases = value.split(/\p{White_Space}+/u).flatMap((written): Phrase[] => {
    const runs = runsOf(written);
    return runs.length === 0 ? [] : [runs.map((run) => wanted(run, runs.length === 1))];
  });
  const last = phrases.at(-1);
  const word = last?.at(-1);
  // One letter begins half of all words: `it's` must not find `it said`. A letter alone means that somebody is typing.
  if (last && word?.kind === 'letters') word.prefix = last.length === 1 || lettersIn(word) >= 2;
  return [...new Map(phrases.map((phrase) => [keyOf(phrase), phrase])).values()];
}

const wanted = ({ kind, chars }: Run, isAlone: boolean): WantedRun => ({
  kind,
  chars,
  prefix: false,
  inside: kind === 'digits' && isAlone && chars.length >= LEAST_INSIDE,
});

const lettersIn = ({ chars }: WantedRun) => chars.filter((char) => !isMark(char)).length;
const keyOf = (phrase: Phrase) =>
  phrase.map(({ kind, chars, prefix }) => `${kind}${prefix}${chars.join('')}`).join(' ');
