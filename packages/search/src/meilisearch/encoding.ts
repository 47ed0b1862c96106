import { phrasesOf, type WantedRun } from '../analyzer/query.ts';
import { pairsOf, type Token, tokensOf } from '../analyzer/tokens.ts';
import { CONTENT_FIELD } from '../port.ts';

/**
 * Tokens as Meilisearch gets them: lower-case letters and digits that no segmenter cuts and no normaliser changes. Each
 * begins with the letter q, and q occurs nowhere else in it: joined words (Meilisearch tries those) are never a token.
 */
type Kind = 'w' | 'c' | 'p';

const RAW = /[0-9a-pr-wyz]/;
/** Four digits to the base of 24 hold every letter there is. */
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

/** Letters that stand for themselves, all others as x and four digits: a prefix of a word is a prefix of its encoding. */
const encodeWord = (word: string) =>
  Array.from(word, (char) => (RAW.test(char) ? char : `x${encodeCharacter(char)}`)).join('');
const encodePair = (pair: string) => Array.from(pair, encodeCharacter).join('');

/** Names of fields are the product's own and any number: tokens of all but the usual one carry the field's key. */
export function fieldKey(field: string): string {
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

/** What of a text is indexed: the tokens in their order, and each beginning of a word and cjk character once. */
export interface EncodedText {
  tokens: string[];
  parts: Set<string>;
}

export function encodeText(field: string, text: string): EncodedText {
  const key = fieldKey(field);
  const tokens: string[] = [];
  const parts = new Set<string>();
  for (const token of tokensOf(text)) {
    tokens.push(encodePlain(key, token));
    const chars = [...token.text];
    if (token.kind === 'cjk') parts.add(encodeToken(key, 'p', encodePair(chars[0] ?? '')));
    else
      for (let i = 1; i <= chars.length; i++)
        parts.add(encodeToken(key, 'p', `x${encodeWord(chars.slice(0, i).join(''))}`));
  }
  return { tokens, parts };
}

/** A term of a query: tokens that follow each other, in the text or among its parts. */
export interface EncodedTerm {
  where: 'tokens' | 'parts';
  tokens: string[];
}

/** @returns the terms, all of which must occur in the field; none where the value holds nothing that can be found */
export function encodeTerms(field: string, value: string): EncodedTerm[] {
  const key = fieldKey(field);
  return phrasesOf(value).flatMap((phrase) => phrase.map((run) => encodeRun(key, run)));
}

function encodeRun(field: string, run: WantedRun): EncodedTerm {
  if (run.kind === 'cjk') {
    if (run.chars.length === 1)
      return { where: 'parts', tokens: [encodeToken(field, 'p', encodePair(run.chars[0] ?? ''))] };
    return { where: 'tokens', tokens: pairsOf(run.chars).map((pair) => encodeToken(field, 'c', encodePair(pair))) };
  }
  const word = encodeWord(run.chars.join(''));
  return run.prefix
    ? { where: 'parts', tokens: [encodeToken(field, 'p', `x${word}`)] }
    : { where: 'tokens', tokens: [encodeToken(field, 'w', word)] };
}
