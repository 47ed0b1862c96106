import type { Phrase } from '../analyzer/phrases.ts';
import { gramsOf, pairsOf, type Token, tokensOf } from '../analyzer/tokens.ts';
import { CONTENT_FIELD } from '../searchDocument.ts';

/**
 * Tokens as Meilisearch gets them: lower-case letters and digits, which no segmenter cuts and no normaliser changes. Each
 * begins with q and has no other q, so two words that Meilisearch joins on trial are never a token.
 */
type Kind = 'w' | 'c' | 'p' | 'd';

const RAW = /[0-9a-pr-wyz]/;
/** Four digits in base 24 hold the code point of every letter there is. */
const DIGITS = 'abcdefghijklmnoprstuvwyz';
const BASE = DIGITS.length;

function encodeCharacter(char: string): string {
  let code = Math.min(char.codePointAt(0) ?? 0, BASE ** 4 - 1);
  let digits = '';
  for (let i = 0; i < 4; i++) {
    digits = DIGITS.charAt(code % BASE) + digits;
    code = Math.floor(code / BASE);
  }
  return digits;
}

/**
 * Plain letters stand for themselves, every other character becomes x and four digits. So a prefix of a word is a prefix of
 * its encoding.
 */
const encodeWord = (word: string) =>
  Array.from(word, (char) => (RAW.test(char) ? char : `x${encodeCharacter(char)}`)).join('');
const encodePair = (pair: string) => Array.from(pair, encodeCharacter).join('');

/** Field names are free and any number of them may exist, so each token of a field other than content carries its key. */
function fieldKey(field: string): string {
  if (field === CONTENT_FIELD) return '';
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(field)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  let key = '';
  for (let i = 0; i < 6; i++, hash = Math.floor(hash / BASE)) key += DIGITS.charAt(hash % BASE);
  return key;
}

const encodeToken = (field: string, kind: Kind, body: string) => `q${kind}${field}${body}`;
const encodePlain = (field: string, { kind, text }: Token) =>
  kind !== 'cjk' ? encodeToken(field, 'w', encodeWord(text)) : encodeToken(field, 'c', encodePair(text));

/** What is indexed of a text: its tokens in order, and each part that a token may begin with or contain, once. */
export interface EncodedText {
  tokens: string[];
  /** beginnings of words, cjk characters, and stretches of four digits */
  parts: Set<string>;
}

export function encodeText(field: string, text: string): EncodedText {
  const key = fieldKey(field);
  const tokens: string[] = [];
  const parts = new Set<string>();
  for (const token of tokensOf(text)) {
    tokens.push(encodePlain(key, token));
    const chars = [...token.text];
    if (token.kind === 'cjk') parts.add(encodeCharacterPart(key, chars[0] ?? ''));
    if (token.kind === 'digits') for (const gram of gramsOf(chars)) parts.add(encodeGram(key, gram));
    if (token.kind === 'letters') {
      for (let i = 1; i <= chars.length; i++) parts.add(encodeBeginning(key, chars.slice(0, i).join('')));
    }
  }
  return { tokens, parts };
}

const encodeCharacterPart = (key: string, char: string) => encodeToken(key, 'p', encodePair(char));
const encodeBeginning = (key: string, start: string) => encodeToken(key, 'p', `x${encodeWord(start)}`);
const encodeGram = (key: string, gram: string) => encodeToken(key, 'd', encodeWord(gram));

/** Tokens that must follow each other in one attribute. */
export type EncodedTerm = string[];

export interface EncodedPhrase {
  terms: EncodedTerm[];
  /** a document with all terms contains the phrase; if false, it is only a candidate and must be verified on its text */
  isExact: boolean;
}

/**
 * Meilisearch knows which two tokens follow each other in a document, but not where. So it finds a longer phrase in every
 * document that has all its pairs of neighbours somewhere, such as 北京大学 in 北京大，京大学，北京，大学.
 */
const EXACT_TERM = 2;

export function encodePhrase(field: string, phrase: Phrase): EncodedPhrase {
  const key = fieldKey(field);
  const terms = stretchesOf(phrase).flatMap((stretch, i, all) => encodeStretch(key, stretch, i === all.length - 1));
  return { terms, isExact: terms.length === 1 && terms.every((term) => term.length <= EXACT_TERM) };
}

/**
 * Splits a phrase between two cjk runs that only a sign separates. They may be one run in the text, with a token across the
 * seam, so each is asked for alone.
 */
function stretchesOf(phrase: Phrase): Phrase[] {
  const stretches: Phrase[] = [];
  phrase.forEach((run, i) => {
    const last = stretches.at(-1);
    if (last && !(run.kind === 'cjk' && phrase[i - 1]?.kind === 'cjk')) last.push(run);
    else stretches.push([run]);
  });
  return stretches;
}

/** @param isLast whether the stretch ends the phrase */
function encodeStretch(key: string, stretch: Phrase, isLast: boolean): EncodedTerm[] {
  const terms: EncodedTerm[] = [];
  const tokens: string[] = [];
  stretch.forEach((run, i) => {
    const text = run.chars.join('');
    const isEnd = i === stretch.length - 1;
    if (run.inside) for (const gram of gramsOf(run.chars)) terms.push([encodeGram(key, gram)]);
    else if (run.kind !== 'cjk') {
      if (isLast && run.prefix) terms.push([encodeBeginning(key, text)]);
      else tokens.push(encodeToken(key, 'w', encodeWord(text)));
    } else {
      for (const pair of pairsOf(run.chars)) tokens.push(encodeToken(key, 'c', encodePair(pair)));
      // If a word or number follows, the text's run ends here too; otherwise it may go on.
      if (!isEnd) tokens.push(encodeToken(key, 'c', encodePair(run.chars.at(-1) ?? '')));
      else if (run.chars.length === 1) terms.push([encodeCharacterPart(key, text)]);
    }
  });
  if (tokens.length > 0) terms.push(tokens);
  return terms;
}
