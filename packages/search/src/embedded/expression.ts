import { type Term, termsOf } from '../analyzer/tokens.ts';
import { CONTENT_FIELD } from '../port.ts';
import type { IndexReader } from './indexReader.ts';

/** How well a text is found. */
export type Match = 'whole' | 'prefix';

/** A query's text as the index understands it. */
export interface TextRequest {
  /** the FTS5 expression; finds all that is found, and more unless `isExact` */
  match: string;
  isExact: boolean;
  /** finds those in which whole words are hit; undefined where that is all of them */
  whole: string | undefined;
  /** whether words may go on: the index then gathers all that begin so before it gives the first hit */
  hasPrefix: boolean;
  /** the same by looking at the texts themselves */
  find(text: Record<string, string>): Match | undefined;
}

/** @returns undefined where nothing can be found */
export function textRequest(reader: IndexReader, text: Record<string, string>): TextRequest | undefined {
  const fields = Object.entries(text).flatMap(([name, value]) => {
    const terms = termsOf(value);
    const id = name === CONTENT_FIELD ? undefined : reader.fieldId(name);
    if (terms.length === 0 || (name !== CONTENT_FIELD && id === undefined)) return [];
    const prefix = id === undefined ? '' : `${id}_`;
    const column = id === undefined ? 'content' : 'ext';
    return [`(${column} : (${terms.map((term) => termExpression(term, prefix)).join(' AND ')}))`];
  });
  if (fields.length === 0) return undefined;
  return { match: fields.join(' OR '), isExact: true, whole: undefined, hasPrefix: fields.some((field) => field.includes('*')), find: () => undefined };
}

/** Tokens hold letters and digits only, so quoting them is safe. */
function termExpression(term: Term, prefix: string): string {
  if (term.kind === 'phrase') return `"${term.tokens.map((token) => prefix + token).join(' ')}"`;
  if (term.kind === 'character') return `"${prefix}${term.text}" *`;
  return term.prefix ? `"${prefix}${term.text}" *` : `"${prefix}${term.text}"`;
}
