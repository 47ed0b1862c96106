import { type Matcher, matcherOf } from '../analyzer/matcher.ts';
import { type Phrase, phrasesOf } from '../analyzer/phrases.ts';
import { type EncodedTerm, encodePhrase } from './encoding.ts';

/** Meilisearch reads the first ten terms of a query. */
const MOST_TERMS = 10;
/** A longer phrase is searched in this many windows of WINDOW tokens, spread over it, and verified on the text. */
const WINDOWS = 4;
const WINDOW = 8;
export const LONGEST_TERM = WINDOWS * WINDOW;

/** The part of a query that one payload field has. */
export interface FieldQuery {
  field: string;
  /** the query for Meilisearch: finds everything that the value finds, and more if it is loose */
  q: string;
  /** the same with the last word whole (rule 8); undefined if the value has no word that may be unfinished */
  whole: string | undefined;
  match: Matcher;
  /** whether each document that Meilisearch finds must be verified on its text */
  isLoose: boolean;
}

/** The fields to be searched, ORed. A field whose value cannot be found (rule 7) is left out. */
export function fieldQueries(text: Record<string, string>): FieldQuery[] {
  return Object.entries(text).flatMap(([field, value]) => {
    const phrases = phrasesOf(value);
    if (phrases.length === 0) return [];
    const { q, isLoose } = encodeQuery(field, phrases);
    const isUnfinished = phrases.some((phrase) => phrase.at(-1)?.prefix);
    const whole = isUnfinished ? encodeQuery(field, phrases.map(finished)).q : undefined;
    return { field, q, whole, match: matcherOf(value), isLoose };
  });
}

const finished = (phrase: Phrase): Phrase => phrase.map((run) => ({ ...run, prefix: false }));

function encodeQuery(field: string, phrases: Phrase[]): { q: string; isLoose: boolean } {
  const encoded = phrases.map((phrase) => encodePhrase(field, phrase));
  const terms = new Map(encoded.flatMap(({ terms }) => terms.flatMap(windowsOf)).map((term) => [term.join(' '), term]));
  // Long terms are the most selective.
  const sent = [...terms.values()].sort((a, b) => b.length - a.length).slice(0, MOST_TERMS);
  return {
    q: sent.map((tokens) => `"${tokens.join(' ')}"`).join(' '),
    isLoose: terms.size > MOST_TERMS || encoded.some(({ isExact }) => !isExact),
  };
}

function windowsOf(term: EncodedTerm): EncodedTerm[] {
  if (term.length <= LONGEST_TERM) return [term];
  return Array.from({ length: WINDOWS }, (_, i) => {
    const from = Math.floor((i * (term.length - WINDOW)) / (WINDOWS - 1));
    return term.slice(from, from + WINDOW);
  });
}
