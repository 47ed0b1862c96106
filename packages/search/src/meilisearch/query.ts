import type { ScopeClause, SearchQuery } from '../port.ts';
import { attributesOf } from './documents.ts';
import { type EncodedTerm, encodeTerms } from './encoding.ts';

/** Meilisearch reads the first ten terms of a query. */
const MOST_TERMS = 10;
/** It looks at three neighbours at a time: of a longer phrase it finds all windows, not the phrase itself. */
const EXACT_PHRASE = 3;
/** Its time grows with the square of the values in one IN. */
const VALUES_AT_ONCE = 500;

/** One payload field's part of a query. */
export interface FieldQuery {
  q: string;
  attributes: string[];
  terms: EncodedTerm[];
  where: { tokens: readonly string[]; parts: readonly string[] };
  /** what Meilisearch finds has to be looked at again */
  isLoose: boolean;
}

/** The fields that are searched, ORed; one that asks for nothing that can be found is left out. */
export function fieldQueries(text: Record<string, string>): FieldQuery[] {
  return Object.entries(text).flatMap(([field, value]) => {
    const terms = encodeTerms(field, value);
    if (terms.length === 0) return [];
    const where = attributesOf(field);
    // Long phrases select most.
    const sent = terms.toSorted((a, b) => b.tokens.length - a.tokens.length).slice(0, MOST_TERMS);
    return {
      q: sent.map(({ tokens }) => `"${tokens.join(' ')}"`).join(' '),
      attributes: [...where.tokens, ...where.parts],
      terms,
      where,
      isLoose: terms.length > MOST_TERMS || terms.some(({ tokens }) => tokens.length > EXACT_PHRASE),
    };
  });
}

/** Whether a document's attributes hold what the field asks for. */
export function holds(document: Record<string, unknown>, { terms, where }: FieldQuery): boolean {
  return terms.every((term) =>
    where[term.where].some((name) => {
      const value = document[name];
      const text = Array.isArray(value) ? value.join(' ') : String(value ?? '');
      return ` ${text} `.includes(` ${term.tokens.join(' ')} `);
    }),
  );
}

/** What every hit must satisfy: elements are ANDed, those of an inner array ORed. Keys are hex, so quoting is safe. */
export function filterOf(query: SearchQuery): (string | string[])[] {
  const filter: (string | string[])[] = [inChunks('audience', query.audience.map(quote))];
  if (query.anyOf) filter.push(query.anyOf.map(clause).filter((text) => text !== ''));
  if (query.payloadTypes.length > 0) filter.push(inChunks('payloadType', query.payloadTypes));
  if (query.from !== undefined) filter.push(`from = ${quote(query.from)}`);
  if (query.topic !== undefined) filter.push(`topic = ${quote(query.topic)}`);
  if (query.channelType !== undefined) filter.push(`channelType = ${query.channelType}`);
  if (query.startTime > 0) filter.push(`timestamp >= ${query.startTime}`);
  if (query.endTime > 0) filter.push(`timestamp <= ${query.endTime}`);
  filter.push(['expiresAt = 0', `expiresAt > ${query.now}`]);
  return filter;
}

const quote = (value: string) => `"${value}"`;

function inChunks(attribute: string, values: (string | number)[]): string[] {
  const chunks: string[] = [];
  for (let i = 0; i < values.length; i += VALUES_AT_ONCE) {
    chunks.push(`${attribute} IN [${values.slice(i, i + VALUES_AT_ONCE).join(', ')}]`);
  }
  return chunks;
}

/** A clause that says nothing must not mean everything, and neither must a list of such. */
export const matchesNothing = (anyOf: ScopeClause[] | undefined): boolean =>
  anyOf?.every((one) => clause(one) === '') ?? false;

function clause({ from, audience, channel, channelId, channelType }: ScopeClause): string {
  const parts = Object.entries({ from, audience, channel, channelId })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} = ${quote(value ?? '')}`);
  if (channelType !== undefined) parts.push(`channelType = ${channelType}`);
  return parts.length === 0 ? '' : `(${parts.join(' AND ')})`;
}
