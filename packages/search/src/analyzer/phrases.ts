import { isMark } from './characters.ts';
import { type Run, runsOf } from './runs.ts';
import { LEAST_INSIDE } from './tokens.ts';

/** One run that a query value asks for. */
export interface WantedRun {
  kind: Run['kind'];
  /** folded, by code point */
  chars: string[];
  /** letters: the word of the text may be longer (rule 4) */
  prefix: boolean;
  /** digits: may also be inside a longer number (rule 5); only where the run is the whole phrase */
  inside: boolean;
}

/** Runs that are written without white space between them: they must follow each other in the text (rule 6). */
export type Phrase = WantedRun[];

/**
 * What a query value asks for; all phrases must occur, equal ones are named once. None if the value holds no letter,
 * digit, cjk character or emoji, and then it finds nothing (rule 7).
 */
export function phrasesOf(value: string): Phrase[] {
  const phrases = value.split(/\p{White_Space}+/u).flatMap((written): Phrase[] => {
    const runs = runsOf(written);
    return runs.length === 0 ? [] : [runs.map((run) => wanted(run, runs.length === 1))];
  });
  const last = phrases.at(-1);
  const word = last?.at(-1);
  // One letter is a beginning of half of all words: `it's` must not find `it said`. Alone it is somebody typing.
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
